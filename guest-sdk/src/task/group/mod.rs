//! Task groups: tasks that belong together, none of which outlives its group.
//!
//! - [`TaskGroup`]: a handle
//! - `wait`: what a group waits for
//! - `block`: a group around a block of code
//! - `done`: its members one by one, as a stream
//! - `state`: what is behind the handles
//! - `members`: who is in a group

mod block;
mod done;
mod members;
mod state;
mod wait;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use futures_core::Stream;

pub use self::block::task_group;
pub use self::done::DoneTasks;
use self::state::{Phase, State};
pub use self::wait::Wait;
use super::shared::{Outcome, Reported};
use super::{Task, TaskOptions, current_task};
use crate::error::{Error, Result};
use crate::runtime;

/// Tasks that belong together, and all return a `T`: see [`task_group`] for how it is mostly used.
///
/// A group is joined once all are spawned: then it waits for its members as [`Wait`] says, and
/// cancels the rest. No member runs when that returns. A member that fails ends the wait, the rest is
/// cancelled, and the error is returned.
///
/// A value can be given only once. So a member whose result somebody got, by [`Task::join`], [`Task::result`],
/// [`TaskGroup::next_done`] or the like, leaves the group: it is in no list of the group's any more, and its
/// failure does not end the wait. The group doesn't warn of members that nobody joined; but an error that was told
/// to nobody is logged, like any task's.
///
/// Daemons among the members are cancelled with the rest. They give the group no results, nor errors. A group
/// that lasts, a server's say, should be of daemons, or be asked for those that are done: it keeps
/// every result that nobody got.
///
/// This is a handle, cheap to clone, so that members too may spawn into their group. When the last one is dropped
/// before the group was joined, the cancellation of all members is requested, and nobody waits for them.
///
/// ```no_run
/// use curio::{TaskGroup, Wait};
///
/// # async fn fetch(from: &str) -> curio::Result<String> { Ok(from.to_owned()) }
/// # async fn example() -> curio::Result<()> {
/// let group = TaskGroup::new(Wait::Any);
/// for mirror in ["red", "green", "blue"] {
///     group.spawn(fetch(mirror));
/// }
/// group.join().await?;
/// println!("{}", group.result()?);
/// # Ok(())
/// # }
/// ```
pub struct TaskGroup<T> {
    state: Rc<State<T>>,
}

