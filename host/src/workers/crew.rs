//! The workers of one instance.

use std::fmt;
use std::sync::Arc;

use super::inbox::{Inbox, Request};
use super::process::ProcessWorker;
use super::{Call, Launch, Report, StartError};
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::{Allowance, LimitExceeded, Place};

/// The workers that an instance has started and that have nothing to do, and how others come to be.
pub(crate) struct Crew {
    launch: Arc<dyn Launch>,
    allowance: Allowance,
    /// The one that has been busy last is the last one.
    idle: Vec<ThreadWorker>,
    idle_processes: Vec<ProcessWorker>,
}

/// A worker on another thread. It stops when this is dropped.
#[derive(Debug)]
pub(super) struct ThreadWorker {
    inbox: Arc<Inbox>,
    place: Arc<Place>,
}

impl Crew {
    /// Nobody yet.
    pub(crate) fn new(launch: Arc<dyn Launch>, allowance: Allowance) -> Self {
        Self {
            launch,
            allowance,
            idle: Vec::new(),
            idle_processes: Vec::new(),
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
        let threads = self.allowance.threads();
        let limit = threads.limit();
        let place = threads.take();
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

    /// Has a process do a job.
    pub(super) fn call_process(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        call: &Call,
    ) -> Result<ProcessWorker, StartError> {
        while let Some(mut worker) = self.idle_processes.pop() {
            // Perhaps it is time for a faster one.
            let is_slow = worker.is_interrupted() && self.launch.has_faster();
            if !is_slow && worker.is_well() {
                worker.hand_over(call);
                return Ok(worker);
            }
            worker.close(kernel);
        }
        let processes = self.allowance.processes();
        let limit = processes.limit();
        let place = processes.take();
        let place = place.ok_or(LimitExceeded::Processes { limit })?;
        let started = self.launch.process()?;
        let mut worker = ProcessWorker::new(kernel, owner, started, place)?;
        worker.hand_over(call);
        Ok(worker)
    }

    /// Takes back a worker that has done its job.
    pub(super) fn take_back_process(&mut self, worker: ProcessWorker) {
        self.idle_processes.push(worker);
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew")
            .field("idle", &self.idle)
            .field("idle_processes", &self.idle_processes)
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
