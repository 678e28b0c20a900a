//! Synchronization of tasks: events, results, locks, semaphores, conditions.
//!
//! Waiting is first come, first served, and what is waited for is handed over: whoever comes later can't take it
//! in between. An operation that need not wait asks nothing of the kernel, and is no place where a
//! cancellation arrives. What a task has got already when it is interrupted, it has.
//!
//! A future that is dropped, by `select!` say, hands on what it was just given.
//!
//! [`Event`], [`ResultCell`], [`Lock`], [`RLock`], [`Semaphore`] and [`Condition`] are for the tasks of one instance of a
//! program: share them by `Rc`. [`UniversalEvent`], [`UniversalResult`] and [`SharedLock`] are for the instances on one host
//! and their threads, too. They are handles: a clone is the same thing, and so is what is left of one that was serialised
//! and read elsewhere, as the argument of a function that runs on another thread is, or an item of a
//! [`UniversalQueue`](crate::queue::UniversalQueue). Such a reference keeps nothing: until it is read, somebody has to keep
//! the handle that it was made from: what a function on another thread is given is kept until that ends. If it comes too late, or in another process, what is read fails with that, whatever is
//! done with it.
//!
//! A thread that is stopped leaves all lines that it stands in, and what it was to get goes to others. That takes a
//! moment, in which it may still get it.

mod condition;
mod event;
mod lock;
mod result;
mod rlock;
mod semaphore;

pub use self::condition::Condition;
pub use self::event::Event;
pub use self::lock::{Lock, LockGuard};
pub use self::result::ResultCell;
pub use self::rlock::{RLock, RLockGuard};
pub use self::semaphore::{BoundedSemaphore, Semaphore, SemaphoreGuard};
pub use crate::universal::{SharedLock, SharedLockGuard, UniversalEvent, UniversalResult};
