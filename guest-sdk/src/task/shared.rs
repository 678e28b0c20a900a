//! What outlives a task's future: its result, and what is known of it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
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
    /// Whether somebody asked for its result, or waited for its end by cancelling it.
    pub(super) joined: Cell<bool>,
    pub(super) membership: RefCell<Membership>,
    /// Those that wait for its end.
    pub(super) joining: SchedFifo,
}

/// Whether a task is in a group.
#[derive(Default)]
pub(super) enum Membership {
    /// It never was.
    #[default]
    Never,
    /// It is, unless the group is gone.
    In(Weak<dyn Group>),
    /// It was, and has left.
    Left,
}

/// A group of tasks, as its members see it.
pub(super) trait Group {
    /// The member with this serial number has ended.
    fn ended(&self, serial: u64);

    /// The result of the member with this serial number was asked for, so that it is no concern of the
    /// group any more.
    fn left(&self, serial: u64);
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

    /// The group that it is in.
    pub(super) fn group(&self) -> Option<Rc<dyn Group>> {
        match &*self.membership.borrow() {
            Membership::In(group) => group.upgrade(),
            Membership::Never | Membership::Left => None,
        }
    }

    /// Notes that its result was asked for. It leaves its group.
    fn note_joined(&self) {
        self.joined.set(true);
        if let Some(group) = self.group() {
            self.membership.replace(Membership::Left);
            group.left(self.serial());
        }
    }

    /// Whether somebody was expected to join it, if it has returned a value. Nobody can join main.
    fn is_orphan(&self) -> bool {
        let looked_after = self.joined.get() || self.cancelled.get() || self.daemon.get();
        let alone = matches!(*self.membership.borrow(), Membership::Never);
        alone && !looked_after && self.parent != 0
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
        // Those that join it are told before its group, which it leaves then.
        self.header.joining.wake(usize::MAX);
        if let Some(group) = self.header.group() {
            group.ended(self.header.serial());
        }
    }
}

impl<T> Shared<T> {
    pub(super) fn set(&self, result: Result<T>) {
        *self.result.borrow_mut() = match result {
            Ok(value) => Outcome::Value(value),
            Err(error) => Outcome::Failed(Arc::new(error), Reported::No),
        };
    }

    /// Gives the value, or the error that the task failed with, to one who joins it.
    ///
    /// # Errors
    /// If the value was given before.
    pub(super) fn take(&self) -> Result<Result<T, Arc<Error>>> {
        let error = self.report();
        let taken = match error {
            Some(error) => Ok(Err(error)),
            None => match self.result.replace(Outcome::Taken) {
                Outcome::Value(value) => Ok(Ok(value)),
                _ => Err(Error::InvalidState(format!(
                    "the value of task {} was given before",
                    self.header.name
                ))),
            },
        };
        self.header.note_joined();
        taken
    }

    /// Tells the error that the task failed with, if it did.
    pub(super) fn report(&self) -> Option<Arc<Error>> {
        match &mut *self.result.borrow_mut() {
            Outcome::Failed(error, reported) => {
                *reported = Reported::Yes;
                Some(error.clone())
            }
            _ => None,
        }
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
    /// An error that nobody was told of is not lost, nor is it that nobody cared for a task.
    fn drop(&mut self) {
        let Header {
            name, spawned_at, ..
        } = &self.header;
        let (level, message) = match self.result.get_mut() {
            Outcome::Failed(error, Reported::No) if !error.is_cancellation() => {
                (log::Level::Error, format!("failed: {error}"))
            }
            Outcome::Value(_) if self.header.is_orphan() => {
                (log::Level::Warn, "was never joined".to_owned())
            }
            _ => return,
        };
        let message = format!("task {name}, spawned at {spawned_at}, {message}");
        log::write(level, &message);
    }
}
