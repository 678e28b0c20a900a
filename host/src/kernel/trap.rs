//! Pending traps: what a task waits for, and the list of a task's traps.
//!
//! The list is made of links between entries of the trap table, so that withdrawing a trap costs the same
//! wherever it stands, and waiting allocates nothing.

use slotmap::SlotMap;

use super::{Caller, Instant, SourceKey, TaskKey, TrapKey};

/// What a pending trap waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A point in time; `order` tells it from other sleeps until the same.
    Sleep { until: Instant, order: u32 },
    /// Nothing: it ends when it begins.
    Nothing,
    /// A descriptor's becoming readable.
    Read(SourceKey),
    /// A descriptor's becoming writable.
    Write(SourceKey),
}

impl Wait {
    /// What a task that waits for this is said to do: the name of the trap.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sleep { .. } | Self::Nothing => "sleep",
            Self::Read(_) => "read-wait",
            Self::Write(_) => "write-wait",
        }
    }
}

/// A pending trap.
#[derive(Debug)]
pub(crate) struct Trap {
    /// The task that waits.
    pub(crate) task: TaskKey,
    /// What it waits for.
    pub(crate) wait: Wait,
    /// The guest's number for it.
    pub(crate) cookie: u64,
    /// The traps before and after it among its task's.
    previous: Option<TrapKey>,
    next: Option<TrapKey>,
}

impl Trap {
    /// A trap that is in no list yet.
    pub(crate) fn new(by: Caller, wait: Wait) -> Self {
        Self {
            task: by.task,
            wait,
            cookie: by.cookie,
            previous: None,
            next: None,
        }
    }

    /// The trap after it among its task's.
    pub(super) fn next(&self) -> Option<TrapKey> {
        self.next
    }
}

/// A task's traps, in the order in which they were made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct List {
    first: Option<TrapKey>,
    last: Option<TrapKey>,
    length: usize,
}

impl List {
    /// The trap that has been pending for longest.
    pub(crate) fn first(&self) -> Option<TrapKey> {
        self.first
    }

    /// How many traps are in the list.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Appends a trap that is in no list.
    pub(crate) fn append(&mut self, traps: &mut SlotMap<TrapKey, Trap>, key: TrapKey) {
        traps[key].previous = self.last;
        match self.last {
            Some(last) => traps[last].next = Some(key),
            None => self.first = Some(key),
        }
        self.last = Some(key);
        self.length += 1;
    }

    /// Takes a trap that is in this list out of it and out of the table.
    pub(crate) fn remove(
        &mut self,
        traps: &mut SlotMap<TrapKey, Trap>,
        key: TrapKey,
    ) -> Option<Trap> {
        let trap = traps.remove(key)?;
        self.length -= 1;
        match trap.previous {
            Some(previous) => traps[previous].next = trap.next,
            None => self.first = trap.next,
        }
        match trap.next {
            Some(next) => traps[next].previous = trap.previous,
            None => self.last = trap.previous,
        }
        Some(trap)
    }
}
