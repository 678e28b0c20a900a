//! Locks: one handle at a time.

use super::SharedError;
use super::handle::{Handle, Standing, State};
use super::line::Line;
use super::place::{Bell, Place, ring};
use super::registry::Registry;
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::Allowance;

/// A handle of a lock.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub type Lock = Handle<Holding, 1>;

/// Who has a lock, and who is to have it next.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug, Default)]
pub struct Holding {
    /// The place of the handle that has it. If nobody does, it may be promised to one that was called.
    holder: Option<u64>,
    /// The handle that had it before went with it.
    abandoned: bool,
    line: Line,
}

impl Holding {
    fn is_free(&self) -> bool {
        self.holder.is_none() && self.line.called() == 0
    }

    fn release(&mut self) -> Option<Bell> {
        self.holder = None;
        self.line.call()
    }

    fn leave(&mut self, place: &mut Place) -> Option<Bell> {
        let was_called = self.line.leave(place);
        if was_called { self.line.call() } else { None }
    }
}

impl State for Holding {
    const NAME: &'static str = "lock";

    fn close(&mut self, places: &mut [Place]) -> Vec<Bell> {
        let bell = if self.holder == Some(places[0].id) {
            self.abandoned = true;
            self.release()
        } else {
            self.leave(&mut places[0])
        };
        bell.into_iter().collect()
    }
}

impl Lock {
    /// A handle of a new lock, which nobody has.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        allowance: &Allowance,
    ) -> Result<Self, SharedError> {
        Self::add(kernel, owner, registry, allowance, Holding::default())
    }

    /// Takes it, and says whether the handle that had it before went with it.
    ///
    /// # Errors
    /// [`SharedError::NotYet`] if another handle has it, and this one stands in line; or if this one has it.
    pub(crate) fn acquire(&mut self) -> Result<bool, SharedError> {
        let (mut lock, [place]) = self.state_and_places();
        if lock.holder == Some(place.id) {
            return Err(SharedError::State("this handle has the lock already"));
        }
        let free = lock.is_free();
        if !lock.line.may_pass(place, free) {
            lock.line.stand(place);
            return Err(SharedError::NotYet);
        }
        lock.line.pass(place);
        lock.holder = Some(place.id);
        Ok(std::mem::take(&mut lock.abandoned))
    }

    /// Begins to wait until it is handed over.
    pub(crate) fn wait(&self) -> Standing {
        let [place] = &self.places;
        if place.ticket.is_none() {
            return Standing::Absent;
        }
        if self.state().line.may_pass(place, false) {
            return Standing::Called;
        }
        place.quiet();
        Standing::Waits(place.source())
    }

    /// Leaves the line, and hands on what was handed over.
    pub(crate) fn leave(&mut self) {
        let (mut lock, [place]) = self.state_and_places();
        let bell = lock.leave(place);
        drop(lock);
        ring(bell);
    }

    /// Hands it to the one that has waited longest.
    ///
    /// # Errors
    /// If this handle does not have it.
    pub(crate) fn release(&self) -> Result<(), SharedError> {
        let mut lock = self.state();
        if lock.holder != Some(self.places[0].id) {
            return Err(SharedError::State(
                "a lock that this handle does not have can't be released",
            ));
        }
        let bell = lock.release();
        drop(lock);
        ring(bell);
        Ok(())
    }

    /// Whether some handle has it.
    pub(crate) fn is_locked(&self) -> bool {
        !self.state().is_free()
    }
}
