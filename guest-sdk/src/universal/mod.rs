//! What tasks share with those of other threads and instances. The kernel has it; here are handles.
//!
//! The tasks of one instance take turns at a handle, first come, first served, and one of them stands in the kernel's line
//! for all: so handles take turns, too, whichever instance they are in.
//!
//! - `queue`, `event`, `result`, `lock`: the public types
//! - `reference`: what the clones of a value share, and how it gets elsewhere
//! - `bytes`: values as they travel; `failure`: errors

mod bytes;
mod event;
mod failure;
mod lock;
mod queue;
mod reference;
mod result;

pub use self::event::UniversalEvent;
pub use self::lock::{SharedLock, SharedLockGuard};
pub use self::queue::UniversalQueue;
pub use self::result::UniversalResult;
