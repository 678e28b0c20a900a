//! Events that signals set.

use std::cell::Cell;

use super::Signal;
use super::watch::Watch;
use crate::error::Result;

/// An event that is set when one of some signals comes. It watches as long as it lives.
///
/// ```no_run
/// use curio::signal::{Signal, SignalEvent};
///
/// # async fn example() -> curio::Result<()> {
/// let goodbye = SignalEvent::new([Signal::INT, Signal::TERM])?;
/// goodbye.wait().await?;
/// println!("Goodbye");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SignalEvent {
    watch: Watch,
    set: Cell<bool>,
    /// How often it was set.
    times: Cell<u64>,
}

impl SignalEvent {
    /// Begins to watch. Never blocks.
    ///
    /// # Errors
    /// As [`SignalSet::watch`](super::SignalSet::watch).
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> Result<Self> {
        let signals: Vec<_> = signals.into_iter().collect();
        Ok(Self {
            watch: Watch::begin(&signals)?,
            set: Cell::new(false),
            times: Cell::new(0),
        })
    }

    /// Whether one of the signals has come since it was made or cleared. Never blocks; a task that never does so
    /// sees no change.
    pub fn is_set(&self) -> bool {
        self.take_all();
        self.set.get()
    }

    /// Says that none has come after all, or is to come again. Never blocks.
    pub fn clear(&self) {
        self.take_all();
        self.set.set(false);
    }

    /// Blocks until one of the signals comes, unless one has come. All tasks that wait go on then, in the order in which
    /// they came, even if it is cleared before they run.
    ///
    /// # Cancellation
    /// The task no longer waits.
    pub async fn wait(&self) -> Result<()> {
        if self.is_set() {
            return Ok(());
        }
        let before = self.times.get();
        let was_set = || self.times.get() != before;
        if self.watch.next_unless(was_set).await?.is_some() {
            self.set();
        }
        Ok(())
    }

    fn set(&self) {
        self.set.set(true);
        self.times.set(self.times.get() + 1);
    }

    /// Takes notice of what has come.
    fn take_all(&self) {
        // No error can come from here but that nothing has.
        while let Ok(Some(_)) = self.watch.take() {
            self.set();
        }
    }
}
