//! Signals that are sent to this process, for those that watch them.
//!
//! A signal that may be watched is blocked in every thread, and read from a descriptor by the kernel's. If nobody watches
//! it then, it is delivered after all, so that it does what it always does.
//!
//! - `taken`: signals that this process takes
//! - `mask`: blocking them, and delivering one after all
//! - `watchers`: who watches which, and who ignores which
//! - `queue`: what has come and was not asked for yet

mod mask;
mod queue;
mod taken;
mod watchers;

pub(crate) use self::mask::deliver;
pub use self::taken::Signals;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name them in `pub` items"
)]
pub use self::watchers::{Ignorer, Watcher};
pub(crate) use self::watchers::{SharedWatchers, lock};
