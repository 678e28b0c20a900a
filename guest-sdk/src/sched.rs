//! Lines of waiting tasks, of which the synchronization primitives are made.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::runtime::{self, Line, Looked, WaitKey};

/// A line of waiting tasks: first in, first out.
///
/// Waiting and waking ask nothing of the kernel, unless a task is interrupted.
///
/// ```no_run
/// use curio::traps::SchedFifo;
///
/// # async fn example() -> curio::Result<()> {
/// let line = std::rc::Rc::new(SchedFifo::new());
/// let waits = line.clone();
/// let task = curio::spawn(async move { waits.suspend("gate-wait").await });
/// curio::yield_now().await?;
/// assert_eq!(line.wake(1), 1);
/// task.join().await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SchedFIFO")]
#[derive(Default)]
pub struct SchedFifo {
    line: Line,
}

impl SchedFifo {
    /// An empty line.
    pub const fn new() -> Self {
        Self { line: Line::new() }
    }

    /// Blocks until another task wakes this one. `reason` is what [`TaskState`](crate::TaskState) shows of it
    /// meanwhile.
    ///
    /// # Cancellation
    /// The task leaves the line, and no wake-up is used up. If it was woken already, the operation has
    /// succeeded, and the cancellation waits for the next one that blocks.
    ///
    /// A future that is dropped when its task was woken, by `select!` say, takes the wake-up with it, unless
    /// [`Suspend::or_pass_on`] says what becomes of that.
    #[doc(alias = "_scheduler_wait")]
    pub fn suspend(&self, reason: &'static str) -> Suspend<'_, fn()> {
        Suspend {
            line: &self.line,
            reason,
            place: Place::New,
            pass_on: None,
        }
    }

    /// Wakes the first `count` tasks, or all if there are fewer, and returns how many. They run in the next
    /// pass; the caller goes on. Never blocks.
    #[doc(alias = "_scheduler_wake")]
    pub fn wake(&self, count: usize) -> usize {
        runtime::with(|runtime| {
            let woken = |_: &usize| runtime.waiting.wake_first(runtime, &self.line);
            (0..count).take_while(woken).count()
        })
    }

    /// How many tasks wait.
    pub fn len(&self) -> usize {
        self.line.len()
    }

    /// Whether no task waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for SchedFifo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedFifo")
            .field("len", &self.len())
            .finish()
    }
}

/// A task's waiting in a line: what [`SchedFifo::suspend`] returns.
#[must_use = "nothing happens until it is awaited"]
pub struct Suspend<'a, F: FnOnce()> {
    line: &'a Line,
    reason: &'static str,
    place: Place,
    pass_on: Option<F>,
}

#[derive(Clone, Copy)]
enum Place {
    /// It has not been polled.
    New,
    /// It stands in the line, or has just left it.
    At(WaitKey),
    /// It has ended.
    Over,
}

impl<'a> Suspend<'a, fn()> {
    /// Says what is to be done if the task was woken and does not take notice, since the future is dropped. What
    /// hands something over by waking hands it on so.
    pub fn or_pass_on<F: FnOnce() + Unpin>(self, pass_on: F) -> Suspend<'a, F> {
        // Nothing is lost with the old one, which stands in no line yet.
        Suspend {
            line: self.line,
            reason: self.reason,
            place: Place::New,
            pass_on: Some(pass_on),
        }
    }
}

impl<F: FnOnce() + Unpin> Future for Suspend<'_, F> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        runtime::with(|runtime| match self.place {
            Place::New => match runtime.waiting.stand(runtime, self.line, self.reason, cx) {
                Ok(key) => {
                    self.place = Place::At(key);
                    Poll::Pending
                }
                Err(error) => {
                    self.place = Place::Over;
                    Poll::Ready(Err(error))
                }
            },
            Place::At(key) => match runtime.waiting.look(runtime, key, cx) {
                Looked::Pending | Looked::Withdrawn => Poll::Pending,
                Looked::Ended(result) => {
                    self.place = Place::Over;
                    Poll::Ready(result.map(drop))
                }
            },
            Place::Over => panic!("a wait was polled after it had ended"),
        })
    }
}

impl<F: FnOnce()> Drop for Suspend<'_, F> {
    fn drop(&mut self) {
        if let Place::At(key) = self.place {
            let woken = runtime::with(|runtime| runtime.waiting.give_up(key));
            if woken && let Some(pass_on) = self.pass_on.take() {
                pass_on();
            }
        }
    }
}

impl<F: FnOnce()> fmt::Debug for Suspend<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspend")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
