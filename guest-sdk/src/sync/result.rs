//! Results: a value or an error that is set by one task, and that others wait for.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::traps::SchedBarrier;

/// A result that is not there yet: one task sets it, others wait for it.
///
/// ```no_run
/// use std::rc::Rc;
///
/// # async fn example() -> curio::Result<()> {
/// let answer = Rc::new(curio::sync::ResultCell::new());
/// let sets = answer.clone();
/// curio::spawn(async move {
///     curio::sleep(std::time::Duration::from_secs(1)).await?;
///     sets.set_value(42);
///     Ok(())
/// });
/// assert_eq!(answer.get().await?, 42);
/// # Ok(())
/// # }
/// ```
///
/// It may be set more than once: the last value counts, but once there is an exception, that counts, whatever
/// is set before or after. A task that waits sees what is there when it goes on.
#[doc(alias = "Result")]
pub struct ResultCell<T> {
    /// None until it is set.
    result: RefCell<Option<Result<T, Arc<Error>>>>,
    waiting: SchedBarrier,
}

impl<T> ResultCell<T> {
    /// A result that was not set.
    pub const fn new() -> Self {
        Self {
            result: RefCell::new(None),
            waiting: SchedBarrier::new(),
        }
    }

    /// Whether a value or an exception was set.
    pub fn is_set(&self) -> bool {
        self.result.borrow().is_some()
    }

    /// Sets the value, in place of an earlier one, and wakes all that wait. Never blocks.
    ///
    /// If an exception was set before, the value is dropped.
    pub fn set_value(&self, value: T) {
        if !matches!(*self.result.borrow(), Some(Err(_))) {
            self.set(Ok(value));
        }
    }

    /// Sets an error instead of a value, in place of what was set before, and wakes all that wait. Never blocks.
    pub fn set_exception(&self, error: impl Into<Error>) {
        self.set(Err(match error.into() {
            Error::Shared(error) => error,
            error => Arc::new(error),
        }));
    }

    fn set(&self, result: Result<T, Arc<Error>>) {
        let before = self.result.replace(Some(result));
        self.waiting.wake();
        drop(before);
    }

    /// Blocks until the result is set, and returns the value. It stays there for others, and for the next time.
    ///
    /// It has curio's meaning of `unwrap`, but does not panic.
    ///
    /// # Errors
    /// [`Error::Shared`], with the error that was set as an exception. If that is a cancellation, so is this.
    ///
    /// # Cancellation
    /// The task no longer waits.
    #[doc(alias = "unwrap")]
    pub async fn get(&self) -> Result<T>
    where
        T: Clone,
    {
        loop {
            match &*self.result.borrow() {
                Some(Ok(value)) => return Ok(value.clone()),
                Some(Err(error)) => return Err(Error::Shared(error.clone())),
                None => {}
            }
            self.waiting.suspend("result-wait").await?;
        }
    }
}

impl<T> Default for ResultCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for ResultCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultCell")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}
