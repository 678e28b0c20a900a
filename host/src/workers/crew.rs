//! The workers of one instance.

use std::fmt;
use std::sync::Arc;

use super::inbox::{Inbox, Request};
use super::{Call, Launch, Place, Places, Report, StartError};
use crate::limits::LimitExceeded;

/// The workers that an instance has started and that have nothing to do, and how others come to be.
pub(crate) struct Crew {
    launch: Arc<dyn Launch>,
    threads: Places,
    /// The one that has been busy last comes first.
    idle: Vec<ThreadWorker>,
}

/// A worker on another thread. It stops when this is dropped.
#[derive(Debug)]
pub(super) struct ThreadWorker {
    inbox: Arc<Inbox>,
    place: Arc<Place>,
}

impl Crew {
    /// Nobody yet.
    pub(crate) fn new(launch: Arc<dyn Launch>, threads: Places) -> Self {
        Self {
            launch,
            threads,
            idle: Vec::new(),
        }
    }

    /// Has a thread do a job.
    pub(super) fn call_thread(
        &mut self,
        call: Call,
        report: Report,
    ) -> Result<ThreadWorker, StartError> {
        if let Some(worker) = self.idle.pop() {
            worker.inbox.hand_over(call, report);
            return Ok(worker);
        }
        let limit = self.threads.limit();
        let place = self.threads.take();
        let worker = ThreadWorker {
            inbox: Arc::default(),
            place: Arc::new(place.ok_or(LimitExceeded::Threads { limit })?),
        };
        worker.inbox.hand_over(call, report);
        let launch = self.launch.clone();
        launch.thread(worker.inbox.clone(), worker.place.clone())?;
        Ok(worker)
    }

    /// Takes back a worker that has done its job.
    pub(super) fn take_back(&mut self, worker: ThreadWorker) {
        self.idle.push(worker);
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew")
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

impl ThreadWorker {
    /// Asks it to end what its job waits for.
    pub(super) fn interrupt(&self) {
        self.inbox.ask(Request::Interrupt);
    }
}

impl Drop for ThreadWorker {
    fn drop(&mut self) {
        self.place.leave();
        self.inbox.ask(Request::Stop);
    }
}
