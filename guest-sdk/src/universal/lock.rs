//! Locks between threads and instances.

use super::reference::{Handle, Reference, is_reference};
use crate::bindings::queues::{self as kernel, Key};
use crate::bindings::types;
use crate::error::{Result, tried};
use crate::sync::{Lock, LockGuard};
use crate::traps::wait_for;

/// A lock that one task has at a time, wherever the tasks are: in this instance, on other threads, in other instances of
/// the same host. Not recursive: a task that takes it twice waits for itself.
///
/// This is a handle. A clone is the same lock, and a handle that is passed to a function on another thread is, too:
/// see [`sync`](crate::sync). Who releases it hands it over to the one who has waited longest.
///
/// A holder may end without releasing it: its worker was killed, say, or its program was broken off. The next one has
/// the lock all the same, and [`SharedLockGuard::is_abandoned`] tells it so.
///
/// ```no_run
/// # async fn example(lock: &curio::sync::SharedLock) -> curio::Result<()> {
/// let guard = lock.lock().await?;
/// if guard.is_abandoned() {
///     // What the lock protects may be half done.
/// }
/// curio::yield_now().await?;
/// drop(guard);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "threading.Lock")]
pub struct SharedLock {
    reference: Reference<Holding>,
}

struct Holding {
    lock: kernel::Lock,
    /// Who has this has the lock, or stands in the kernel's line for it.
    turn: Lock,
}

is_reference!(SharedLock);

impl Holding {
    fn of(lock: kernel::Lock) -> Self {
        Self {
            lock,
            turn: Lock::new(),
        }
    }
}

impl Handle for Holding {
    const NAME: &'static str = "SharedLock";

    fn open(key: Key) -> Result<Self, types::Error> {
        kernel::Lock::open(key).map(Self::of)
    }

    fn key(&self) -> Result<Key, types::Error> {
        self.lock.key()
    }
}

/// The handle's place in the kernel's line, which it leaves if its task gives up: if it has got the lock by then,
/// that goes to the next one.
struct Place<'a>(&'a Holding);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock.leave();
    }
}

impl SharedLock {
    fn of(reference: Reference<Holding>) -> Self {
        Self { reference }
    }

    /// A lock that nobody has.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit): handles, or memory.
    pub fn new() -> Result<Self> {
        let lock = kernel::Lock::create()?;
        Ok(Self::of(Reference::new(Holding::of(lock))))
    }

    /// Whether somebody has it. Nobody does if it was not found.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        let handle = self.reference.handle();
        handle.is_ok_and(|handle| handle.lock.is_locked())
    }

    /// Takes the lock, and blocks until it is free. Dropping the guard releases it.
    ///
    /// # Errors
    /// If the lock was not found.
    ///
    /// # Cancellation
    /// The task no longer waits, and does not have the lock.
    #[doc(alias = "acquire")]
    pub async fn lock(&self) -> Result<SharedLockGuard<'_>> {
        let holding = self.reference.handle()?;
        let turn = holding.turn.lock_for("lock-acquire").await?;
        let mut attempt = tried(holding.lock.acquire())?;
        if attempt.is_none() {
            let place = Place(holding);
            while attempt.is_none() {
                wait_for(|by| holding.lock.wait(by)).await?;
                attempt = tried(holding.lock.acquire())?;
            }
            // It no longer stands there.
            std::mem::forget(place);
        }
        Ok(SharedLockGuard {
            holding,
            abandoned: attempt == Some(true),
            _turn: turn,
        })
    }

    /// Takes the lock if it is free. Never blocks.
    ///
    /// # Errors
    /// If the lock was not found.
    pub fn try_lock(&self) -> Result<Option<SharedLockGuard<'_>>> {
        let holding = self.reference.handle()?;
        let Some(turn) = holding.turn.try_lock() else {
            return Ok(None);
        };
        let place = Place(holding);
        let attempt = tried(holding.lock.acquire())?;
        Ok(attempt.map(|abandoned| {
            std::mem::forget(place);
            SharedLockGuard {
                holding,
                abandoned,
                _turn: turn,
            }
        }))
    }
}

/// Says that a [`SharedLock`] is taken. Dropping it releases the lock.
#[must_use = "the lock is released when the guard is dropped"]
pub struct SharedLockGuard<'a> {
    holding: &'a Holding,
    abandoned: bool,
    _turn: LockGuard<'a>,
}

impl SharedLockGuard<'_> {
    /// Whether the one who had the lock before ended without releasing it, so that what it protects may be half done. That
    /// is told to the next holder alone.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }
}

impl Drop for SharedLockGuard<'_> {
    fn drop(&mut self) {
        // It fails only if the handle does not have the lock.
        drop(self.holding.lock.release());
    }
}

impl std::fmt::Debug for SharedLockGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedLockGuard")
            .field("is_abandoned", &self.abandoned)
            .finish_non_exhaustive()
    }
}
