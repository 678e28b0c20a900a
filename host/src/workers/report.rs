//! What a worker on another thread says of a job: once, to the kernel of the guest that handed it out.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Loss, LossReason, Outcome};
use crate::kernel::{Door, InstanceKey, Kernel, Message, SourceKey};

/// Where the one who waits finds the outcome.
#[derive(Debug)]
pub(super) struct Waiting {
    source: SourceKey,
    slot: Arc<Mutex<Slot>>,
}

/// By whom the outcome is told. If that is dropped before, the job is lost.
#[derive(Debug)]
pub(crate) struct Report {
    source: SourceKey,
    slot: Arc<Mutex<Slot>>,
    door: Arc<Door>,
}

#[derive(Debug)]
enum Slot {
    Empty,
    Told(Outcome),
    Taken,
}

/// What there is to take.
#[derive(Debug)]
pub(super) enum Taken {
    NotYet,
    Outcome(Outcome),
    Before,
}

/// A report to an instance, and where that finds it.
pub(super) fn report(kernel: &mut Kernel, owner: InstanceKey) -> (Report, Waiting) {
    let (source, _) = kernel.add_source(owner);
    let slot = Arc::new(Mutex::new(Slot::Empty));
    let report = Report {
        source,
        slot: slot.clone(),
        door: kernel.door(),
    };
    (report, Waiting { source, slot })
}

impl Report {
    /// Tells how the job ended.
    pub(crate) fn tell(self, outcome: Outcome) {
        *lock(&self.slot) = Slot::Told(outcome);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        if matches!(*slot, Slot::Empty) {
            let loss = Loss::new(LossReason::Died, "the worker's thread has ended");
            *slot = Slot::Told(Outcome::Lost(loss));
        }
        drop(slot);
        self.door.send(Message::Ready(self.source));
    }
}

impl Waiting {
    /// What a task waits for until the outcome is there.
    pub(super) fn source(&self) -> SourceKey {
        self.source
    }

    /// Whether the outcome is there, and was not taken.
    pub(super) fn is_told(&self) -> bool {
        matches!(*lock(&self.slot), Slot::Told(_))
    }

    /// Takes the outcome.
    pub(super) fn take(&self) -> Taken {
        let mut slot = lock(&self.slot);
        match mem::replace(&mut *slot, Slot::Taken) {
            Slot::Empty => {
                *slot = Slot::Empty;
                Taken::NotYet
            }
            Slot::Told(outcome) => Taken::Outcome(outcome),
            Slot::Taken => Taken::Before,
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
