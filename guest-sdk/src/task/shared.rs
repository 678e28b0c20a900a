//! What outlives a task's future: its result, and what is known of it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::TaskId;
use crate::bindings::log;
use crate::error::{Error, Result};
use crate::runtime::State;
use crate::traps::SchedFifo;

/// What is known of a task, beside its result.
pub(crate) struct Header {
    pub(super) id: TaskId,
    pub(super) name: Cow<'static, str>,
    pub(super) spawned_at: &'static Location<'static>,
    /// The kernel's number of the task that spawned it, or 0.
    pub(super) parent: u64,
    pub(super) daemon: Cell<bool>,
    pub(super) terminated: Cell<bool>,
    pub(super) cancelled: Cell<bool>,
    pub(super) cycles: Cell<u64>,
    /// Those that wait for its end.
    pub(super) joining: SchedFifo,
}

impl Header {
    /// The kernel's number of the task that spawned it, or 0.
    pub(crate) fn parent(&self) -> u64 {
        self.parent
    }

    /// Those that wait for its end.
    pub(crate) fn joining(&self) -> &SchedFifo {
        &self.joining
    }

    pub(crate) fn serial(&self) -> u64 {
        self.id.serial
    }

    /// Notes that the task's cancellation was requested.
    pub(crate) fn note_cancelled(&self) {
        self.cancelled.set(true);
    }
}

/// A task's result, and the rest.
pub(super) struct Shared<T> {
    pub(super) header: Header,
    pub(super) result: RefCell<Outcome<T>>,
}

/// How a task has ended.
pub(super) enum Outcome<T> {
    Running,
    Value(T),
    Failed(Arc<Error>, Reported),
    Taken,
}

/// Whether somebody was told of an error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    Yes,
    No,
}

impl<T> State for Shared<T> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn end(&self, cycles: u64) {
        self.header.cycles.set(cycles);
        self.header.terminated.set(true);
        let mut result = self.result.borrow_mut();
        if matches!(*result, Outcome::Running) {
            *result = Outcome::Failed(Arc::new(Error::TaskCancelled), Reported::No);
        }
        drop(result);
        self.header.joining.wake(usize::MAX);
    }
}

impl<T> Shared<T> {
    pub(super) fn set(&self, result: Result<T>) {
        *self.result.borrow_mut() = match result {
            Ok(value) => Outcome::Value(value),
            Err(error) => Outcome::Failed(Arc::new(error), Reported::No),
        };
    }
}

pin_project! {
    /// What a task runs: a future whose result is kept. An `async` block would hold the future twice.
    pub(super) struct Body<T, F> {
        #[pin]
        pub(super) future: F,
        pub(super) shared: Rc<Shared<T>>,
    }
}

impl<T, F: Future<Output = Result<T>>> Future for Body<T, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.future.poll(cx).map(|result| this.shared.set(result))
    }
}

impl<T> Drop for Shared<T> {
    /// An error that nobody was told of is not lost.
    fn drop(&mut self) {
        if let Outcome::Failed(error, Reported::No) = self.result.get_mut()
            && !error.is_cancellation()
        {
            let Header {
                name, spawned_at, ..
            } = &self.header;
            let message = format!("task {name}, spawned at {spawned_at}, failed: {error}");
            log::write(log::Level::Error, &message);
        }
    }
}
