//! The traps themselves: what all the rest of this crate is made of.
//!
//! They have the names of curio's manuals, without the underscore:
//!
//! | here | curio's manuals | |
//! |---|---|---|
//! | [`read_wait`], [`write_wait`] | `_read_wait`, `_write_wait` | until there may be something to read, or room to write |
//! | [`sleep`] | `_sleep` | for a time |
//! | [`sleep_until`] | `_sleep`, `wake_at` | until a point in time: the trap that `sleep` is made of |
//! | [`reschedule`] | `_sleep(0)` | others first |
//! | [`spawn`] | `_spawn`, `_new_task` | |
//! | [`join_task`] | `_join_task` | until a task has ended |
//! | [`cancel_task`], [`cancel_task_with`] | `_cancel_task` | without waiting for its end |
//! | [`wait_on_queue`], [`scheduler_wait`] | `_wait_on_queue`, later `_scheduler_wait` | until another task wakes this one |
//! | [`reschedule_tasks`], [`scheduler_wake`] | `_reschedule_tasks`, later `_scheduler_wake` | wakes those |
//! | [`get_current`] | `_get_current` | the task that runs |
//! | [`clock`] | `_clock` | the kernel's time |
//!
//! Some have no counterpart. `_set_timeout` and `_unset_timeout`: a timeout belongs to a future, and
//! [`timeout_at`](crate::timeout_at) is both. `_future_wait`: any future can be awaited in a task. `_get_kernel`: a
//! guest gets no hold of the kernel.
//!
//! A blocking trap is a future. While it is pending, the kernel knows what the task waits for; it ends
//! with its result, or, if the task is interrupted, with an error of the cancellation family.
//! Dropping it withdraws the trap. A task may have several pending, so that `select!` and
//! its kin work. A pending one that another task comes to wait for is withdrawn and made anew by that task.
//!
//! These are for building primitives; programs will rather use the modules above. A mutex, for
//! example:
//!
//! ```no_run
//! use std::cell::Cell;
//!
//! use curio::traps::{SchedFifo, reschedule_tasks, wait_on_queue};
//!
//! struct Mutex {
//!     locked: Cell<bool>,
//!     waiting: SchedFifo,
//! }
//!
//! impl Mutex {
//!     async fn acquire(&self) -> curio::Result<()> {
//!         if self.locked.replace(true) {
//!             // Whoever releases it hands it over locked.
//!             wait_on_queue(&self.waiting, "lock-acquire").await?;
//!         }
//!         Ok(())
//!     }
//!
//!     fn release(&self) {
//!         if reschedule_tasks(&self.waiting, 1) == 0 {
//!             self.locked.set(false);
//!         }
//!     }
//! }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use crate::barrier::SchedBarrier;
use crate::bindings::traps::{self as kernel, Caller};
use crate::error::{Error, Result};
pub use crate::poll_wait::PollWait;
use crate::runtime::{self, Looked, Runtime, WaitKey};
pub use crate::sched::{SchedFifo, Suspend};
use crate::socket::Socket;
use crate::task::TaskRef;
use crate::time::Instant;
#[doc(no_inline)]
pub use crate::{current_task as get_current, sleep, spawn};

/// A blocking trap, not yet made or pending.
struct Trap<F> {
    make: F,
    progress: Progress,
}

#[derive(Clone, Copy)]
enum Progress {
    /// It is made when it is first polled.
    New,
    /// The kernel knows it.
    Pending(WaitKey),
    /// It has ended, and was looked at.
    Over,
}

impl<F: Fn(Caller) -> u64 + Unpin> Trap<F> {
    fn new(make: F) -> Self {
        Self {
            make,
            progress: Progress::New,
        }
    }

