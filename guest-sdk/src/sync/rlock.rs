//! Recursive locks.

use std::cell::Cell;

use super::Lock;
use crate::error::{Error, Result};
use crate::runtime;

/// A lock that a task may take again while it has it. It is free when all its guards are dropped.
///
/// ```no_run
/// # async fn example(lock: &curio::sync::RLock) -> curio::Result<()> {
/// let outer = lock.lock().await?;
/// let inner = lock.lock().await?;
/// drop(inner);
/// assert!(lock.is_locked());
/// drop(outer);
/// # Ok(())
/// # }
/// ```
///
/// A task that waits for it twice at the same time, with `join!` say, waits for itself.
#[derive(Debug, Default)]
pub struct RLock {
    lock: Lock,
    /// The kernel's number of the task that has it, or 0.
    owner: Cell<u64>,
    count: Cell<usize>,
}

impl RLock {
    /// A lock that nobody has.
    pub const fn new() -> Self {
        Self {
            lock: Lock::new(),
            owner: Cell::new(0),
            count: Cell::new(0),
        }
    }

    /// Whether some task has it.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Takes the lock, and blocks until no other task has it. Dropping the guard gives it back.
    ///
    /// # Cancellation
    /// The task no longer waits, and does not have the lock.
    #[doc(alias = "acquire")]
    pub async fn lock(&self) -> Result<RLockGuard<'_>> {
        let task = runtime::with(|runtime| runtime.running().task);
        if self.owner.get() != task {
            self.lock.lock().await?.forget();
            // The future may have moved to another task meanwhile.
            let task = runtime::with(|runtime| runtime.running().task);
            self.owner.set(task);
        }
        self.count.set(self.count.get() + 1);
        Ok(RLockGuard { lock: self })
    }

    /// Gives back a lock whose guard was forgotten. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if the task that runs does not have it.
    pub fn release(&self) -> Result<()> {
        let task = runtime::with(|runtime| runtime.running().task);
        if self.owner.get() != task {
            return Err(Error::InvalidState(
                "a recursive lock can be released by the task that has it only".to_owned(),
            ));
        }
        self.give_back();
        Ok(())
    }

    fn give_back(&self) {
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.owner.set(0);
            // It is locked.
            drop(self.lock.release());
        }
    }
}

/// Says that a [`RLock`] is taken. Dropping it gives it back.
#[must_use = "the lock is given back when the guard is dropped"]
#[derive(Debug)]
pub struct RLockGuard<'a> {
    lock: &'a RLock,
}

impl RLockGuard<'_> {
    /// Keeps the lock taken: [`RLock::release`] gives it back.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for RLockGuard<'_> {
    fn drop(&mut self) {
        self.lock.give_back();
    }
}
