//! The traps themselves: what all the rest of this crate is made of.
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
//! use curio::traps::{KernelQueue, reschedule_tasks, wait_on_queue};
//!
//! struct Mutex {
//!     locked: Cell<bool>,
//!     waiting: KernelQueue,
//! }
//!
//! impl Mutex {
//!     async fn acquire(&self) -> curio::Result<()> {
//!         if self.locked.replace(true) {
//!             // Whoever releases it hands it over locked.
//!             wait_on_queue(&self.waiting).await?;
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

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use crate::barrier::SchedBarrier;
use crate::bindings::traps::{self as kernel, Caller, Outcome};
use crate::error::{Error, Result, TimedOut};
use crate::runtime::{self, Running, Runtime};
pub use crate::sched::{SchedFifo, Suspend};
use crate::socket::Socket;
use crate::task::TaskRef;
use crate::time::Instant;

/// A blocking trap, not yet made or pending.
struct Trap<F> {
    begin: F,
    progress: Progress,
}

#[derive(Clone, Copy)]
enum Progress {
    /// It is made when it is first polled.
    New,
    /// The kernel knows it.
    Pending(Pending),
    /// It has ended, and was looked at.
    Over,
}

/// A pending trap.
#[derive(Clone, Copy)]
struct Pending {
    /// The slot in which its end will be told.
    cookie: u32,
    /// What the kernel calls it.
    token: u64,
    /// Who made it.
    by: Running,
}

impl<F: Fn(Caller) -> u64 + Unpin> Trap<F> {
    fn new(begin: F) -> Self {
        Self {
            begin,
            progress: Progress::New,
        }
    }

    fn begin(&self, runtime: &Runtime, cx: &Context<'_>) -> Progress {
        let by = runtime.running();
        // What is interrupted in one branch of a task is in the others.
        runtime.suspended.tell(runtime, by.task);
        let cookie = runtime.slots.take(by.task, cx);
        runtime.slots.enter(by.task);
        let token = (self.begin)(by.caller(cookie));
        runtime.pass.note_asked();
        Progress::Pending(Pending { cookie, token, by })
    }
}

impl Pending {
    /// Withdraws the trap if another task than the one that made it has come to wait for it, which is to
    /// make it anew. Returns false if it is to stay as it is.
    fn leave_task(self, runtime: &Runtime) -> bool {
        let task = self.by.task;
        if runtime.current().is_none_or(|current| current == task) {
            return false;
        }
        // If it has ended, that comes to the task that made it, and from there to this one.
        let gone = if runtime.tasks.contains(task) {
            kernel::withdraw(self.token)
        } else {
            !runtime.pass.comes(self.cookie)
        };
        if gone {
            runtime.slots.leave(task);
            runtime.slots.give_back(self.cookie);
        }
        gone
    }
}

impl<F: Fn(Caller) -> u64 + Unpin> Future for Trap<F> {
    type Output = Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        runtime::with(|runtime| match self.progress {
            Progress::New => {
                self.progress = self.begin(runtime, cx);
                Poll::Pending
            }
            Progress::Pending(pending) => {
                let ended = runtime.slots.poll(pending.cookie, pending.by.task, cx);
                if let Some((outcome, value)) = ended {
                    self.progress = Progress::Over;
                    runtime.slots.leave(pending.by.task);
                    return Poll::Ready(result(outcome, value));
                }
                if pending.leave_task(runtime) {
                    self.progress = self.begin(runtime, cx);
                }
                Poll::Pending
            }
            Progress::Over => panic!("a trap was polled after it had ended"),
        })
    }
}

impl<F> Drop for Trap<F> {
    fn drop(&mut self) {
        if let Progress::Pending(Pending { cookie, token, by }) = self.progress {
            runtime::with(|runtime| {
                runtime.slots.leave(by.task);
                runtime.slots.abandon(cookie, token, by.task, by.scope);
            });
        }
    }
}

pub(crate) fn result(outcome: Outcome, value: u64) -> Result<u64> {
    match outcome {
        Outcome::Start | Outcome::Woken | Outcome::Done => Ok(value),
        Outcome::Cancelled => Err(Error::TaskCancelled),
        Outcome::TimedOut | Outcome::ScopeExpired => Err(Error::TaskTimeout(TimedOut {
            at: Instant::from_nanos(value),
        })),
        Outcome::Busy => Err(Error::ResourceBusy),
        Outcome::Closed => Err(Error::Closed),
    }
}

