//! Events between threads and instances.

use super::reference::{Handle, Reference, is_reference};
use crate::bindings::queues::{self as kernel, Key};
use crate::bindings::types;
use crate::error::Result;
use crate::sync::Lock;
use crate::traps::wait_for;

/// Something that has happened or not, for tasks wherever they are: in this instance, on other threads, in other
/// instances of the same host.
///
/// This is a handle. A clone is the same event, and a handle that is passed to a function on another thread is, too:
/// see [`sync`](crate::sync).
///
/// ```no_run
/// use curio::sync::UniversalEvent;
///
/// # async fn example() -> curio::Result<()> {
/// let event = UniversalEvent::new()?;
/// let waits = event.clone();
/// let task = curio::spawn(async move { waits.wait().await });
/// event.set()?;
/// task.join().await?;
/// # Ok(())
/// # }
/// ```
pub struct UniversalEvent {
    reference: Reference<Waiting>,
}

struct Waiting {
    event: kernel::Event,
    /// Who has this waits in the kernel.
    turn: Lock,
}

is_reference!(UniversalEvent);

impl Waiting {
    fn of(event: kernel::Event) -> Self {
        Self {
            event,
            turn: Lock::new(),
        }
    }
}

impl Handle for Waiting {
    const NAME: &'static str = "UniversalEvent";

    fn open(key: Key) -> Result<Self, types::Error> {
        kernel::Event::open(key).map(Self::of)
    }

    fn key(&self) -> Result<Key, types::Error> {
        self.event.key()
    }
}

impl UniversalEvent {
    fn of(reference: Reference<Waiting>) -> Self {
        Self { reference }
    }

    /// An event that has not happened.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit): handles, or memory.
    pub fn new() -> Result<Self> {
        let event = kernel::Event::create()?;
        Ok(Self::of(Reference::new(Waiting::of(event))))
    }

    /// Whether it has happened. One that was not found has not.
    pub fn is_set(&self) -> bool {
        let handle = self.reference.handle();
        handle.is_ok_and(|handle| handle.event.unset().is_none())
    }

    /// Says that it has happened, and wakes all that wait. Never blocks.
    ///
    /// They have seen it, even if the event is cleared before they run.
    ///
    /// # Errors
    /// If the event was not found.
    pub fn set(&self) -> Result<()> {
        self.reference.handle()?.event.set();
        Ok(())
    }

    /// Says that it has not happened after all, or is to happen again. Never blocks.
    ///
    /// # Errors
    /// If the event was not found.
    pub fn clear(&self) -> Result<()> {
        self.reference.handle()?.event.clear();
        Ok(())
    }

    /// Blocks until it has happened.
    ///
    /// # Errors
    /// If the event was not found.
    ///
    /// # Cancellation
    /// The task no longer waits.
    pub async fn wait(&self) -> Result<()> {
        let handle = self.reference.handle()?;
        let Some(since) = handle.event.unset() else {
            return Ok(());
        };
        let _turn = handle.turn.lock_for("event-wait").await?;
        while handle.event.unset() == Some(since) {
            wait_for(|by| handle.event.wait(since, by)).await?;
        }
        Ok(())
    }
}
