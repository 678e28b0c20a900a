//! Synchronization of tasks: events, results, locks, semaphores, conditions.
//!
//! Waiting is first come, first served, and what is waited for is handed over: whoever comes later can't take it
//! in between. An operation that need not wait asks nothing of the kernel, and is no place where a
//! cancellation arrives. What a task has got already when it is interrupted, it has.
//!
//! A future that is dropped, by `select!` say, hands on what it was just given.
//!
//! All of it is for the tasks of one program: share it by `Rc`.

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
