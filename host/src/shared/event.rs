//! Events: something has happened.

use super::SharedError;
use super::handle::{Handle, Standing, State};
use super::place::{Bell, Place, ring};
use super::registry::Registry;
use super::rounds::Rounds;
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::Allowance;

/// A handle of an event.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub type Event = Handle<Happening, 1>;

/// Something that has happened or not.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug, Default)]
pub struct Happening {
    is_set: bool,
    rounds: Rounds,
}

impl State for Happening {
    const NAME: &'static str = "event";

    fn close(&mut self, places: &mut [Place]) -> Vec<Bell> {
        self.rounds.leave(&places[0]);
        Vec::new()
    }
}

impl Event {
    /// A handle of a new event, which has not happened.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        allowance: &Allowance,
    ) -> Result<Self, SharedError> {
        Self::add(kernel, owner, registry, allowance, Happening::default())
    }

    /// Says that it has happened.
    pub(crate) fn set(&self) {
        let mut event = self.state();
        if !event.is_set {
            event.is_set = true;
            let bells = event.rounds.next();
            drop(event);
            ring(bells);
        }
    }

    /// Says that it has not happened.
    pub(crate) fn clear(&self) {
        self.state().is_set = false;
    }

    /// How often it has happened; none if it has now.
    pub(crate) fn unset(&self) -> Option<u64> {
        let event = self.state();
        (!event.is_set).then(|| event.rounds.count())
    }

    /// Begins to wait until it has happened more often than so.
    pub(crate) fn wait(&self, more_than: u64) -> Standing {
        let mut event = self.state();
        if event.rounds.count() > more_than {
            return Standing::Called;
        }
        event.rounds.wait(&self.places[0], more_than);
        Standing::Waits(self.source(0))
    }
}
