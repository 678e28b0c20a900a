//! Code that does not care what it is given: a function or an `async fn`, a lock of the tasks' or one of several threads.
//!
//! - [`abide`](fn@abide) calls either sort of function, and never holds up the other tasks.
//! - [`abide_with`] takes any sort of lock.
//!
//! A task and a thread that synchronise by one lock:
//!
//! ```no_run
//! use curio::sync::SharedLock;
//! use curio::thread::{AWAIT, spawn_thread};
//! use curio::{Abide, Result, abide_with};
//!
//! // A task. It works with any lock.
//! async fn child(lock: &impl Abide) -> Result<()> {
//!     let _guard = abide_with(lock).await?;
//!     println!("Child has the lock");
//!     Ok(())
//! }
//!
//! // A thread.
//! fn parent(lock: SharedLock) -> Result<()> {
//!     let _guard = AWAIT(abide_with(&lock))?;
//!     println!("Parent has the lock");
//!     Ok(())
//! }
//!
//! #[curio::main]
//! async fn main() -> Result<()> {
//!     let lock = SharedLock::new()?;
//!     let thread = spawn_thread(parent, lock.clone());
//!     child(&lock).await?;
//!     thread.join().await
//! }
//! ```

use std::borrow::Borrow;
use std::future::Future;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::sync::{
    BoundedSemaphore, Condition, Lock, LockGuard, RLock, RLockGuard, Semaphore, SemaphoreGuard,
    SharedLock, SharedLockGuard,
};
use crate::workers::{Asynchronous, Fallible, JobOutput, Plain, block_in_thread};

/// Calls a function as it wants to be called: an `async fn` here, in the task; any other on another thread, by
/// [`block_in_thread`], so that it may compute and block.
///
/// ```no_run
/// use std::time::Duration;
///
/// use curio::{Result, abide};
///
/// fn fib(n: u64) -> u64 {
///     if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
/// }
///
/// async fn nap(seconds: u64) -> Result<()> {
///     curio::sleep(Duration::from_secs(seconds)).await.map(drop)
/// }
///
/// # async fn example() -> Result<()> {
/// assert_eq!(abide(fib, 30).await?, 832_040);
/// abide(nap, 1).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// An `async fn`'s own. Those of [`block_in_thread`] with other functions.
///
/// # Cancellation
/// An `async fn` is told where it blocks. As for other functions, see [`block_in_thread`].
pub async fn abide<F, A, K>(function: F, argument: A) -> Result<F::Value>
where
    F: Operation<A, K>,
{
    function.perform(argument).await
}

/// Takes a lock, of whatever sort, and blocks until it is free. Dropping the guard releases it.
///
/// # Errors
/// The lock's own: see [`SharedLock::lock`].
///
/// # Cancellation
/// The task no longer waits, and does not have the lock: if it had been handed over already, the next one in line gets it.
#[doc(alias = "abide")]
pub async fn abide_with<L: Abide + ?Sized>(lock: &L) -> Result<L::Guard<'_>> {
    lock.enter().await
}

/// What can be taken and is released by dropping a guard: a lock of any sort, for [`abide_with`].
///
/// Whoever implements it for a lock of their own promises what [`abide_with`] does of cancellation.
#[doc(alias = "__aenter__")]
pub trait Abide {
    /// Says that the lock is taken. Dropping it releases the lock.
    type Guard<'a>
    where
        Self: 'a;

    /// Takes the lock, and blocks until it is free.
    ///
    /// # Errors
    /// The lock's own.
    fn enter(&self) -> impl Future<Output = Result<Self::Guard<'_>>>;
}

impl Abide for Lock {
    type Guard<'a> = LockGuard<'a>;

    fn enter(&self) -> impl Future<Output = Result<LockGuard<'_>>> {
        self.lock()
    }
}

impl Abide for RLock {
    type Guard<'a> = RLockGuard<'a>;

    fn enter(&self) -> impl Future<Output = Result<RLockGuard<'_>>> {
        self.lock()
    }
}

impl Abide for Semaphore {
    type Guard<'a> = SemaphoreGuard<'a>;

    fn enter(&self) -> impl Future<Output = Result<SemaphoreGuard<'_>>> {
        self.acquire()
    }
}

impl Abide for BoundedSemaphore {
    type Guard<'a> = SemaphoreGuard<'a>;

    fn enter(&self) -> impl Future<Output = Result<SemaphoreGuard<'_>>> {
        self.acquire()
    }
}

/// The lock that the condition is about.
impl<L: Borrow<Lock>> Abide for Condition<L> {
    type Guard<'a>
        = LockGuard<'a>
    where
        Self: 'a;

    fn enter(&self) -> impl Future<Output = Result<LockGuard<'_>>> {
        self.lock()
    }
}

impl Abide for SharedLock {
    type Guard<'a> = SharedLockGuard<'a>;

    fn enter(&self) -> impl Future<Output = Result<SharedLockGuard<'_>>> {
        self.lock()
    }
}

impl<L: Abide + ?Sized> Abide for &L {
    type Guard<'a>
        = L::Guard<'a>
    where
        Self: 'a;

    fn enter(&self) -> impl Future<Output = Result<Self::Guard<'_>>> {
        (**self).enter()
    }
}

impl<L: Abide + ?Sized> Abide for Rc<L> {
    type Guard<'a>
        = L::Guard<'a>
    where
        Self: 'a;

    fn enter(&self) -> impl Future<Output = Result<Self::Guard<'_>>> {
        (**self).enter()
    }
}

/// What [`abide`](fn@abide) can call with an `A`. The compiler finds `Kind` by itself: there is one for each sort of function.
///
/// | a function | is called | and whoever waits gets |
/// |---|---|---|
/// | that can be a job: see [`workers`](crate::workers) | on another thread | what the job returns |
/// | an `async fn` that returns a [`Result<T>`](crate::Result) | in the task | that |
/// | an `async fn` that returns what can be serialised | in the task | `Ok` of it |
///
/// An `async fn` that is called in the task may be given anything, and may be a closure that captures what it needs.
#[diagnostic::on_unimplemented(
    message = "`abide` can't call `{Self}` with a `{A}`",
    note = "it calls an `async fn`; or a function that can be a job: one that captures nothing, and whose argument and result are `Serialize` and `DeserializeOwned`"
)]
pub trait Operation<A, Kind> {
    /// What comes of it.
    type Value;

    /// Calls it.
    #[doc(hidden)]
    fn perform(self, argument: A) -> impl Future<Output = Result<Self::Value>>;
}

impl<F, A, R> Operation<A, Plain> for F
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<Plain> + 'static,
{
    type Value = R::Value;

    fn perform(self, argument: A) -> impl Future<Output = Result<R::Value>> {
        block_in_thread(self, argument)
    }
}

impl<F, A, R> Operation<A, Fallible> for F
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<Fallible> + 'static,
{
    type Value = R::Value;

    fn perform(self, argument: A) -> impl Future<Output = Result<R::Value>> {
        block_in_thread(self, argument)
    }
}

impl<F, A, R, T> Operation<A, Asynchronous<Fallible>> for F
where
    F: FnOnce(A) -> R,
    R: Future<Output = Result<T>>,
{
    type Value = T;

    fn perform(self, argument: A) -> impl Future<Output = Result<T>> {
        self(argument)
    }
}

impl<F, A, R> Operation<A, Asynchronous<Plain>> for F
where
    F: FnOnce(A) -> R,
    R: Future,
    R::Output: JobOutput<Plain>,
{
    type Value = R::Output;

    async fn perform(self, argument: A) -> Result<R::Output> {
        Ok(self(argument).await)
    }
}
