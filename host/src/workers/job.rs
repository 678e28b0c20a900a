//! A job, as the guest that handed it out knows it.

use std::io;

use super::crew::ThreadWorker;
use super::report::{Taken, Waiting, report};
use super::{Call, Crew, Outcome};
use crate::kernel::{InstanceKey, Kernel, SourceKey};
use crate::limits::LimitExceeded;

/// A job. Whoever drops it closes it first: see [`Job::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Job {
    /// Who does it, until it is done.
    worker: Option<ThreadWorker>,
    waiting: Waiting,
}

/// Why a job can't be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There are too many workers.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Job {
    /// Hands a job to a worker on another thread.
    ///
    /// # Errors
    /// If there are as many workers as there may be, or the system gives no other one.
    pub(crate) fn on_thread(
        kernel: &mut Kernel,
        owner: InstanceKey,
        crew: &mut Crew,
        call: Call,
    ) -> Result<Self, StartError> {
        let (report, waiting) = report(kernel, owner);
        match crew.call_thread(call, report) {
            Ok(worker) => Ok(Self {
                worker: Some(worker),
                waiting,
            }),
            Err(error) => {
                kernel.remove_source(waiting.source());
                Err(error)
            }
        }
    }

    /// How the job ended, if it has: none before. An error, if it was told.
    pub(crate) fn outcome(&mut self, crew: &mut Crew) -> Option<Result<Outcome, Told>> {
        match self.waiting.take() {
            Taken::NotYet => None,
            Taken::Before => Some(Err(Told)),
            Taken::Outcome(outcome) => {
                if let (Outcome::Returned(_), Some(worker)) = (&outcome, self.worker.take()) {
                    crew.take_back(worker);
                }
                // A worker that was lost is gone, or about to.
                self.worker = None;
                Some(Ok(outcome))
            }
        }
    }

    /// What a task waits for until the outcome is there.
    pub(crate) fn source(&self) -> SourceKey {
        self.waiting.source()
    }

    /// Asks the worker to end what the job waits for.
    pub(crate) fn interrupt(&self) {
        if let Some(worker) = &self.worker {
            worker.interrupt();
        }
    }

    /// Gives the job up. To be called when the handle is dropped.
    pub(crate) fn close(mut self, kernel: &mut Kernel, crew: &mut Crew) {
        kernel.remove_source(self.waiting.source());
        if self.waiting.is_told() {
            drop(self.outcome(crew));
        }
    }
}

/// The outcome was told before.
#[derive(Debug)]
pub(crate) struct Told;
