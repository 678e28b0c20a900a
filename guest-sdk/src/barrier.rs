//! Tasks that wait for one thing together, and are woken together.

use std::fmt;

use crate::sched::{SchedFifo, Suspend};

/// Waiting tasks that are woken all at once: what an event is made of.
///
/// Waiting and waking ask nothing of the kernel, unless a task is interrupted.
///
/// ```no_run
/// use curio::traps::SchedBarrier;
///
/// # async fn example() -> curio::Result<()> {
/// let barrier = std::rc::Rc::new(SchedBarrier::new());
/// for _ in 0..3 {
///     let waits = barrier.clone();
///     curio::spawn(async move { waits.suspend("start-wait").await });
/// }
/// curio::yield_now().await?;
/// assert_eq!(barrier.wake(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct SchedBarrier {
    waiting: SchedFifo,
}

impl SchedBarrier {
    /// A barrier at which nobody waits.
    pub const fn new() -> Self {
        Self {
            waiting: SchedFifo::new(),
        }
    }

    /// Blocks until another task wakes this one. `reason` is what [`TaskState`](crate::TaskState) shows of it
    /// meanwhile.
    ///
    /// # Cancellation
    /// As [`SchedFifo::suspend`].
    #[doc(alias = "_scheduler_wait")]
    pub fn suspend(&self, reason: &'static str) -> Suspend<'_, fn()> {
        self.waiting.suspend(reason)
    }

    /// Wakes all tasks that wait, and returns how many. They run in the next pass, in the order in which they
    /// came; the caller goes on. Never blocks.
    #[doc(alias = "_scheduler_wake")]
    pub fn wake(&self) -> usize {
        // One that comes again before it has run, or because of this, is for the next time.
        self.waiting.wake(self.waiting.len())
    }

    /// Wakes the `count` tasks that have waited longest, or all if there are fewer, and returns how many. Else as
    /// [`SchedBarrier::wake`].
    #[doc(alias = "wake(n)")]
    pub fn wake_some(&self, count: usize) -> usize {
        self.waiting.wake(count)
    }

    /// How many tasks wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no task waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl fmt::Debug for SchedBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedBarrier")
            .field("len", &self.len())
            .finish()
    }
}
