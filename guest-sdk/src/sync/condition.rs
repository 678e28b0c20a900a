//! Conditions: waiting for a change of what a lock guards.

use std::borrow::Borrow;

use super::{Lock, LockGuard};
use crate::error::{Error, Result};
use crate::traps::SchedFifo;

/// A lock, and tasks that wait for a change of what it guards.
///
/// The lock is the condition's own, or one that it is given: a `&Lock`, or an `Rc<Lock>`. So several conditions may be
/// about what one lock guards.
///
/// ```no_run
/// # async fn example(condition: &curio::sync::Condition, ready: &std::cell::Cell<bool>) -> curio::Result<()> {
/// let guard = condition.lock().await?;
/// let guard = condition.wait_for(guard, || ready.get()).await?;
/// drop(guard);
/// # Ok(())
/// # }
/// ```
///
/// A place for one item, which is full or empty:
///
/// ```no_run
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use curio::sync::{Condition, Lock};
///
/// struct Place {
///     item: Cell<Option<u32>>,
///     full: Condition<Rc<Lock>>,
///     empty: Condition<Rc<Lock>>,
/// }
///
/// impl Place {
///     fn new() -> Self {
///         let lock = Rc::new(Lock::new());
///         Self {
///             item: Cell::new(None),
///             full: Condition::with_lock(lock.clone()),
///             empty: Condition::with_lock(lock),
///         }
///     }
///
///     async fn put(&self, item: u32) -> curio::Result<()> {
///         let guard = self.empty.lock().await?;
///         let _guard = self.empty.wait_for(guard, || self.item.get().is_none()).await?;
///         self.item.set(Some(item));
///         self.full.notify(1)
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Condition<L = Lock> {
    lock: L,
    waiting: SchedFifo,
}

impl Condition {
    /// A condition with a lock of its own, which nobody has.
    pub const fn new() -> Self {
        Self::with_lock(Lock::new())
    }
}

impl<L> Condition<L> {
    /// A condition about what a lock guards.
    #[doc(alias = "Condition(lock)")]
    pub const fn with_lock(lock: L) -> Self {
        Self {
            lock,
            waiting: SchedFifo::new(),
        }
    }
}

impl<L: Borrow<Lock>> Condition<L> {
    fn its_lock(&self) -> &Lock {
        self.lock.borrow()
    }

    /// Whether somebody has the lock.
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.its_lock().is_locked()
    }

    /// Takes the lock: see [`Lock::lock`].
    ///
    /// # Cancellation
    /// The task no longer waits, and does not have the lock.
    #[doc(alias = "acquire")]
    pub async fn lock(&self) -> Result<LockGuard<'_>> {
        self.its_lock().lock().await
    }

    /// Releases the lock, blocks until the task is notified, and takes the lock again.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the guard is another lock's.
    ///
    /// # Cancellation
    /// The task no longer waits, for the notification or for the lock, and does not have the lock: the guard is
    /// gone with the error, where curio would take the lock again first. A notification that it was given goes to
    /// the next one that waits.
    pub async fn wait<'a>(&'a self, guard: LockGuard<'a>) -> Result<LockGuard<'a>> {
        if !std::ptr::eq(guard.lock(), self.its_lock()) {
            return Err(Error::InvalidArgument(
                "the guard is not that of the condition's lock".to_owned(),
            ));
        }
        drop(guard);
        let pass_on = || {
            self.waiting.wake(1);
        };
        let notified = self.waiting.suspend("condition-wait");
        notified.or_pass_on(pass_on).await?;
        let notified = Notified(&self.waiting);
        let guard = self.its_lock().lock().await?;
        std::mem::forget(notified);
        Ok(guard)
    }

    /// Waits until something holds, which is looked at now and after every notification, with the lock taken.
    ///
    /// # Errors
    /// As [`Condition::wait`].
    ///
    /// # Cancellation
    /// As [`Condition::wait`].
    pub async fn wait_for<'a>(
        &'a self,
        mut guard: LockGuard<'a>,
        mut holds: impl FnMut() -> bool,
    ) -> Result<LockGuard<'a>> {
        while !holds() {
            guard = self.wait(guard).await?;
        }
        Ok(guard)
    }

    /// Wakes the first `count` tasks that wait, or all if there are fewer. They go on when they get the lock. Never
    /// blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if nobody has the lock.
    pub fn notify(&self, count: usize) -> Result<()> {
        if !self.is_locked() {
            return Err(Error::InvalidState(
                "a condition can be notified only while its lock is taken".to_owned(),
            ));
        }
        self.waiting.wake(count);
        Ok(())
    }

    /// Wakes all tasks that wait. Never blocks.
    ///
    /// # Errors
    /// As [`Condition::notify`].
    pub fn notify_all(&self) -> Result<()> {
        self.notify(usize::MAX)
    }
}

/// A notification that is passed on if the one who got it can't use it.
struct Notified<'a>(&'a SchedFifo);

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        self.0.wake(1);
    }
}
