//! The kernel's watching of signals, as tasks share it: they take turns to wait.

use std::fmt;

use super::Signal;
use crate::bindings::signals as kernel;
use crate::error::{Result, tried};
use crate::sync::Lock;
use crate::traps::wait_for;

/// A watcher of the kernel's, and the line of those that wait for a signal.
pub(super) struct Watch {
    watcher: kernel::Watcher,
    turn: Lock,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn begin(signals: &[Signal]) -> Result<Self> {
        Ok(Self {
            watcher: kernel::Watcher::watch(&numbers(signals))?,
            turn: Lock::new(),
        })
    }

    /// The signal that came first, if one has come.
    pub(super) fn take(&self) -> Result<Option<Signal>> {
        Ok(tried(self.watcher.next())?.map(Signal::known))
    }

    /// The signal that came first, if one has come and no task waits for it.
    pub(super) fn take_free(&self) -> Result<Option<Signal>> {
        match self.turn.try_lock() {
            Some(_turn) => self.take(),
            None => Ok(None),
        }
    }

    /// Blocks until a signal comes. Those that wait get one each, in the order in which they came.
    pub(super) async fn next(&self) -> Result<Signal> {
        loop {
            if let Some(signal) = self.next_unless(|| false).await? {
                return Ok(signal);
            }
        }
    }

    /// As `next`, but returns none if nothing has come and nothing is wanted any more.
    pub(super) async fn next_unless(&self, is_over: impl Fn() -> bool) -> Result<Option<Signal>> {
        let _turn = self.turn.lock().await?;
        loop {
            if is_over() {
                return Ok(None);
            }
            let taken = self.take()?;
            if taken.is_some() {
                return Ok(taken);
            }
            wait_for(|by| self.watcher.read_wait(by)).await?;
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Signals as the kernel is told them.
pub(super) fn numbers(signals: &[Signal]) -> Vec<u8> {
    signals.iter().map(|signal| signal.number()).collect()
}
