//! Programs of the host's, run as child processes. Nothing here waits, but for the system to start a program.
//!
//! Invariant: every child is reaped. The kernel watches it from its start, and takes its status as soon as it ends,
//! whoever has the handle; what an instance leaves behind is killed.
//!
//! - `program`: whether a guest can change a program's file
//! - `spawn`: starting a program
//! - `child`: one that was started
//! - `pipe`: the guest's ends of its pipes

mod child;
mod pipe;
mod program;
mod spawn;

#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::child::Child;
pub(crate) use self::child::{Children, ExitStatus, Spawned};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::pipe::Pipe;
pub(crate) use self::program::can_be_changed;
pub(crate) use self::spawn::{Command, Stream};

/// Why something can't be done with a child or its pipes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// The system said no, or that it would block.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(&'static str),
    /// There may be no further process.
    #[error(transparent)]
    Limit(#[from] crate::limits::LimitExceeded),
}

impl From<rustix::io::Errno> for ChildError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}
