//! A task, whatever it returns, and where it is in its life.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::TaskId;
use super::shared::Header;
use crate::bindings::traps as kernel;
use crate::error::{Error, Result};
use crate::runtime::{self, State, WaitsFor};
use crate::traps;

/// The state of a task that is blocked in something that is no trap.
const WAKER_WAIT: &str = "waker-wait";

/// Where a task is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskState {
    /// Spawned, and not yet run.
    Initial,
    /// About to go on.
    Ready,
    /// The one that asks.
    Running,
    /// Blocked in the trap of this name: `sleep`, `read-wait`, …, or in a line, for this reason: `join`, `lock-acquire`, …;
    /// `waker-wait` if it waits for something that is no trap.
    Blocked(String),
    /// Ended.
    Terminated,
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initial => "initial",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Blocked(trap) => trap,
            Self::Terminated => "terminated",
        })
    }
}

/// A task, whatever it returns. Cheap to clone; dropping it leaves the task running.
#[derive(Clone)]
pub struct TaskRef {
    pub(super) state: Rc<dyn State>,
}

impl TaskRef {
    /// The task with a number, if it has not ended.
    pub(crate) fn of(task: u64) -> Option<Self> {
        let state = runtime::with(|runtime| runtime.tasks.state(task))?;
        Some(Self { state })
    }

    pub(crate) fn header(&self) -> &Header {
        self.state.header()
    }

    /// Its number.
    pub fn id(&self) -> TaskId {
        self.header().id
    }

    /// Its name: the one it was given, or that of the function it runs.
    pub fn name(&self) -> &str {
        &self.header().name
    }

    /// Where in the source it was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.header().spawned_at
    }

    /// Whether nobody is expected to join it.
    #[doc(alias = "daemon")]
    pub fn is_daemon(&self) -> bool {
        self.header().daemon.get()
    }

    /// Says whether nobody is expected to join it.
    #[doc(alias = "daemon")]
    pub fn set_daemon(&self, daemon: bool) {
        self.header().daemon.set(daemon);
    }

    /// The task that spawned it; none if that has ended.
    #[doc(alias = "parentid")]
    pub fn parent(&self) -> Option<Self> {
        let parent = self.header().parent();
        let state = runtime::with(|runtime| runtime.tasks.state(parent))?;
        Some(Self { state })
    }

    /// The tasks it spawned that have not ended, without daemons, the oldest first. Looks through all tasks.
    pub fn children(&self) -> Vec<Self> {
        let children = runtime::with(|runtime| runtime.tasks.children(self.id().number));
        let children = children.into_iter().map(|state| Self { state });
        children.filter(|child| !child.is_daemon()).collect()
    }

    /// Cancels the tasks that [`TaskRef::children`] gives, and waits until all have ended.
    ///
    /// # Cancellation
    /// The children stay cancelled; only the waiting ends.
    pub async fn cancel_children(&self) -> Result<()> {
        let children = self.children();
        for child in &children {
            child.request_cancel();
        }
        for child in &children {
            child.wait().await?;
        }
        Ok(())
    }

    /// Where it is in its life.
    pub fn state(&self) -> TaskState {
        if self.is_terminated() {
            return TaskState::Terminated;
        }
        let number = self.id().number;
        if runtime::with(|runtime| runtime.current() == Some(number)) {
            return TaskState::Running;
        }
        runtime::with(|runtime| {
            if runtime.tasks.is_queued(number) {
                return match runtime.tasks.cycles(number) {
                    Some(0) => TaskState::Initial,
                    _ => TaskState::Ready,
                };
            }
            TaskState::Blocked(match runtime.waiting.waits_for(number) {
                Some(WaitsFor::Line(reason)) => reason.to_owned(),
                Some(WaitsFor::Trap) => {
                    kernel::info(number).map_or_else(String::new, |info| info.waits_for)
                }
                None => WAKER_WAIT.to_owned(),
            })
        })
    }

    /// How often it was resumed.
    pub fn cycles(&self) -> u64 {
        let alive = runtime::with(|runtime| runtime.tasks.cycles(self.id().number));
        alive.unwrap_or(self.header().cycles.get())
    }

    /// Whether its cancellation was requested before it ended, even if it then ended otherwise.
    #[doc(alias = "cancelled")]
    pub fn is_cancelled(&self) -> bool {
        self.header().cancelled.get()
    }

    /// Whether it has ended.
    #[doc(alias = "terminated")]
    pub fn is_terminated(&self) -> bool {
        self.header().terminated.get()
    }

    /// Whether its result was asked for, or it was waited for by [`TaskRef::cancel`].
    #[doc(alias = "joined")]
    pub fn is_joined(&self) -> bool {
        self.header().joined.get()
    }

    /// Waits until it has ended, and says nothing of how. That is no joining: somebody still is expected to.
    ///
    /// # Cancellation
    /// The task goes on.
    pub async fn wait(&self) -> Result<()> {
        if self.is_terminated() {
            return Ok(());
        }
        traps::join_task(self).await
    }

    /// Cancels it, and waits until it has ended. The task gets [`Error::TaskCancelled`] from the operation it is
    /// blocked in, or from the next one that blocks, and may clean up for as long as it likes.
    ///
    /// A task is cancelled once: further requests only wait.
    /// Returns whether it was cancelled; false means that it had ended before.
    /// A task that cancels itself gets the error here.
    ///
    /// # Cancellation
    /// The task stays cancelled; only the waiting ends.
    pub async fn cancel(&self) -> Result<bool> {
        let cancelled = self.request_cancel();
        self.header().joined.set(true);
        self.wait().await?;
        Ok(cancelled)
    }

    /// Cancels it with another error than [`Error::TaskCancelled`], of whatever family, and waits until it has ended:
    /// see [`TaskRef::cancel`]. If it waits in several branches, of `join!` say, the error goes to the first one that
    /// looks.
    ///
    /// # Cancellation
    /// The task stays cancelled; only the waiting ends.
    #[doc(alias = "cancel(exc)")]
    pub async fn cancel_with(&self, error: Error) -> Result<bool> {
        let cancelled = traps::cancel_task_with(self, error);
        self.wait().await?;
        Ok(cancelled)
    }

    /// Cancels it without waiting for its end: see [`TaskRef::cancel`]. Never blocks.
    #[doc(alias = "cancel(blocking=False)")]
    pub fn request_cancel(&self) -> bool {
        traps::cancel_task(self)
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id().serial)
            .field("name", &self.name())
            .field("terminated", &self.is_terminated())
            .finish_non_exhaustive()
    }
}
