//! Tasks: spawning, joining and cancelling them.
//!
//! - [`Task`]: a task and what it returns
//! - `group`: tasks that belong together
//! - `reference`: a task, whatever it returns
//! - `options`: how a task is spawned
//! - `shared`: what outlives a task's future
//! - `id`: a task's number

mod group;
mod id;
mod options;
mod reference;
mod shared;

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

pub use self::group::{DoneTasks, TaskGroup, Wait, task_group};
pub use self::id::TaskId;
pub use self::options::TaskOptions;
pub use self::reference::{TaskRef, TaskState};
pub(crate) use self::shared::Header;
use self::shared::Shared;
use crate::error::{Error, Result, TaskError};
use crate::runtime;

/// A task that returns a `T`. Cheap to clone; dropping it leaves the task running.
///
/// Somebody is expected to join a task, or to ask for its result, or to cancel it. If it returned a value and all
/// its handles are dropped before, that is logged as a warning. Nobody is expected to join a daemon: see
/// [`TaskOptions::daemon`].
///
/// All that can be asked of a task whatever it returns is on [`TaskRef`].
pub struct Task<T> {
    any: TaskRef,
    shared: Rc<Shared<T>>,
}

impl<T> Task<T> {
    /// Waits until the task has ended, and returns its result. If it is in a group, it leaves it then.
    ///
    /// # Errors
    /// [`Error::Task`], whose source is the error that the task failed with; for a cancelled task that is
    /// [`Error::TaskCancelled`]. [`Error::InvalidState`], if its value was given before.
    ///
    /// # Cancellation
    /// The task goes on, and can be joined again.
    pub async fn join(&self) -> Result<T> {
        self.wait().await?;
        self.shared.take()?.map_err(|error| self.task_error(error))
    }

    /// The result of a task that has ended, as [`Task::join`] gives it, but with the task's own error. Never
    /// blocks.
    ///
    /// ```no_run
    /// # async fn example() -> curio::Result<()> {
    /// let task = curio::spawn(async { Ok(42) });
    /// task.wait().await?;
    /// assert_eq!(task.result()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Shared`], the error that the task failed with: take care not to take a cancellation of
    /// that task for one of the caller. [`Error::InvalidState`], if it has not ended, or its value was given
    /// before.
    pub fn result(&self) -> Result<T> {
        self.has_ended()?;
        self.shared.take()?.map_err(Error::Shared)
    }

    /// The error that a task has failed with; none, if it returned a value. Takes nothing away, and never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`], if it has not ended.
    #[doc(alias = "exc_info")]
    pub fn exception(&self) -> Result<Option<Arc<Error>>> {
        self.has_ended()?;
        Ok(self.shared.report())
    }

    fn has_ended(&self) -> Result<()> {
        if self.is_terminated() {
            return Ok(());
        }
        let text = format!("task {} has not ended", self.name());
        Err(Error::InvalidState(text))
    }

    /// The error that one who joins a failed task gets.
    fn task_error(&self, cause: Arc<Error>) -> Error {
        TaskError::new(self.name().to_owned(), cause).into()
    }

    /// The task, whatever it returns.
    pub fn any(&self) -> &TaskRef {
        &self.any
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self {
            any: self.any.clone(),
            shared: self.shared.clone(),
        }
    }
}

impl<T> Deref for Task<T> {
    type Target = TaskRef;

    fn deref(&self) -> &TaskRef {
        &self.any
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.any.fmt(f)
    }
}

/// Spawns a task, which runs concurrently from the next pass on. Does not yield: the caller goes on.
///
/// Somebody is expected to join it; see [`TaskOptions::daemon`] if not, and [`TaskGroup`] for several.
///
/// If the program may not have another task, the one returned has ended already, with
/// [`Error::Limit`].
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let task = curio::spawn(async {
///     curio::sleep(std::time::Duration::from_secs(1)).await?;
///     Ok(42)
/// });
/// assert_eq!(task.join().await?, 42);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "new_task")]
#[doc(alias = "_new_task")]
#[doc(alias = "_spawn")]
#[track_caller]
pub fn spawn<T, F>(future: F) -> Task<T>
where
    T: 'static,
    F: Future<Output = Result<T>> + 'static,
{
    TaskOptions::new().spawn(future)
}

/// The task that runs.
///
/// # Panics
/// If no task runs.
#[doc(alias = "_get_current")]
pub fn current_task() -> TaskRef {
    runtime::with(|runtime| {
        let state = runtime.tasks.state(runtime.running().task);
        TaskRef {
            state: state.expect("the task that runs has not ended"),
        }
    })
}
