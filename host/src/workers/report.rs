//! What a worker on another thread says of a job: once, to the kernel of the guest that handed it out.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Loss, LossReason, Outcome};
use crate::kernel::{InstanceKey, Kernel, Message, SourceKey};

/// Where the one who waits finds the outcome.
#[derive(Debug)]
pub(super) struct Waiting {
    source: SourceKey,
    slot: Arc<Mutex<Slot>>,
}

/// By whom the outcome is told. If that is dropped before, the job is lost.
pub(crate) struct Report(Option<Box<dyn FnOnce(Outcome) + Send>>);

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
    let (of_report, door) = (slot.clone(), kernel.door());
    let report = Report::new(move |outcome| {
        *lock(&of_report) = Slot::Told(outcome);
        door.send(Message::Ready(source));
    });
    (report, Waiting { source, slot })
}

impl Report {
    /// A report that is made by calling something.
    pub(crate) fn new(tell: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    /// Tells how the job ended.
    pub(crate) fn tell(mut self, outcome: Outcome) {
        if let Some(tell) = self.0.take() {
            tell(outcome);
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let loss = Loss::new(LossReason::Died, "the worker's thread has ended");
            tell(Outcome::Lost(loss));
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

impl Waiting {
    /// What a task waits for until the outcome is there.
    pub(super) fn source(&self) -> SourceKey {
        self.source
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
