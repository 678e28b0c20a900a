//! Waiting for descriptors: the kernel's view of the operating system's event queue.
//!
//! - [`MioSelector`]: the real one, on `mio`
//! - `Simulated`: one that tests drive by hand
//!
//! Beside that, `table` makes room for descriptors in time.
//!
//! Events are edge-triggered: a descriptor is registered once, for both directions, and an event
//! says that something *became* possible. Whoever uses the descriptor goes on until the system
//! says that it would block.

mod mio;
#[cfg(test)]
mod simulated;
mod table;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::mio::MioSelector;
#[cfg(test)]
pub(crate) use self::simulated::Simulated;
pub(crate) use self::table::reserve_descriptors;

/// What became possible with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The number under which the descriptor was registered.
    pub token: u64,
    /// There is something to read, or to accept, or the peer has closed.
    pub readable: bool,
    /// There is room to write, or a connection attempt has ended.
    pub writable: bool,
    /// Reading never blocks again: what is left comes, and then the end or an error.
    pub closed: bool,
}

/// Ends a [`Selector::select`] from another thread.
pub(crate) trait Alarm: Send + Sync + fmt::Debug {
    /// Makes the current call of `select`, or the next one, return at once.
    fn ring(&self);
}

/// An edge-triggered event queue over descriptors.
pub(crate) trait Selector: Send + fmt::Debug {
    /// Watches a descriptor, in both directions, under the number `token`.
    fn register(&mut self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()>;

    /// Stops watching a descriptor. To be called before it is closed.
    fn deregister(&mut self, fd: BorrowedFd<'_>) -> io::Result<()>;

    /// Waits until something happens or `timeout` has passed (`None`: for as long as it takes), and
    /// appends what happened to `events`.
    fn select(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()>;

    /// The alarm that ends a `select` from another thread.
    fn alarm(&self) -> Arc<dyn Alarm>;
}
