//! Pending traps: what a task waits for, and the lists such a trap is in.
//!
//! A trap is in its task's list, in that of its timeout block, if it was made in one, and, if it waits in
//! line, in the list of those it waits with.
//! The lists are links between entries of the trap table, so that withdrawing a trap costs the same
//! wherever it stands, and waiting allocates nothing.

use slotmap::SlotMap;

use super::{Caller, QueueKey, ScopeKey, SourceKey, TaskKey, TrapKey};

/// What a pending trap waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A timer.
    Sleep,
    /// The end of a task.
    Join(TaskKey),
    /// Being woken on a wait queue.
    Queue(QueueKey),
    /// A descriptor's becoming readable.
    Read(SourceKey),
    /// A descriptor's becoming writable.
    Write(SourceKey),
}

/// A pending trap.
#[derive(Debug)]
pub(crate) struct Trap {
    /// The task that waits.
    pub(crate) task: TaskKey,
    /// The innermost timeout block the trap was made in.
    pub(crate) scope: Option<ScopeKey>,
    /// What it waits for.
    pub(crate) wait: Wait,
    /// The guest's number for it.
    pub(crate) cookie: u32,
    /// Its place among its task's traps.
    of_task: Link,
    /// Its place among those made in the same timeout block.
    in_scope: Link,
    /// Its place among those that wait for the same thing.
    in_line: Link,
}

impl Trap {
    /// A trap that is in no list yet.
    pub(crate) fn new(by: Caller, wait: Wait) -> Self {
        Self {
            task: by.task,
            scope: by.scope,
            wait,
            cookie: by.cookie,
            of_task: Link::default(),
            in_scope: Link::default(),
            in_line: Link::default(),
        }
    }

    fn link(&mut self, kind: Kind) -> &mut Link {
        match kind {
            Kind::OfTask => &mut self.of_task,
            Kind::InScope => &mut self.in_scope,
            Kind::InLine => &mut self.in_line,
        }
    }
}

/// Which of a trap's lists is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The list of its task's traps.
    OfTask,
    /// The list of its timeout block's traps.
    InScope,
    /// The list of those that wait for the same thing.
    InLine,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    previous: Option<TrapKey>,
    next: Option<TrapKey>,
}

/// A list of traps, in the order in which they were appended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct List {
    first: Option<TrapKey>,
    last: Option<TrapKey>,
}

impl List {
    /// The trap that has been in the list for longest.
    pub(crate) fn first(&self) -> Option<TrapKey> {
        self.first
    }

    /// Appends a trap that is in no list of this kind.
    pub(crate) fn append(&mut self, traps: &mut SlotMap<TrapKey, Trap>, key: TrapKey, kind: Kind) {
        *traps[key].link(kind) = Link {
            previous: self.last,
            next: None,
        };
        match self.last {
            Some(last) => traps[last].link(kind).next = Some(key),
            None => self.first = Some(key),
        }
        self.last = Some(key);
    }

    /// Removes a trap that is in this list.
    pub(crate) fn remove(&mut self, traps: &mut SlotMap<TrapKey, Trap>, key: TrapKey, kind: Kind) {
        let link = std::mem::take(traps[key].link(kind));
        match link.previous {
            Some(previous) => traps[previous].link(kind).next = link.next,
            None => self.first = link.next,
        }
        match link.next {
            Some(next) => traps[next].link(kind).previous = link.previous,
            None => self.last = link.previous,
        }
    }
}
