//! What a guest's sockets count as: handles, and memory for what is received.

use wasmtime::component::{Resource, ResourceTableError};

use crate::limits::LimitExceeded;
use crate::sockets::{Lingering, Socket};
use crate::traps::{Guest, TrapError};

/// Sockets through which others are on the way, each of which counts as a handle until it has arrived.
#[derive(Debug, Default)]
pub(crate) struct Passing {
    /// The numbers of those that are open.
    open: Vec<u32>,
    /// What is left of those that are closed.
    lingering: Vec<Lingering>,
    /// How many of these there were when it was last found out which of them are over.
    lingered: usize,
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

    /// How many handles are left to be taken.
    pub(super) fn handles_left(&mut self) -> u32 {
        self.note_arrived();
        let key = self.key;
        self.kernel().instance(key).budget().handles_left()
    }

    /// Notes that sockets are on the way through a socket.
    pub(super) fn note_passing(&mut self, through: &Resource<Socket>) {
        if !self.passing.open.contains(&through.rep()) {
            self.passing.open.push(through.rep());
        }
    }

    /// Notes what has stayed of a socket that is closed.
    pub(in crate::traps) fn note_lingering(&mut self, lingering: Option<Lingering>) {
        if let Some(lingering) = lingering {
            // Those on the way count already; it is a handle itself. That may be more than there are for a while.
            let key = self.key;
            self.kernel().instance(key).budget().charge_handle();
            self.passing.lingering.push(lingering);
            // Each time that their number has doubled, so that each costs the same on the average.
            if self.passing.lingering.len() >= 2 * self.passing.lingered.max(MANY_LINGERING) {
                self.note_arrived();
            }
        }
    }

    /// Gives the handles and the memory back of what has arrived. Returns whether there were any.
    pub(in crate::traps) fn note_arrived(&mut self) -> bool {
        let mut given = 0;
        let table = &mut self.table;
        self.passing.open.retain(|number| {
            let socket = Resource::<Socket>::new_borrow(*number);
            let Ok(socket) = table.get_mut(&socket) else {
                return false;
            };
            given += socket.take_arrived();
            socket.has_passed()
        });
        self.passing.lingering.retain(|lingering| {
            let over = lingering.is_over();
            given += if over { lingering.handles() } else { 0 };
            !over
        });
        self.passing.lingered = self.passing.lingering.len();
        if given > 0 {
            self.give_handles(given);
        }
        given > 0
    }
}
