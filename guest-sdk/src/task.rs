//! Tasks: spawning, joining and cancelling them.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::bindings::{log, traps as kernel, traps::Outcome as Resumed};
use crate::error::{Error, Result, TaskError};
use crate::runtime::{self, State};
use crate::traps;

/// The state of a task that is blocked in something that is no trap.
const WAKER_WAIT: &str = "waker-wait";

/// A task's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId {
    number: u64,
    serial: u64,
}

impl TaskId {
    /// The kernel's number for it.
    pub(crate) fn number(self) -> u64 {
        self.number
    }

    /// Counts the tasks of the program, from 1: a greater number is a newer task.
    pub fn serial(self) -> u64 {
        self.serial
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.serial)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serial.fmt(f)
    }
}

impl PartialOrd for TaskId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TaskId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.serial.cmp(&other.serial)
    }
}

/// What is known of a task, beside its result.
pub(crate) struct Header {
    id: TaskId,
    name: Cow<'static, str>,
    spawned_at: &'static Location<'static>,
    daemon: Cell<bool>,
    terminated: Cell<bool>,
    cancelled: Cell<bool>,
    cycles: Cell<u64>,
}

impl Header {
    pub(crate) fn serial(&self) -> u64 {
        self.id.serial
    }

    /// Notes that the task's cancellation was requested.
    pub(crate) fn note_cancelled(&self) {
        self.cancelled.set(true);
    }
}

/// A task's result, and the rest.
struct Shared<T> {
    header: Header,
    result: RefCell<Outcome<T>>,
}

enum Outcome<T> {
    Running,
    Value(T),
    Failed(Arc<Error>, Reported),
    Taken,
}

/// Whether somebody was told of an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reported {
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
    }
}

impl<T> Shared<T> {
    fn set(&self, result: Result<T>) {
        *self.result.borrow_mut() = match result {
            Ok(value) => Outcome::Value(value),
            Err(error) => Outcome::Failed(Arc::new(error), Reported::No),
        };
    }
}

pin_project! {
    /// What a task runs: a future whose result is kept. An `async` block would hold the future twice.
    struct Body<T, F> {
        #[pin]
        future: F,
        shared: Rc<Shared<T>>,
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
    /// Blocked in the trap of this name: `sleep`, `join`, `read-wait`, or what a wait queue is for;
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
    state: Rc<dyn State>,
}

impl TaskRef {
    fn header(&self) -> &Header {
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
    pub fn is_daemon(&self) -> bool {
        self.header().daemon.get()
    }

    /// Says whether somebody is expected to join it.
    pub fn set_daemon(&self, daemon: bool) {
        self.header().daemon.set(daemon);
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
        // The kernel takes all tasks of a pass to run at once, and does not know who only yielded.
        match runtime::with(|runtime| runtime.pass.upcoming(number)) {
            Some(Resumed::Start) => return TaskState::Initial,
            Some(_) => return TaskState::Ready,
            None => {}
        }
        let Some(info) = kernel::info(number) else {
            return TaskState::Terminated;
        };
        match info.state.as_str() {
            "initial" => TaskState::Initial,
            "ready" => TaskState::Ready,
            "running" => TaskState::Blocked(WAKER_WAIT.to_owned()),
            _ => TaskState::Blocked(info.state),
        }
    }

    /// How often it was resumed.
    pub fn cycles(&self) -> u64 {
        let alive = runtime::with(|runtime| runtime.tasks.cycles(self.id().number));
        alive.unwrap_or(self.header().cycles.get())
    }

    /// Whether its cancellation was requested before it ended, even if it then ended otherwise.
    #[doc(alias = "cancelled")]
    pub fn is_cancelled(&self) -> bool {
        let header = self.header();
        if !header.cancelled.get() && !header.terminated.get() {
            // The host asks main to end, without a word to this side.
            let info = kernel::info(header.id.number);
            header
                .cancelled
                .set(info.is_some_and(|info| info.cancelled));
        }
        header.cancelled.get()
    }

    /// Whether it has ended.
    #[doc(alias = "terminated")]
    pub fn is_terminated(&self) -> bool {
        self.header().terminated.get()
    }

    /// Waits until it has ended, and says nothing of how.
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
        self.wait().await?;
        Ok(cancelled)
    }

    /// Cancels it without waiting for its end: see [`TaskRef::cancel`].
    #[doc(alias = "cancel(blocking=False)")]
    pub fn request_cancel(&self) -> bool {
        traps::cancel_task(self)
    }

    pub(crate) fn note_cancelled(&self) {
        self.header().note_cancelled();
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

/// How a task is spawned.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let task = curio::TaskOptions::new()
///     .name("ticker")
///     .daemon(true)
///     .spawn(async {
///         loop {
///             curio::sleep(std::time::Duration::from_secs(1)).await?;
///         }
///         #[expect(unreachable_code, reason = "says what the loop would return")]
///         Ok(())
///     });
/// assert_eq!(task.name(), "ticker");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TaskOptions {
    name: Option<String>,
    daemon: bool,
}

impl TaskOptions {
    /// The options that [`spawn`] uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task. Otherwise it is called like the function it runs.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes it a daemon: nobody is expected to join it.
    #[must_use]
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Spawns the task: see [`spawn`].
    #[track_caller]
    pub fn spawn<T, F>(self, future: F) -> Task<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + 'static,
    {
        let spawned_at = Location::caller();
        runtime::with(|runtime| {
            let (name, label) = if let Some(name) = self.name {
                let label = runtime.labels.of_name(&name, spawned_at);
                (Cow::Owned(name), label)
            } else {
                let name = std::any::type_name::<F>();
                let label = runtime.labels.of_type(name, spawned_at);
                (Cow::Borrowed(runtime::short(name)), label)
            };
            let parent = runtime.current().unwrap_or(0);
            runtime.pass.note_asked();
            let spawn = || kernel::spawn(parent, label, self.daemon);
            let spawned = match spawn() {
                // The kernel may not know yet that others have ended.
                Err(_) if runtime.pass.tell_ended() => spawn(),
                spawned => spawned,
            };
            let header = Header {
                id: TaskId {
                    number: *spawned.as_ref().unwrap_or(&0),
                    serial: runtime.tasks.next_serial(),
                },
                name,
                spawned_at,
                daemon: Cell::new(self.daemon),
                terminated: Cell::new(spawned.is_err()),
                cancelled: Cell::new(false),
                cycles: Cell::new(0),
            };
            let shared = Rc::new(Shared {
                header,
                result: RefCell::new(Outcome::Running),
            });
            match spawned {
                Ok(id) => {
                    let future = Box::pin(Body {
                        future,
                        shared: shared.clone(),
                    });
                    runtime.tasks.insert(id, future, shared.clone());
                }
                Err(error) => shared.set(Err(error.into())),
            }
            Task {
                any: TaskRef {
                    state: shared.clone(),
                },
                shared,
            }
        })
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
