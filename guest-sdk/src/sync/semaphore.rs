//! Semaphores: a number of tasks at a time.

use std::cell::Cell;

use crate::error::{Error, Result};
use crate::traps::SchedFifo;

/// Lets a number of tasks in at a time.
///
/// It may be released more often than it was acquired: that makes room for more. [`BoundedSemaphore`] does not
/// let that happen.
///
/// ```no_run
/// # async fn example(semaphore: &curio::sync::Semaphore) -> curio::Result<()> {
/// let _inside = semaphore.acquire().await?;
/// curio::sleep(std::time::Duration::from_secs(1)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Semaphore {
    value: Cell<usize>,
    waiting: SchedFifo,
}

impl Default for Semaphore {
    /// Lets in one task.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Semaphore {
    /// Lets in so many tasks.
    pub const fn new(value: usize) -> Self {
        Self {
            value: Cell::new(value),
            waiting: SchedFifo::new(),
        }
    }

    /// How many more may come in.
    pub fn value(&self) -> usize {
        self.value.get()
    }

    /// Whether nobody else may come in.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.value() == 0
    }

    /// Goes in, and blocks until there is room. Dropping the guard releases the place.
    ///
    /// # Cancellation
    /// The task no longer waits, and has no place.
    pub async fn acquire(&self) -> Result<SemaphoreGuard<'_>> {
        match self.value.get() {
            0 => {
                let handed_over = self.waiting.suspend("semaphore-acquire");
                handed_over.or_pass_on(|| self.release()).await?;
            }
            value => self.value.set(value - 1),
        }
        Ok(SemaphoreGuard { semaphore: self })
    }

    /// Makes room for one more: for the task that has waited longest, if one waits. Any task may. Never blocks.
    pub fn release(&self) {
        if self.waiting.wake(1) == 0 {
            self.value.set(self.value.get() + 1);
        }
    }
}

/// A place that a semaphore gave. Dropping it releases the place.
#[must_use = "the place is released when the guard is dropped"]
#[derive(Debug)]
pub struct SemaphoreGuard<'a> {
    semaphore: &'a Semaphore,
}

impl SemaphoreGuard<'_> {
    /// Keeps the place taken: `release` releases it.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        self.semaphore.release();
    }
}

/// A [`Semaphore`] that can't be released more often than it was acquired.
#[derive(Debug)]
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: usize,
}

impl Default for BoundedSemaphore {
    /// Lets in one task.
    fn default() -> Self {
        Self::new(1)
    }
}

impl BoundedSemaphore {
    /// Lets in so many tasks.
    pub const fn new(value: usize) -> Self {
        Self {
            semaphore: Semaphore::new(value),
            bound: value,
        }
    }

    /// How many it lets in.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// How many more may come in.
    pub fn value(&self) -> usize {
        self.semaphore.value()
    }

    /// Whether nobody else may come in.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.semaphore.is_locked()
    }

    /// As [`Semaphore::acquire`].
    ///
    /// # Cancellation
    /// The task no longer waits, and has no place.
    pub async fn acquire(&self) -> Result<SemaphoreGuard<'_>> {
        self.semaphore.acquire().await
    }

    /// As [`Semaphore::release`]. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if all places are free.
    pub fn release(&self) -> Result<()> {
        if self.value() == self.bound {
            return Err(Error::InvalidState(format!(
                "a semaphore for {} was released more often than acquired",
                self.bound
            )));
        }
        self.semaphore.release();
        Ok(())
    }
}
