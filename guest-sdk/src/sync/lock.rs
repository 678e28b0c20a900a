//! Locks: one at a time.

use std::cell::Cell;

use crate::error::{Error, Result};
use crate::traps::SchedFifo;

/// A lock that one task has at a time. Not recursive: a task that takes it twice waits for itself.
///
/// ```no_run
/// # async fn example(lock: &curio::sync::Lock) -> curio::Result<()> {
/// let guard = lock.lock().await?;
/// curio::yield_now().await?;
/// drop(guard);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Lock {
    locked: Cell<bool>,
    waiting: SchedFifo,
}

impl Lock {
    /// A lock that nobody has.
    pub const fn new() -> Self {
        Self {
            locked: Cell::new(false),
            waiting: SchedFifo::new(),
        }
    }

    /// Whether somebody has it.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.locked.get()
    }

    /// Takes the lock, and blocks until it is free. Dropping the guard releases it.
    ///
    /// # Cancellation
    /// The task no longer waits, and does not have the lock.
    #[doc(alias = "acquire")]
    pub async fn lock(&self) -> Result<LockGuard<'_>> {
        self.lock_for("lock-acquire").await
    }

    /// As [`Lock::lock`], for something of another name.
    pub(crate) async fn lock_for(&self, reason: &'static str) -> Result<LockGuard<'_>> {
        if self.locked.replace(true) {
            let handed_over = self.waiting.suspend(reason);
            handed_over.or_pass_on(|| self.hand_over()).await?;
        }
        Ok(LockGuard { lock: self })
    }

    /// Takes the lock if it is free. Never blocks.
    pub fn try_lock(&self) -> Option<LockGuard<'_>> {
        (!self.locked.replace(true)).then(|| LockGuard { lock: self })
    }

    /// Releases a lock whose guard was forgotten. Any task may. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if nobody has it.
    pub fn release(&self) -> Result<()> {
        if !self.locked.get() {
            return Err(Error::InvalidState(
                "a lock that nobody has can't be released".to_owned(),
            ));
        }
        self.hand_over();
        Ok(())
    }

    /// Gives the lock to the one that has waited longest; it is free if there is none.
    fn hand_over(&self) {
        if self.waiting.wake(1) == 0 {
            self.locked.set(false);
        }
    }
}

/// Says that a [`Lock`] is taken. Dropping it releases the lock.
#[must_use = "the lock is released when the guard is dropped"]
#[derive(Debug)]
pub struct LockGuard<'a> {
    lock: &'a Lock,
}

impl<'a> LockGuard<'a> {
    /// The lock.
    pub(super) fn lock(&self) -> &'a Lock {
        self.lock
    }

    /// Keeps the lock taken: [`Lock::release`] releases it.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        self.lock.hand_over();
    }
}