impl<T: 'static> TaskGroup<T> {
    /// A group without members.
    pub fn new(wait: Wait<T>) -> Self {
        let state = Rc::new(State::new(wait));
        Self { state }
    }

    /// Spawns a task as a member: see [`spawn`](crate::spawn). Never blocks.
    ///
    /// If the group was joined, or is being cancelled, the task returned has ended already, with
    /// [`Error::InvalidState`]. One that the program may not have, for a limit, is a failed member.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<T>
    where
        F: Future<Output = Result<T>> + 'static,
    {
        self.spawn_with(TaskOptions::new(), future)
    }

    /// As [`TaskGroup::spawn`], with options: a name, say, or as a daemon.
    #[track_caller]
    pub fn spawn_with<F>(&self, options: TaskOptions, future: F) -> Task<T>
    where
        F: Future<Output = Result<T>> + 'static,
    {
        let refused = self.is_open().err();
        let is_open = refused.is_none();
        let task = options.spawn_unless(refused, future);
        if is_open {
            self.state.insert(&task);
        }
        task
    }

    /// Makes a task a member that was spawned elsewhere. It may have ended already; if its result was asked for,
    /// too, it leaves at once.
    ///
    /// # Errors
    /// [`Error::InvalidState`], if it is in a group, or this one was joined.
    pub fn add_task(&self, task: &Task<T>) -> Result<()> {
        self.is_open()?;
        if task.header().group().is_some() {
            let text = format!("task {} is in a group already", task.name());
            return Err(Error::InvalidState(text));
        }
        let told = match &*task.shared.result.borrow() {
            Outcome::Taken | Outcome::Failed(_, Reported::Yes) => true,
            Outcome::Failed(_, Reported::No) | Outcome::Value(_) | Outcome::Running => false,
        };
        if !told {
            self.state.insert(task);
        }
        Ok(())
    }

    fn is_open(&self) -> Result<()> {
        if self.state.phase.get() == Phase::Open {
            return Ok(());
        }
        Err(Error::InvalidState("the task group was joined".to_owned()))
    }

    /// Waits for the next member to end, and returns it; it leaves the group. Members come in the
    /// order in which they ended. If none is left, that is `None`.
    ///
    /// ```no_run
    /// # async fn example(group: curio::TaskGroup<u32>) -> curio::Result<()> {
    /// while let Some(task) = group.next_done().await? {
    ///     println!("{} returned {}", task.name(), task.result()?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancellation
    /// No member leaves the group.
    #[doc(alias = "__anext__")]
    pub async fn next_done(&self) -> Result<Option<Task<T>>> {
        let mut done = self.done();
        poll_fn(|cx| Pin::new(&mut done).poll_next(cx))
            .await
            .transpose()
    }

    /// The members one by one, as [`TaskGroup::next_done`] gives them, as a `Stream`: for the functions of crates
    /// that take one.
    ///
    /// ```no_run
    /// use futures::TryStreamExt;
    ///
    /// # async fn example(group: curio::TaskGroup<u32>) -> curio::Result<()> {
    /// let sum = group.done().try_fold(0, async |sum, task| Ok(sum + task.result()?)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "__aiter__")]
    pub fn done(&self) -> DoneTasks<'_, T> {
        DoneTasks::new(self)
    }

    /// Waits for the next member to end, and returns its result; it leaves the group.
    ///
    /// # Errors
    /// The error that the member failed with: see [`Task::result`]. [`Error::InvalidState`], if no member is left.
    ///
    /// # Cancellation
    /// No member leaves the group.
    pub async fn next_result(&self) -> Result<T> {
        match self.next_done().await? {
            Some(task) => task.result(),
            None => Err(Error::InvalidState("no task available".to_owned())),
        }
    }

    /// Cancels the members that have not ended, without daemons and without the caller, and waits until they have.
    /// They leave the group, which goes on.
    ///
    /// # Cancellation
    /// They stay cancelled; only the waiting ends. Whoever joins the group waits for them, too.
    pub async fn cancel_remaining(&self) -> Result<()> {
        let spared = runtime::with(runtime::Runtime::current);
        let remaining = self.state.members.borrow_mut().set_aside(spared);
        self.state.note_change();
        for task in &remaining {
            task.request_cancel();
        }
        for task in &remaining {
            task.wait().await?;
        }
        Ok(())
    }

    /// Waits for the members as [`Wait`] says, then cancels all that have not ended, and waits for them.
    ///
    /// A group may be joined several times: each time that returns the same.
    ///
    /// # Errors
    /// [`Error::Task`], for the member whose failure ended the wait. A member that somebody else has
    /// cancelled has failed, too. Whatever fails later can be seen by [`TaskGroup::exceptions`], and is
    /// logged otherwise. [`Error::InvalidState`] for a member, which would wait for itself.
    ///
    /// # Cancellation
    /// All members are cancelled. That is returned when they have ended, however long it takes.
    pub async fn join(&self) -> Result<()> {
        if self.state.is_member(&current_task()) {
            let text = "a task can't join the group that it is in";
            return Err(Error::InvalidState(text.to_owned()));
        }
        let told = self.state.wait_by_policy().await.err();
        if let Some(error) = self.state.end_all(told).await {
            return Err(error);
        }
        let failure = self.state.members.borrow().failure().cloned();
        match failure.map(|task| (task.shared.report(), task)) {
            Some((Some(cause), task)) => Err(task.task_error(cause)),
            _ => Ok(()),
        }
    }

    /// Whether it was joined, so that no member runs.
    pub fn is_joined(&self) -> bool {
        self.state.phase.get() == Phase::Joined
    }

    /// The members that are left, in the order in which they were spawned.
    pub fn tasks(&self) -> Vec<Task<T>> {
        self.state.members.borrow().tasks()
    }

    /// The member that the group waited for: the first that returned a value, under [`Wait::Object`] the first that
    /// returned what was looked for. It is known as soon as it has ended, even if it has left the group since.
    /// Under [`Wait::None`] there is none.
    ///
    /// If a failed member ended the wait, it is that one.
    pub fn completed(&self) -> Option<Task<T>> {
        self.state.members.borrow().completed().cloned()
    }

    /// The result of [`TaskGroup::completed`].
    ///
    /// # Errors
    /// As [`Task::result`]. [`Error::InvalidState`], if the group was not joined, or there is none.
    pub fn result(&self) -> Result<T> {
        self.was_joined()?;
        match self.completed() {
            Some(task) => task.result(),
            None => Err(Error::InvalidState("no task has completed".to_owned())),
        }
    }

    /// The error of [`TaskGroup::completed`], if there is one that failed.
    ///
    /// # Errors
    /// [`Error::InvalidState`], if the group was not joined.
    pub fn exception(&self) -> Result<Option<Arc<Error>>> {
        self.was_joined()?;
        self.completed().map_or(Ok(None), |task| task.exception())
    }

    /// The values of the members that are left, in the order in which they ended; these leave the group.
    ///
    /// # Errors
    /// The error of the first that failed, as [`Task::result`] gives it; all stay in the group then. A member
    /// that was cancelled since the group had waited for long enough has failed, too.
    /// [`Error::InvalidState`], if the group was not joined.
    pub fn results(&self) -> Result<Vec<T>> {
        self.was_joined()?;
        let ended = self.state.members.borrow().ended();
        if let Some(error) = ended.iter().find_map(|task| task.shared.report()) {
            return Err(Error::Shared(error));
        }
        ended.iter().map(Task::result).collect()
    }

    /// The errors of the members that are left, in the order in which they ended; none for one that returned a value.
    ///
    /// # Errors
    /// [`Error::InvalidState`], if the group was not joined.
    pub fn exceptions(&self) -> Result<Vec<Option<Arc<Error>>>> {
        self.was_joined()?;
        let ended = self.state.members.borrow().ended();
        Ok(ended.iter().map(|task| task.shared.report()).collect())
    }

    fn was_joined(&self) -> Result<()> {
        if self.is_joined() {
            return Ok(());
        }
        let text = "the task group was not joined";
        Err(Error::InvalidState(text.to_owned()))
    }
}

impl<T> Clone for TaskGroup<T> {
    fn clone(&self) -> Self {
        let state = self.state.clone();
        Self { state }
    }
}

impl<T> fmt::Debug for TaskGroup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("wait", &self.state.wait)
            .field("phase", &self.state.phase.get())
            .finish_non_exhaustive()
    }
}
