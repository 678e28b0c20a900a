//! Operations that were ended in the middle: how much they had done.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::error::Error;

/// What interrupted an operation, and how much of it was done: see [`Error::moved`].
#[derive(Debug)]
pub struct Partial {
    pub(crate) cause: Box<Error>,
    moved: u64,
}

/// An error of the system's that came when a part was done.
#[derive(Debug)]
struct PartialIo {
    cause: io::Error,
    moved: u64,
}

impl Partial {
    /// What the operation was interrupted with.
    pub fn cause(&self) -> &Error {
        &self.cause
    }
}

impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl StdError for Partial {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}

impl fmt::Display for PartialIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl StdError for PartialIo {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.cause)
    }
}

impl Error {
    /// How many bytes an operation had moved when it failed or was interrupted. Only those operations tell that
    /// may end in the middle; what the number means is said there. It may be `None` if there were none.
    ///
    /// ```no_run
    /// # async fn example(socket: curio::Socket, data: &[u8]) -> curio::Result<()> {
    /// use std::time::Duration;
    ///
    /// let sent = curio::timeout_after(Duration::from_secs(1), socket.send_all(data)).await;
    /// if let Err(error) = sent {
    ///     println!("{error} after {} bytes", error.moved().unwrap_or(0));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "bytes_read")]
    #[doc(alias = "bytes_written")]
    #[doc(alias = "bytes_sent")]
    pub fn moved(&self) -> Option<u64> {
        match self {
            Self::TaskTimeout(timed_out) | Self::TimeoutCancellation(timed_out) => timed_out.moved,
            Self::Partial(partial) => Some(partial.moved),
            Self::Shared(error) => error.moved(),
            Self::Io(error) => {
                let partial = error.get_ref()?.downcast_ref::<PartialIo>()?;
                Some(partial.moved)
            }
            _ => None,
        }
    }

    /// The same error, of an operation that had moved so many bytes.
    pub(crate) fn with_moved(self, moved: usize) -> Self {
        let moved = moved as u64;
        match self {
            Self::TaskTimeout(mut timed_out) => {
                timed_out.moved = Some(moved);
                Self::TaskTimeout(timed_out)
            }
            Self::TimeoutCancellation(mut timed_out) => {
                timed_out.moved = Some(moved);
                Self::TimeoutCancellation(timed_out)
            }
            Self::Partial(partial) => Self::Partial(Partial { moved, ..partial }),
            Self::Io(error) => {
                let kind = error.kind();
                let cause = match error.downcast::<PartialIo>() {
                    Ok(partial) => partial.cause,
                    Err(error) => error,
                };
                Self::Io(io::Error::new(kind, PartialIo { cause, moved }))
            }
            cause if moved == 0 => cause,
            cause => Self::Partial(Partial {
                cause: Box::new(cause),
                moved,
            }),
        }
    }
}
