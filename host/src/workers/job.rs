//! A job, as the guest that handed it out knows it.

use std::io;

use super::crew::ThreadWorker;
use super::process::ProcessWorker;
use super::report::{Taken, Waiting, report};
use super::{Call, Crew, Outcome};
use crate::kernel::{Direction, InstanceKey, Kernel, SourceKey};
use crate::limits::{Allowance, LimitExceeded};

/// A job. Whoever drops it closes it first: see [`Job::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Job(Doing);

/// Who does it, until it is done.
#[derive(Debug)]
enum Doing {
    Thread(Option<ThreadWorker>, Waiting),
    Process(Option<ProcessWorker>),
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
    /// It is not to be.
    #[error("{0}")]
    Refused(String),
}

/// The outcome was told before.
#[derive(Debug)]
pub(crate) struct Told;

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
            Ok(worker) => Ok(Self(Doing::Thread(Some(worker), waiting))),
            Err(error) => {
                kernel.remove_source(waiting.source());
                Err(error)
            }
        }
    }

    /// Hands a job to a worker in another process.
    ///
    /// # Errors
    /// As [`Job::on_thread`].
    pub(crate) fn in_process(
        kernel: &mut Kernel,
        owner: InstanceKey,
        crew: &mut Crew,
        call: &Call,
    ) -> Result<Self, StartError> {
        let worker = crew.call_process(kernel, owner, call)?;
        Ok(Self(Doing::Process(Some(worker))))
    }

    /// How the job ended, if it has: none before. An error, if it was told.
    pub(crate) fn outcome(
        &mut self,
        kernel: &mut Kernel,
        crew: &mut Crew,
        allowance: &Allowance,
    ) -> Option<Result<Outcome, Told>> {
        match &mut self.0 {
            Doing::Thread(worker, waiting) => match waiting.take() {
                Taken::NotYet => None,
                Taken::Before => Some(Err(Told)),
                Taken::Outcome(outcome) => {
                    // One that was lost is gone, or about to.
                    let worker = worker.take();
                    if let (Outcome::Returned(_), Some(worker)) = (&outcome, worker) {
                        crew.take_back(worker);
                    }
                    Some(Ok(outcome))
                }
            },
            Doing::Process(place) => {
                let Some(worker) = place else {
                    return Some(Err(Told));
                };
                let outcome = worker.outcome(allowance)?;
                // Whoever waits all the same is not to wait for the worker's next job.
                kernel.note_readable(worker.source().0);
                let worker = place.take();
                match (&outcome, worker) {
                    (Outcome::Returned(_), Some(worker)) => crew.take_back_process(worker),
                    (Outcome::Lost(_), Some(worker)) => worker.close(kernel),
                    (_, None) => {}
                }
                Some(Ok(outcome))
            }
        }
    }

    /// What a task waits for until the outcome is there, or there is more to be done for that; nothing, if it was told.
    pub(crate) fn source(&self) -> Option<(SourceKey, Direction)> {
        match &self.0 {
            Doing::Thread(_, waiting) => Some((waiting.source(), Direction::Read)),
            Doing::Process(worker) => worker.as_ref().map(ProcessWorker::source),
        }
    }

    /// Asks the worker to end what the job waits for.
    pub(crate) fn interrupt(&self) {
        if let Doing::Thread(Some(worker), _) = &self.0 {
            worker.interrupt();
        }
    }

    /// Gives the job up. To be called when the handle is dropped.
    pub(crate) fn close(mut self, kernel: &mut Kernel, crew: &mut Crew, allowance: &Allowance) {
        // It may have ended just now: then the worker is there for others.
        drop(self.outcome(kernel, crew, allowance));
        match self.0 {
            Doing::Thread(_, waiting) => kernel.remove_source(waiting.source()),
            Doing::Process(Some(worker)) => worker.close(kernel),
            Doing::Process(None) => {}
        }
    }
}
