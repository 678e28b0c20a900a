//! Blocking traps for code that polls.

use std::cell::Cell;
use std::fmt;
use std::task::{Context, Poll, ready};

use crate::bindings::traps::Caller;
use crate::error::Result;
use crate::runtime::{self, Looked, Runtime, WaitKey};

/// A place for one blocking trap at a time, of code that polls: see [`RawIo`](crate::io::RawIo).
///
/// The trap is made when it is polled first, and stays made until it has ended or this is dropped, even if
/// whoever polled does not come back.
#[derive(Default)]
pub struct PollWait {
    /// The trap, if one is made, and the task that polled last.
    pending: Cell<Option<(WaitKey, u64)>>,
}

impl PollWait {
    /// No trap yet.
    pub const fn new() -> Self {
        Self {
            pending: Cell::new(None),
        }
    }

    /// Polls the trap, or makes it.
    ///
    /// # Errors
    /// If the task is interrupted, or the trap fails.
    pub(crate) fn poll(
        &self,
        cx: &mut Context<'_>,
        make: impl Fn(Caller) -> u64,
    ) -> Poll<Result<()>> {
        let result = ready!(runtime::with(|runtime| self.poll_with(runtime, cx, make)));
        Poll::Ready(result.map(drop))
    }

    fn poll_with(
        &self,
        runtime: &Runtime,
        cx: &mut Context<'_>,
        make: impl Fn(Caller) -> u64,
    ) -> Poll<Result<u64>> {
        let task = runtime.running().task;
        // Nobody may have looked for long: a timeout that ended it counts only if it still does, and making
        // the trap once more finds that out.
        if (self.pending.get()).is_some_and(|(key, _)| runtime.waiting.has_timed_out(key)) {
            self.give_up();
        }
        if let Some((key, _)) = self.pending.take() {
            match runtime.waiting.look(runtime, key, cx) {
                Looked::Pending => {
                    self.pending.set(Some((key, task)));
                    return Poll::Pending;
                }
                Looked::Ended(result) => return Poll::Ready(result),
                Looked::Withdrawn => {}
            }
        }
        match runtime.waiting.trap(runtime, make, cx) {
            Ok(key) => {
                self.pending.set(Some((key, task)));
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Withdraws the trap, if one is made.
    pub fn give_up(&self) {
        if let Some((key, _)) = self.pending.take() {
            runtime::with(|runtime| runtime.waiting.give_up(key));
        }
    }

    /// Withdraws the trap, if it was the task that runs that polled it last. It is about to wait for the same.
    pub(crate) fn give_up_own(&self) {
        if let Some((_, task)) = self.pending.get()
            && runtime::with(Runtime::current) == Some(task)
        {
            self.give_up();
        }
    }
}

impl Drop for PollWait {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl fmt::Debug for PollWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollWait")
            .field("pending", &self.pending.get().is_some())
            .finish()
    }
}
