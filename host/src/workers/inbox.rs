//! How a thread worker is told what to do: one job at a time, and when to stop.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::{Call, Outcome, Report};
use crate::kernel::{Door, InstanceKey, Message};

/// The inbox of a worker on another thread.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What is to be done next.
    call: Option<(Call, Report)>,
    /// Who is to be told of what is being done.
    under_way: Option<Report>,
    request: Option<Request>,
    /// What wakes the worker, once it is there.
    bell: Option<(Arc<Door>, InstanceKey)>,
}

/// What a worker is asked besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To end what the job waits for.
    Interrupt,
    /// To end, in the middle of the job.
    Stop,
}

/// For the one who hands jobs out.
impl Inbox {
    /// Hands over a job. The one before has ended.
    pub(crate) fn hand_over(&self, call: Call, report: Report) {
        let mut state = self.state();
        state.call = Some((call, report));
        ring(state);
    }

    /// Asks for something. What the job is asked is forgotten when it has ended.
    pub(super) fn ask(&self, request: Request) {
        let mut state = self.state();
        let has_job = state.call.is_some() || state.under_way.is_some();
        let is_late = request == Request::Interrupt && !has_job;
        if !is_late && state.request != Some(Request::Stop) {
            state.request = Some(request);
            ring(state);
        }
    }
}

/// For the worker.
impl Inbox {
    /// Says which instance is to go on when something comes.
    pub(crate) fn attach(&self, door: Arc<Door>, instance: InstanceKey) {
        let mut state = self.state();
        state.bell = Some((door, instance));
        ring(state);
    }

    /// Takes the next job, if it is there.
    fn take(&self) -> Option<Call> {
        let mut state = self.state();
        let (call, report) = state.call.take()?;
        state.under_way = Some(report);
        Some(call)
    }

    /// The next job. Whoever waits is polled again when it comes: see [`Inbox::attach`].
    pub(crate) async fn next(&self) -> Call {
        poll_fn(|_| self.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Tells how the job ended, if one was under way.
    pub(crate) fn finish(&self, outcome: Outcome) {
        let mut state = self.state();
        // What was asked was about this job.
        state
            .request
            .take_if(|request| *request == Request::Interrupt);
        let waiting = state.call.take().map(|(_, report)| report);
        let report = state.under_way.take().or(waiting);
        drop(state);
        if let Some(report) = report {
            report.tell(outcome);
        }
    }

    /// What was asked since the last time. A request to stop stays.
    pub(crate) fn request(&self) -> Option<Request> {
        let mut state = self.state();
        let request = state.request;
        state
            .request
            .take_if(|request| *request == Request::Interrupt);
        request
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the worker, who is not to find the inbox locked.
fn ring(state: MutexGuard<'_, State>) {
    let bell = state.bell.clone();
    drop(state);
    if let Some((door, instance)) = bell {
        door.send(Message::Poll(instance));
    }
}