/// Blocks until there may be something to read from a socket, or to accept.
///
/// # Errors
/// [`Error::ResourceBusy`] if another task waits for the same; [`Error::Closed`] if the socket is closed meanwhile.
///
/// # Cancellation
/// Nothing is read.
#[doc(alias = "_read_wait")]
pub async fn read_wait(socket: &Socket) -> Result<()> {
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
    Trap::new(|by| socket.handle().write_wait(by)).await?;
    Ok(())
}

/// Blocks until a point in time, and returns the time of waking. If that time is not in the future,
/// the task goes to the end of the ready queue, and others run first.
///
/// # Cancellation
/// The rest of the sleep is off.
#[doc(alias = "_sleep")]
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
    Yield::New(|by| kernel::sleep(by, 0))
}

/// A task's going to the end of the ready queue.
enum Yield<F> {
    /// It has not begun; how it is asked of the kernel.
    New(F),
    /// The guest does it by itself: its turn.
    Own(u64),
    /// It is asked of the kernel.
    Asked(Trap<F>),
}

impl<F: Fn(Caller) -> u64 + Copy + Unpin> Future for Yield<F> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let running = runtime::with(Runtime::running);
        match &mut *self {
            Self::New(ask) => {
                // Whether the task is interrupted is for the kernel to say.
                if running.scope != 0 || runtime::with(|own| own.tasks.take_eager(running.task)) {
                    let mut asked = Trap::new(*ask);
                    let polled = Pin::new(&mut asked).poll(cx);
                    *self = Self::Asked(asked);
                    return polled.map_ok(drop);
                }
                let turn = runtime::with(|own| own.pass.push_yielded(running.task, cx));
                *self = Self::Own(turn);
                Poll::Pending
            }
            Self::Own(turn) => {
                if runtime::with(|own| own.pass.poll_turn(*turn, running.task, cx)) {
                    Poll::Ready(Ok(()))
                } else {
                    Poll::Pending
                }
            }
            Self::Asked(trap) => Pin::new(trap).poll(cx).map_ok(drop),
        }
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
    // The kernel may not know yet.
    if task.is_terminated() {
        return false;
    }
    let number = task.id().number();
    runtime::with(|runtime| {
        runtime.pass.note_asked();
        if !runtime.suspended.tell(runtime, number) {
            runtime.tasks.set_eager(number);
        }
    });
    let cancelled = kernel::cancel(number);
    if cancelled {
        task.note_cancelled();
    }
    cancelled
}

/// The time on the kernel's clock. Never blocks.
#[doc(alias = "_clock")]
pub fn clock() -> Instant {
    Instant::from_nanos(kernel::now())
}

/// A queue of blocked tasks in the kernel: first in, first out.
///
/// Dropping it ends the waiting of all with [`Error::Closed`].
#[doc(alias = "kqueue")]
pub struct KernelQueue {
    queue: kernel::WaitQueue,
}

impl KernelQueue {
    /// Makes a queue; `reason` is what [`TaskState`](crate::TaskState) shows of tasks blocked here.
    pub fn new(reason: &str) -> Self {
        Self {
            queue: kernel::WaitQueue::new(reason),
        }
    }

    /// How many tasks are blocked here.
    pub fn len(&self) -> usize {
        self.queue.len() as usize
    }

    /// Whether no task is blocked here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for KernelQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelQueue")
            .field("len", &self.len())
            .finish()
    }
}

/// Blocks until another task wakes this one with [`reschedule_tasks`].
///
/// # Cancellation
/// The task leaves the queue, and no wake-up is used up. If it was woken already, the operation has succeeded,
/// and the cancellation waits for the next one that blocks.
///
/// A future that is dropped after the task was woken for it, by `select!` say, takes the wake-up with it: what hands
/// something over by waking has to pass it on then.
#[doc(alias = "_wait_on_queue")]
pub async fn wait_on_queue(queue: &KernelQueue) -> Result<()> {
    Trap::new(|by| queue.queue.suspend(by)).await?;
    Ok(())
}

/// Wakes the first `count` tasks of a queue, or all if there are fewer, and returns how many.
/// They run in the next pass; the caller goes on.
#[doc(alias = "_reschedule_tasks")]
pub fn reschedule_tasks(queue: &KernelQueue, count: u32) -> u32 {
    runtime::with(|runtime| runtime.pass.note_asked());
    queue.queue.wake(count, 0)
}
