//! Results between threads and instances.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reference::{Handle, Reference, is_reference};
use super::{bytes, failure};
use crate::bindings::queues::{self as kernel, Key, Outcome};
use crate::bindings::types;
use crate::error::{Error, Result, tried};
use crate::sync::Lock;
use crate::traps::wait_for;

/// A result that is not there yet: one sets it, others wait for it, wherever they are: in this instance, on other
/// threads, in other instances of the same host.
///
/// This is a handle. A clone is the same result, and a handle that is passed to a function on another thread is, too:
/// see [`sync`](crate::sync). The value is serialised, by `serde`: 16,000,000 bytes at the most, which count against the
/// memory of the program that sets it.
///
/// ```no_run
/// use curio::sync::UniversalResult;
///
/// # async fn example() -> curio::Result<()> {
/// let answer = UniversalResult::new()?;
/// let sets = answer.clone();
/// curio::spawn(async move { sets.set_value(42) });
/// assert_eq!(answer.get().await?, 42);
/// # Ok(())
/// # }
/// ```
///
/// It may be set more than once: the last value counts, but once there is an exception, that counts, whatever
/// is set before or after.
pub struct UniversalResult<T> {
    reference: Reference<Waiting>,
    value: PhantomData<fn(T) -> T>,
}

struct Waiting {
    cell: kernel::ResultCell,
    /// Who has this waits in the kernel.
    turn: Lock,
}

is_reference!(UniversalResult<T>);

impl Waiting {
    fn of(cell: kernel::ResultCell) -> Self {
        Self {
            cell,
            turn: Lock::new(),
        }
    }
}

impl Handle for Waiting {
    const NAME: &'static str = "UniversalResult";

    fn open(key: Key) -> Result<Self, types::Error> {
        kernel::ResultCell::open(key).map(Self::of)
    }

    fn key(&self) -> Result<Key, types::Error> {
        self.cell.key()
    }
}

impl<T> UniversalResult<T> {
    fn of(reference: Reference<Waiting>) -> Self {
        Self {
            reference,
            value: PhantomData,
        }
    }

    /// A result that was not set.
    ///
    /// # Errors
    /// [`Error::Limit`]: handles, or memory.
    pub fn new() -> Result<Self> {
        let cell = kernel::ResultCell::create()?;
        Ok(Self::of(Reference::new(Waiting::of(cell))))
    }

    /// Whether a value or an exception was set. None was if the result was not found.
    pub fn is_set(&self) -> bool {
        let handle = self.reference.handle();
        handle.is_ok_and(|handle| handle.cell.is_set())
    }

    /// Sets the value, in place of an earlier one, and wakes all that wait. Never blocks.
    ///
    /// If an exception was set before, the value is dropped.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the value can't be serialised, or is too big; [`Error::Limit`] if there is no
    /// memory for it; and if the result was not found.
    pub fn set_value(&self, value: T) -> Result<()>
    where
        T: Serialize,
    {
        let handle = self.reference.handle()?;
        let outcome = Outcome::Value(bytes::write(&value)?);
        Ok(handle.cell.set(&outcome)?)
    }

    /// Sets an error instead of a value, in place of what was set before, and wakes all that wait. Never blocks.
    ///
    /// Of an error of the program's own, and of the causes of any error, the texts are told.
    ///
    /// # Errors
    /// As [`UniversalResult::set_value`].
    pub fn set_exception(&self, error: impl Into<Error>) -> Result<()> {
        let handle = self.reference.handle()?;
        let outcome = Outcome::Failure(bytes::write(&failure::parts(&error.into()))?);
        Ok(handle.cell.set(&outcome)?)
    }

    /// Blocks until the result is set, and returns the value. It stays there for others, and for the next time.
    ///
    /// # Errors
    /// [`Error::Shared`], with the error that was set as an exception. If that is a cancellation, so is this; if it is
    /// a timeout, it is [`Error::UncaughtTimeout`] here, since it was of another's block. [`Error::InvalidState`] if
    /// the value is of another type. And if the result was not found.
    ///
    /// # Cancellation
    /// The task no longer waits.
    #[doc(alias = "unwrap")]
    pub async fn get(&self) -> Result<T>
    where
        T: DeserializeOwned,
    {
        let handle = self.reference.handle()?;
        let outcome = match tried(handle.cell.get())? {
            Some(outcome) => outcome,
            None => handle.wait().await?,
        };
        match outcome {
            Outcome::Value(value) => bytes::read(&value),
            Outcome::Failure(parts) => Err(Error::Shared(Arc::new(failure::error(bytes::read(
                &parts,
            )?)))),
        }
    }
}

impl Waiting {
    async fn wait(&self) -> Result<Outcome> {
        let _turn = self.turn.lock_for("result-wait").await?;
        loop {
            if let Some(outcome) = tried(self.cell.get())? {
                return Ok(outcome);
            }
            wait_for(|by| self.cell.wait(by)).await?;
        }
    }
}
