//! `curio:kernel/queues`: what instances share. It needs no right: an instance shares it with those that it gives the
//! key to, and its memory counts.
//!
//! - `queue`, `event`, `result_cell`, `lock`: the traps of each

mod event;
mod lock;
mod queue;
mod result_cell;

use wasmtime::component::Resource;

use super::{Guest, TrapError};
use crate::bindings::queues;
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::{Direction, InstanceKey, Kernel, Outcome};
use crate::limits::Allowance;
use crate::shared::{Handle, Key, Registry, SharedError, Standing, State};

impl From<SharedError> for TrapError {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::NotYet => Self::Told(types::Error::WouldBlock),
            SharedError::State(what) => Self::invalid_state(what),
            SharedError::Argument(what) => Self::invalid_argument(&what),
            SharedError::Limit(limit) => limit.into(),
            SharedError::Io(error) => error.into(),
        }
    }
}

impl From<queues::Key> for Key {
    fn from(key: queues::Key) -> Self {
        Self(u128::from(key.high) << 64 | u128::from(key.low))
    }
}

impl From<Key> for queues::Key {
    fn from(key: Key) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves are what is meant"
        )]
        Self {
            high: (key.0 >> 64) as u64,
            low: key.0 as u64,
        }
    }
}

/// What a handle is made in and of.
struct Site<'a> {
    kernel: &'a mut Kernel,
    owner: InstanceKey,
    registry: &'a Registry,
    allowance: &'a Allowance,
}

impl Guest {
    /// What counts the memory of what it shares.
    fn allowance(&self) -> Allowance {
        let key = self.key;
        self.kernel().instance(key).budget().allowance().clone()
    }

    /// Gives the guest a handle of a shared object.
    fn share<S: State, const PLACES: usize>(
        &mut self,
        make: impl FnOnce(Site<'_>) -> Result<Handle<S, PLACES>, SharedError>,
    ) -> Result<Resource<Handle<S, PLACES>>, TrapError> {
        let size = Handle::<S, PLACES>::SIZE;
        self.with_handle(|guest| {
            let (owner, allowance) = (guest.key, guest.allowance());
            guest.kernel().instance(owner).budget().take_memory(size)?;
            let mut kernel = super::lock(&guest.kernel);
            let handle = make(Site {
                kernel: &mut kernel,
                owner,
                registry: &guest.registry,
                allowance: &allowance,
            });
            drop(kernel);
            let pushed = handle.map_err(TrapError::from);
            let pushed = pushed.and_then(|handle| guest.push(handle));
            if pushed.is_err() {
                guest.kernel().instance(owner).budget().give_memory(size);
            }
            pushed
        })
    }

    /// Another handle of an object.
    fn open_shared<S: State, const PLACES: usize>(
        &mut self,
        key: queues::Key,
    ) -> Result<Resource<Handle<S, PLACES>>, TrapError> {
        self.share(|site| Handle::open(site.kernel, site.owner, site.registry, key.into()))
    }

    /// Takes a handle from the guest.
    fn close_shared<S: State, const PLACES: usize>(
        &mut self,
        this: Resource<Handle<S, PLACES>>,
    ) -> wasmtime::Result<()> {
        let handle = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        handle.close(&mut kernel);
        let budget = kernel.instance(self.key).budget();
        budget.give_memory(Handle::<S, PLACES>::SIZE);
        budget.give_handle();
        Ok(())
    }

    /// Blocks a task at a shared object.
    fn wait_shared(&mut self, standing: Standing, by: Caller) -> wasmtime::Result<u64> {
        let (key, by) = (self.key, by.into());
        self.pend(|kernel| match standing {
            Standing::Called => kernel.end_at_once(key, by, Outcome::Done(0)),
            Standing::Absent => kernel.end_at_once(key, by, Outcome::InvalidState),
            Standing::Waits(source) => kernel.wait_for_source(key, by, source, Direction::Read),
        })
    }
}

impl queues::Host for Guest {}
