//! What instances share: queues, events, results and locks, be these instances on one thread or on several.
//!
//! An object lives as long as somebody has a handle of it. Nobody waits here: a handle stands in line, and is called by a
//! message through the door of its own kernel.
//!
//! - `handle`: what a guest has of an object
//! - `registry`: how an object is found from elsewhere
//! - `line`: who waits for what is handed to one; `rounds`: who waits for what happens to all
//! - `place`: where a handle stands, and how it is called
//! - `queue`, `event`, `cell`, `lock`: the objects

mod cell;
mod event;
mod handle;
mod line;
mod lock;
mod place;
mod queue;
mod registry;
mod rounds;
#[cfg(test)]
mod tests;

use std::io;

#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::cell::ResultCell;
pub(crate) use self::cell::Set;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::event::Event;
pub(crate) use self::handle::{Handle, Standing, State};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::lock::Lock;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::queue::Queue;
pub(crate) use self::queue::Side;
pub(crate) use self::registry::{Key, Registry};
use crate::limits::LimitExceeded;

/// How many bytes an item may have, or a result: somewhat less than a guest may pass with one call.
const MAX_ITEM: usize = 16_000_000;

/// Why something can't be done with a shared object.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    /// Not yet. The handle stands in line.
    #[error("not yet")]
    NotYet,
    /// It is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(String),
    /// There is no memory for it.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Checks that something is not too big to be kept.
fn check_size(bytes: &[u8]) -> Result<(), SharedError> {
    if bytes.len() > MAX_ITEM {
        return Err(SharedError::Argument(format!(
            "{} bytes are too many for one item, which has at most {MAX_ITEM}; split it",
            bytes.len()
        )));
    }
    Ok(())
}
