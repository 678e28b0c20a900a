//! Why a socket operation fails.

use std::io;

use thiserror::Error;

use crate::limits::LimitExceeded;
use crate::permissions::Denied;

/// Why a socket operation fails.
#[derive(Debug, Error)]
pub(crate) enum SocketError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The socket is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(&'static str),
    /// What was granted turns out to lead elsewhere.
    #[error(transparent)]
    Refused(Denied),
    /// The instance has no memory left for it.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl From<SocketError> for io::Error {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Io(error) => error,
            error => Self::other(error),
        }
    }
}

impl From<rustix::io::Errno> for SocketError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}