    fn begin(&mut self, runtime: &Runtime, cx: &Context<'_>) -> Poll<Result<u64>> {
        match runtime.waiting.trap(runtime, &self.make, cx) {
            Ok(key) => {
                self.progress = Progress::Pending(key);
                Poll::Pending
            }
            Err(error) => {
                self.progress = Progress::Over;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F: Fn(Caller) -> u64 + Unpin> Future for Trap<F> {
    type Output = Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        runtime::with(|runtime| match self.progress {
            Progress::New => self.begin(runtime, cx),
            Progress::Pending(key) => match runtime.waiting.look(runtime, key, cx) {
                Looked::Pending => Poll::Pending,
                Looked::Withdrawn => self.begin(runtime, cx),
                Looked::Ended(result) => {
                    self.progress = Progress::Over;
                    Poll::Ready(result)
                }
            },
            Progress::Over => panic!("a trap was polled after it had ended"),
        })
    }
}

impl<F> Drop for Trap<F> {
    fn drop(&mut self) {
        if let Progress::Pending(key) = self.progress {
            // A result is lost with the future that wanted it.
            runtime::with(|runtime| runtime.waiting.give_up(key));
        }
    }
}

/// Blocks in a trap that a handle has of its own.
pub(crate) async fn wait_for(make: impl Fn(Caller) -> u64 + Unpin) -> Result<()> {
    Trap::new(make).await?;
    Ok(())
}

/// Blocks until there may be something to read from a socket, or to accept.
///
/// # Errors
/// [`Error::ResourceBusy`] if another task waits for the same; [`Error::Closed`] if the socket is closed, or is closed
/// meanwhile; [`Error::InvalidState`] if it is for a stream and neither listens nor connects nor is connected.
///
/// # Cancellation
/// Nothing is read.
#[doc(alias = "_read_wait")]
pub async fn read_wait(socket: &Socket) -> Result<()> {
    socket.reading().give_up_own();
    Trap::new(|by| socket.handle().read_wait(by)).await?;
    Ok(())
}

/// Blocks until there may be room to write to a socket, or a connection attempt has ended.
///
/// # Errors
/// As [`read_wait`].
///
/// # Cancellation
/// Nothing is written.
#[doc(alias = "_write_wait")]
pub async fn write_wait(socket: &Socket) -> Result<()> {
    socket.writing().give_up_own();
    Trap::new(|by| socket.handle().write_wait(by)).await?;
    Ok(())
}

/// The tasks that are blocked on a socket: the one that waits for reading, or to accept, and the one that waits for
/// writing, or to be connected. Never blocks.
///
/// curio's `_io_release` has no counterpart: a socket is a task's only as long as that waits for it.
#[doc(alias = "_io_waiting")]
pub fn io_waiting(socket: &Socket) -> (Option<TaskRef>, Option<TaskRef>) {
    let (reader, writer) = socket.handle().waiting();
    (TaskRef::of(reader), TaskRef::of(writer))
}

/// Blocks until a point in time, and returns the time of waking. If that time is not in the future,
/// the task goes to the end of the ready queue, and others run first.
///
/// # Cancellation
/// The rest of the sleep is off.
#[doc(alias = "_sleep")]
#[doc(alias = "wake_at")]
pub async fn sleep_until(time: Instant) -> Result<Instant> {
    let woken = Trap::new(|by| kernel::sleep(by, time.as_nanos())).await?;
    Ok(Instant::from_nanos(woken))
}

/// Goes to the end of the ready queue: the other ready tasks run first, and I/O is looked after.
///
/// # Cancellation
/// This is a place where a pending cancellation arrives.
#[doc(alias = "_sleep")]
pub fn reschedule() -> impl Future<Output = Result<()>> {
    Yield { turn: None }
}

/// A task's going to the end of the ready queue.
struct Yield {
    /// Its turn, once it stands there.
    turn: Option<u64>,
}

impl Future for Yield {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        runtime::with(|runtime| {
            let by = runtime.running();
            let Some(turn) = self.turn else {
                runtime.waiting.take_interruption(by)?;
                self.turn = Some(runtime.pass.push_yielded(runtime, by.task, cx));
                return Poll::Pending;
            };
            if runtime.pass.poll_turn(runtime, turn, by.task, cx) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
    }
}

/// Blocks until a task has ended.
///
/// # Cancellation
/// The task goes on.
#[doc(alias = "_join_task")]
pub async fn join_task(task: &TaskRef) -> Result<()> {
    if task.is_terminated() {
        return Ok(());
    }
    task.header().joining().suspend("join").await
}

/// Requests a task's cancellation, and does not wait for its end.
/// Returns false if it had ended before. Never blocks.
#[doc(alias = "_cancel_task")]
pub fn cancel_task(task: &TaskRef) -> bool {
    cancel_task_with(task, Error::TaskCancelled)
}

/// As [`cancel_task`], with another error than [`Error::TaskCancelled`] for the task to get. If it waits
/// in several branches, of `join!` say, that goes to the first one that looks.
#[doc(alias = "_cancel_task(exc)")]
pub fn cancel_task_with(task: &TaskRef, error: Error) -> bool {
    !task.is_terminated() && runtime::with(|runtime| runtime.cancel(task.id().number(), error))
}

/// The time on the kernel's clock. Never blocks.
#[doc(alias = "_clock")]
pub fn clock() -> Instant {
    let now = Instant::from_nanos(kernel::now());
    runtime::with(|runtime| runtime.waiting.set_now(now));
    now
}

/// Blocks in a line until another task wakes this one with [`reschedule_tasks`]. `state` is what
/// [`TaskState`](crate::TaskState) shows of it meanwhile.
///
/// # Cancellation
/// As [`SchedFifo::suspend`].
#[doc(alias = "_wait_on_queue")]
#[doc(alias = "_scheduler_wait")]
pub async fn wait_on_queue(line: &SchedFifo, state: &'static str) -> Result<()> {
    line.suspend(state).await
}

/// Wakes the first `count` tasks of a line, or all if there are fewer, and returns how many.
/// They run in the next pass; the caller goes on. Never blocks.
#[doc(alias = "_reschedule_tasks")]
#[doc(alias = "_scheduler_wake")]
pub fn reschedule_tasks(line: &SchedFifo, count: usize) -> usize {
    line.wake(count)
}

// The later names of these two.
#[doc(no_inline)]
pub use self::{reschedule_tasks as scheduler_wake, wait_on_queue as scheduler_wait};

/// How many waits, timeout blocks, shields and lines the program has open: what its memory holds of them at this
/// moment. For monitors and tests: who has ended leaves nothing behind. A line counts from the first task that
/// has waited in it until it is dropped.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let before = curio::traps::open_waits();
/// curio::timeout_after(std::time::Duration::from_secs(1), curio::yield_now()).await?;
/// assert_eq!(curio::traps::open_waits(), before);
/// # Ok(())
/// # }
/// ```
pub fn open_waits() -> usize {
    runtime::with(|runtime| runtime.waiting.len())
}

/// How many passes the program has made through the tasks that were ready. For monitors and tests: what
/// happens in one pass happens together. The tasks that are dropped when one is over, since they are cancelled and
/// can't be told, have a pass of their own.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let before = curio::traps::passes();
/// curio::yield_now().await?;
/// assert_eq!(curio::traps::passes(), before + 1);
/// # Ok(())
/// # }
/// ```
pub fn passes() -> u64 {
    runtime::with(|runtime| runtime.pass.count())
}
