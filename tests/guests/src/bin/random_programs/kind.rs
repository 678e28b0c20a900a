//! Errors as they are compared: what was foretold with what came.

use curio::Error;

/// An error of a task's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cancelled,
    /// When the timeout came, in nanoseconds.
    Timeout(u64),
    TimeoutCancellation(u64),
    UncaughtTimeout,
    /// The program's own, with its text.
    Own(String),
    /// A joined task failed with this.
    Task(Box<Kind>),
    InvalidState,
    /// What should never come.
    Strange(String),
}

impl Kind {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::TaskCancelled => Self::Cancelled,
            Error::TaskTimeout(timed_out) => Self::Timeout(timed_out.at().as_nanos()),
            Error::TimeoutCancellation(timed_out) => {
                Self::TimeoutCancellation(timed_out.at().as_nanos())
            }
            Error::UncaughtTimeout => Self::UncaughtTimeout,
            Error::Task(error) => Self::Task(Box::new(Self::of(error.cause()))),
            Error::Shared(error) => Self::of(error),
            Error::InvalidState(_) => Self::InvalidState,
            Error::Other(error) => Self::Own(error.to_string()),
            other => Self::Strange(other.to_string()),
        }
    }

    /// When a timeout came that goes on outwards.
    pub(crate) fn timed_out_at(&self) -> Option<u64> {
        match self {
            Self::Timeout(at) | Self::TimeoutCancellation(at) => Some(*at),
            _ => None,
        }
    }
}
