//! Tasks: spawning, joining and cancelling them.
//!
//! - [`Task`]: a task and what it returns
//! - `reference`: a task, whatever it returns
//! - `options`: how a task is spawned
//! - `shared`: what outlives a task's future
//! - `id`: a task's number

mod id;
mod options;
mod reference;
mod shared;

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

pub use self::id::TaskId;
pub use self::options::TaskOptions;
pub use self::reference::{TaskRef, TaskState};
pub(crate) use self::shared::Header;
use self::shared::{Outcome, Reported, Shared};
use crate::error::{Error, Result, TaskError};
use crate::runtime;

/// A task that returns a `T`. Dropping it leaves the task running.
///
/// All that can be asked of a task whatever it returns is on [`TaskRef`].
pub struct Task<T> {
    any: TaskRef,
    shared: Rc<Shared<T>>,
}

impl<T> Task<T> {
    /// Waits until the task has ended, and returns its result.
    ///
    /// # Errors
    /// [`Error::Task`], whose source is the error that the task failed with; for a cancelled task that is
    /// [`Error::TaskCancelled`]. [`Error::InvalidState`], if its value was returned before.
    ///
    /// # Cancellation
    /// The task goes on, and can be joined again.
    pub async fn join(&self) -> Result<T> {
        self.wait().await?;
        let mut result = self.shared.result.borrow_mut();
        if let Outcome::Failed(error, reported) = &mut *result {
            *reported = Reported::Yes;
            return Err(TaskError::new(self.name().to_owned(), error.clone()).into());
        }
        match std::mem::replace(&mut *result, Outcome::Taken) {
            Outcome::Value(value) => Ok(value),
            _ => Err(Error::InvalidState(format!(
                "task {} was joined before",
                self.name()
            ))),
        }
    }

    /// The task, whatever it returns.
    pub fn any(&self) -> &TaskRef {
        &self.any
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
pub fn current_task() -> TaskRef {
    runtime::with(|runtime| {
        let state = runtime.tasks.state(runtime.running().task);
        TaskRef {
            state: state.expect("the task that runs has not ended"),
        }
    })
}
