//! What a guest's sockets count as: handles, and memory for what is received.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

use wasmtime::component::{Resource, ResourceTableError};

use crate::limits::LimitExceeded;
use crate::sockets::{Lingering, Socket};
use crate::traps::{Guest, TrapError};

/// How many sockets a trap asks the system about at the most, of each kind.
const MAX_LOOKED_AT: usize = 256;

/// Sockets through which others are on the way, each of which counts as a handle until it has arrived.
#[derive(Debug, Default)]
pub(crate) struct Passing {
    /// The numbers of those that are open.
    open: BTreeSet<u32>,
    /// The one that was looked at last.
    last: u32,
    /// What is left of those that are closed. Those in front were not looked at for longest.
    lingering: VecDeque<Lingering>,
    /// How many of these there were when it was last found out which of them are over.
    lingered: usize,
}

impl Passing {
    /// The next one that is open, in turn.
    fn next_open(&mut self) -> Option<u32> {
        let after = (Bound::Excluded(self.last), Bound::Unbounded);
        let next = self.open.range(after).next().or(self.open.first());
        self.last = next.copied()?;
        Some(self.last)
    }
}

/// How many sockets may be closed before it is found out which of them are over.
const MANY_LINGERING: usize = 16;

impl Guest {
    /// Gives the guest a handle of something, which a handle was taken from the budget for.
    pub(in crate::traps) fn push<T: Send + 'static>(
        &mut self,
        made: T,
    ) -> Result<Resource<T>, TrapError> {
        match self.table.push(made) {
            // What the standard library holds has taken what was left.
            Err(ResourceTableError::Full) => {
                let limit = self.kernel().instance(self.key).budget().limits().handles();
                Err(LimitExceeded::Handles { limit }.into())
            }
            pushed => Ok(pushed?),
        }
    }

    /// Takes a handle from the budget for what `make` makes; gives it back if that fails.
    pub(in crate::traps) fn with_handle<T>(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<T, TrapError>,
    ) -> Result<T, TrapError> {
        self.take_handles(1)?;
        let result = make(self);
        if result.is_err() {
            self.give_handles(1);
        }
        result
    }

    /// Takes handles from the budget.
    pub(in crate::traps) fn take_handles(&mut self, count: u32) -> Result<(), LimitExceeded> {
        let key = self.key;
        let taken = self.kernel().instance(key).budget().take_handles(count);
        if taken.is_ok() || !self.note_arrived() {
            return taken;
        }
        self.kernel().instance(key).budget().take_handles(count)
    }

    pub(in crate::traps) fn give_handles(&mut self, count: u32) {
        let key = self.key;
        self.kernel().instance(key).budget().give_handles(count);
    }

    /// How many handles are left to be taken, of as many as are wanted.
    pub(super) fn handles_left(&mut self, wanted: u32) -> u32 {
        let key = self.key;
        let left = self.kernel().instance(key).budget().handles_left();
        if left >= wanted || !self.note_arrived() {
            return left.min(wanted);
        }
        let left = self.kernel().instance(key).budget().handles_left();
        left.min(wanted)
    }

    /// Notes that sockets are on the way through a socket.
    pub(super) fn note_passing(&mut self, through: &Resource<Socket>) {
        self.passing.open.insert(through.rep());
    }

    /// Notes what has stayed of a socket that is closed.
    pub(in crate::traps) fn note_lingering(&mut self, lingering: Option<Lingering>) {
        if let Some(lingering) = lingering {
            // Those on the way count already; it is a handle itself. That may be more than there are for a while.
            let key = self.key;
            self.kernel().instance(key).budget().charge_handle();
            self.passing.lingering.push_back(lingering);
            // Each time that their number has doubled, so that each costs the same on the average.
            if self.passing.lingering.len() >= 2 * self.passing.lingered.max(MANY_LINGERING) {
                self.note_arrived();
            }
        }
    }

    /// Gives the handles and the memory back of what has arrived. Returns whether there were any. It looks at some
    /// sockets, and the next call at others: so many may be on the way that to ask about each would keep the thread from
    /// other instances.
    pub(in crate::traps) fn note_arrived(&mut self) -> bool {
        let mut given = 0;
        for _ in 0..self.passing.open.len().min(MAX_LOOKED_AT) {
            let Some(number) = self.passing.next_open() else {
                break;
            };
            let socket = Resource::<Socket>::new_borrow(number);
            let socket = self.table.get_mut(&socket).ok();
            let has_passed = socket.is_some_and(|socket| {
                given += socket.take_arrived();
                socket.has_passed()
            });
            if !has_passed {
                self.passing.open.remove(&number);
            }
        }
        for _ in 0..self.passing.lingering.len().min(MAX_LOOKED_AT) {
            let Some(lingering) = self.passing.lingering.pop_front() else {
                break;
            };
            if lingering.is_over() {
                given += lingering.handles();
            } else {
                self.passing.lingering.push_back(lingering);
            }
        }
        self.passing.lingered = self.passing.lingering.len();
        if given > 0 {
            self.give_handles(given);
        }
        given > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::sockets::{HostSocket, Kind};
    use crate::limits::Limits;
    use crate::traps::tests::guest;

    #[test]
    fn what_has_arrived_is_looked_at_in_turn() {
        const PAIRS: u32 = 600;

        let mut guest = guest(Limits::default().with_handles(3 * PAIRS + 1));
        let passed = HostSocket::pair(&mut guest, Kind::Stream).unwrap().0.rep();
        let mut others = Vec::new();
        for _ in 0..PAIRS - 1 {
            let (one, other) = HostSocket::pair(&mut guest, Kind::Stream).unwrap();
            let through = || Resource::new_borrow(one.rep());
            let sockets = vec![Resource::new_borrow(passed)];
            guest.send_msg(through(), vec![1], sockets, None).unwrap();
            others.push(other.rep());
        }
        let rest = guest.handles_left(u32::MAX);
        guest.take_handles(rest).unwrap();
        assert_eq!(guest.handles_left(PAIRS), 0);
        for other in others {
            let received = guest.recv_msg(Resource::new_borrow(other), 1, 0).unwrap();
            assert_eq!(received.refused, 1);
        }
        // As many as one trap looks at; which come first depends on what was looked at before.
        let most = u32::try_from(MAX_LOOKED_AT).unwrap();
        let mut seen = 0;
        for _ in 0..3 {
            let left = guest.handles_left(PAIRS);
            assert!(left - seen <= most, "{left} after {seen}");
            seen = left;
        }
        assert_eq!(seen, PAIRS - 1);
        guest.take_handles(PAIRS - 1).unwrap();
        guest.take_handles(1).unwrap_err();
    }
}
