//! Events: something has happened.

use std::cell::Cell;

use crate::error::Result;
use crate::traps::SchedBarrier;

/// Something that has happened or not, and that tasks wait for.
///
/// ```no_run
/// use std::rc::Rc;
///
/// # async fn example() -> curio::Result<()> {
/// let event = Rc::new(curio::sync::Event::new());
/// let waits = event.clone();
/// let task = curio::spawn(async move { waits.wait().await });
/// event.set();
/// task.join().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Event {
    set: Cell<bool>,
    waiting: SchedBarrier,
}

impl Event {
    /// An event that has not happened.
    pub const fn new() -> Self {
        Self {
            set: Cell::new(false),
            waiting: SchedBarrier::new(),
        }
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Says that it has happened, and wakes all that wait, in the order in which they came. Never blocks.
    ///
    /// They have seen it, even if the event is cleared before they run.
    pub fn set(&self) {
        self.set.set(true);
        self.waiting.wake();
    }

    /// Says that it has not happened after all, or is to happen again. Never blocks.
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Blocks until it has happened.
    ///
    /// # Cancellation
    /// The task no longer waits.
    pub async fn wait(&self) -> Result<()> {
        if self.set.get() {
            return Ok(());
        }
        self.waiting.suspend("event-wait").await
    }
}
