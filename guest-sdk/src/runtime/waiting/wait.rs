//! Waits: what one future waits for, and the lists such a wait is in.
//!
//! A wait is in the list of its task's, in that of its timeout block's, if it is in one, and, if it waits
//! in line, in that line. The lists are links between entries of the table, so that leaving one costs the same
//! wherever a wait stands, and waiting allocates nothing.

use std::num::NonZeroU32;
use std::task::Waker;

use slab::Slab;

use super::Running;
use super::lines::LineKey;
use crate::error::Error;
use crate::time::Instant;

/// A wait's place in the table, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitKey(NonZeroU32);

/// All waits.
pub(super) struct Waits {
    entries: Slab<Wait>,
    /// How many there ever were.
    begun: u32,
}

/// What one future waits for.
pub(super) struct Wait {
    /// The task that waits, and where.
    pub(super) by: Running,
    pub(super) what: What,
    pub(super) state: State,
    /// The waker to wake when it ends, unless polling the task is enough.
    pub(super) waker: Option<Waker>,
    /// Tells it from others that had its place before.
    serial: u32,
    of_task: Link,
    of_block: Link,
    in_line: Link,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Being woken by another task. It stands in this line until it is woken or interrupted.
    Line(LineKey, &'static str),
    /// What the kernel knows by this token.
    Trap(u64),
    /// It was a trap of a task that has ended: the kernel knows nothing of it any more.
    Lost,
}

/// How far a wait has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It may still end either way.
    Pending,
    /// The trap has ended, and the kernel is about to say how.
    Coming,
    /// It has ended, and the future has not looked yet.
    Ended(End),
}

/// How a wait has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With what was waited for.
    Done(u64),
    /// Another task waits for the same thing.
    Busy,
    /// What was waited for was closed.
    Closed,
    /// What was waited for is not in a state in which that can come.
    InvalidState,
    /// Its task was cancelled.
    Cancelled,
    /// A timeout block that it is in expired.
    TimedOut(Instant),
}

/// What a future that looks at its wait is told.
pub(crate) enum Looked {
    /// It goes on waiting.
    Pending,
    /// It is over, and forgotten.
    Ended(Result<u64, Error>),
    /// Another task has come to wait: the trap is withdrawn and forgotten, and has to be made anew.
    Withdrawn,
}

/// Neighbours in a list.
#[derive(Clone, Copy, Default)]
pub(super) struct Link {
    previous: Option<WaitKey>,
    next: Option<WaitKey>,
}

/// The ends of a list.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) first: Option<WaitKey>,
    last: Option<WaitKey>,
}

/// Which of a wait's lists is meant.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    OfTask,
    OfBlock,
    InLine,
}

impl WaitKey {
    fn new(index: usize) -> Option<Self> {
        let place = u32::try_from(index).ok()?.checked_add(1)?;
        NonZeroU32::new(place).map(Self)
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Wait {
    fn link(&mut self, kind: Kind) -> &mut Link {
        match kind {
            Kind::OfTask => &mut self.of_task,
            Kind::OfBlock => &mut self.of_block,
            Kind::InLine => &mut self.in_line,
        }
    }

    /// Whether an interruption may end it.
    pub(super) fn is_interruptible(&self) -> bool {
        self.state == State::Pending && !self.by.shielded
    }
}

impl std::ops::Index<WaitKey> for Waits {
    type Output = Wait;

    fn index(&self, key: WaitKey) -> &Wait {
        &self.entries[key.index()]
    }
}

impl std::ops::IndexMut<WaitKey> for Waits {
    fn index_mut(&mut self, key: WaitKey) -> &mut Wait {
        &mut self.entries[key.index()]
    }
}

impl Waits {
    pub(super) const fn new() -> Self {
        Self {
            entries: Slab::new(),
            begun: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes in a wait that is in no list yet.
    pub(super) fn insert(&mut self, by: Running, what: What, waker: Option<Waker>) -> WaitKey {
        self.begun = self.begun.wrapping_add(1);
        let index = self.entries.insert(Wait {
            by,
            what,
            state: State::Pending,
            waker,
            serial: self.begun,
            of_task: Link::default(),
            of_block: Link::default(),
            in_line: Link::default(),
        });
        WaitKey::new(index).expect("a guest's memory has no room for so many")
    }

    /// Forgets a wait that is in no list any more.
    pub(super) fn remove(&mut self, key: WaitKey) {
        self.entries.remove(key.index());
    }

    /// What the kernel is to call a wait by. Never 0.
    pub(super) fn cookie(&self, key: WaitKey) -> u64 {
        u64::from(self[key].serial) << 32 | u64::from(key.0.get())
    }

    /// The wait that the kernel means, if nobody has given it up.
    pub(super) fn by_cookie(&self, cookie: u64) -> Option<WaitKey> {
        let place = u32::try_from(cookie & u64::from(u32::MAX)).ok()?;
        let key = WaitKey(NonZeroU32::new(place)?);
        let entry = self.entries.get(key.index())?;
        (u64::from(entry.serial) == cookie >> 32).then_some(key)
    }

    /// The one after a wait in a list.
    pub(super) fn next(&mut self, key: WaitKey, kind: Kind) -> Option<WaitKey> {
        self[key].link(kind).next
    }

    /// Puts a wait that is in no such list at the end of one.
    #[inline]
    pub(super) fn append(&mut self, ends: &mut Ends, key: WaitKey, kind: Kind) {
        match ends.last {
            Some(last) => self.link_up(last, key, kind),
            None => ends.first = Some(key),
        }
        ends.last = Some(key);
    }

    fn link_up(&mut self, last: WaitKey, key: WaitKey, kind: Kind) {
        self[last].link(kind).next = Some(key);
        self[key].link(kind).previous = Some(last);
    }

    /// Takes a wait out of a list that it is in.
    #[inline]
    pub(super) fn take_out(&mut self, ends: &mut Ends, key: WaitKey, kind: Kind) {
        if ends.first == ends.last {
            // It is alone, as is the rule.
            *ends = Ends::default();
        } else {
            self.take_out_of_many(ends, key, kind);
        }
    }

    fn take_out_of_many(&mut self, ends: &mut Ends, key: WaitKey, kind: Kind) {
        let Link { previous, next } = std::mem::take(self[key].link(kind));
        match previous {
            Some(previous) => self[previous].link(kind).next = next,
            None => ends.first = next,
        }
        match next {
            Some(next) => self[next].link(kind).previous = previous,
            None => ends.last = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(waits: &mut Waits) -> WaitKey {
        waits.insert(Running::default(), What::Lost, None)
    }

    #[test]
    fn a_cookie_outlives_its_wait_and_means_no_other() {
        let mut waits = Waits::new();
        let first = wait(&mut waits);
        let cookie = waits.cookie(first);
        assert_eq!(waits.by_cookie(cookie), Some(first));
        waits.remove(first);
        assert_eq!(waits.by_cookie(cookie), None);
        assert_eq!(wait(&mut waits), first);
        assert_eq!(waits.by_cookie(cookie), None);
        assert_eq!(waits.by_cookie(0), None);
        assert_eq!(waits.by_cookie(u64::MAX), None);
    }
}
