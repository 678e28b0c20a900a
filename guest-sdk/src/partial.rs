//! Operations that were ended in the middle: how much they had done.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use crate::error::{Error, Result, TimedOut};
use crate::subprocess::Output;

/// What interrupted an operation, and how much of it was done: see [`Error::moved`].
#[derive(Debug)]
pub struct Partial {
    pub(crate) cause: Box<Error>,
    moved: u64,
    output: Option<Arc<Output>>,
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

/// Moves all of `data`, by steps that say how much they have moved. An error says how much had been before.
pub(crate) async fn move_all(
    data: &[u8],
    step: impl AsyncFn(&[u8]) -> Result<usize>,
) -> Result<()> {
    let mut moved = 0;
    while moved < data.len() {
        match step(&data[moved..]).await {
            Ok(more) => moved += more,
            Err(error) => return Err(error.with_moved(moved)),
        }
    }
    Ok(())
}

impl Error {
    /// How many bytes an operation had moved when it failed or was interrupted. Only those operations tell that
    /// may end in the middle; what the number means is said there. It may be `None` if there were none.
    ///
    /// ```no_run
    /// # async fn example(mut stream: curio::io::SocketStream, data: &[u8]) -> curio::Result<()> {
    /// use std::time::Duration;
    ///
    /// let written = curio::timeout_after(Duration::from_secs(1), stream.write(data)).await;
    /// if let Err(error) = written {
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
                output: None,
            }),
        }
    }

    /// What a program had written when [`Command::run`](crate::subprocess::Command::run) or one of its kin failed, or was
    /// interrupted; none of any other operation.
    ///
    /// ```no_run
    /// # async fn example() -> curio::Result<()> {
    /// use std::time::Duration;
    ///
    /// use curio::subprocess::Command;
    ///
    /// let ping = Command::new("ping").arg("localhost").capture_output().run();
    /// if let Err(error) = curio::timeout_after(Duration::from_secs(3), ping).await {
    ///     let so_far = error.output().map_or(&b""[..], |output| &output.stdout);
    ///     println!("{error}: {}", so_far.escape_ascii());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "stdout")]
    #[doc(alias = "stderr")]
    pub fn output(&self) -> Option<&Output> {
        match self {
            Self::TaskTimeout(timed_out) | Self::TimeoutCancellation(timed_out) => {
                timed_out.output.as_deref()
            }
            Self::Partial(partial) => partial.output.as_deref(),
            Self::Shared(error) => error.output(),
            Self::CalledProcess(error) => Some(error.output()),
            Self::TimeoutExpired(error) => Some(error.output()),
            _ => None,
        }
    }

    /// The same error, of a program that had written this.
    pub(crate) fn with_output(self, output: Output) -> Self {
        let moved = output.len() as u64;
        let output = Some(Arc::new(output));
        let timed_out = |timed_out| TimedOut {
            moved: Some(moved),
            output: output.clone(),
            ..timed_out
        };
        match self {
            Self::TaskTimeout(cause) => Self::TaskTimeout(timed_out(cause)),
            Self::TimeoutCancellation(cause) => Self::TimeoutCancellation(timed_out(cause)),
            Self::Partial(Partial { cause, .. }) => Self::Partial(Partial {
                cause,
                moved,
                output,
            }),
            cause => Self::Partial(Partial {
                cause: Box::new(cause),
                moved,
                output,
            }),
        }
    }

    /// The end of a stream in the middle of something.
    pub(crate) fn end_of_stream(text: &str, moved: usize) -> Self {
        Self::Io(io::Error::new(io::ErrorKind::UnexpectedEof, text)).with_moved(moved)
    }
}

/// The interruption that an error has come from, if it has.
pub(crate) fn interruption_in(error: &(dyn StdError + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inside = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().and_then(|inside| inside.downcast_ref()),
            None => error.downcast_ref(),
        };
        match inside {
            Some(Error::TaskCancelled) => return Some(Error::TaskCancelled),
            Some(Error::TaskTimeout(timed_out)) => {
                return Some(Error::TaskTimeout(timed_out.clone()));
            }
            Some(Error::TimeoutCancellation(timed_out)) => {
                return Some(Error::TimeoutCancellation(timed_out.clone()));
            }
            _ => next = error.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    #[test]
    fn every_error_can_say_how_much_was_moved() {
        let timed_out = TimedOut::new(Instant::from_nanos(7));
        let errors = [
            Error::TaskCancelled,
            Error::TaskTimeout(timed_out.clone()),
            Error::TimeoutCancellation(timed_out),
            Error::Io(io::Error::new(io::ErrorKind::BrokenPipe, "gone")),
            Error::other("of one's own"),
        ];
        for error in errors {
            assert_eq!(error.moved(), None);
            let (text, cancellation) = (error.to_string(), error.is_cancellation());
            let error = error.with_moved(5).with_moved(6);
            assert_eq!(error.moved(), Some(6));
            assert_eq!(error.to_string(), text);
            assert_eq!(error.is_cancellation(), cancellation);
        }
    }

    #[test]
    fn an_error_of_the_system_s_keeps_its_kind() {
        let error = Error::end_of_stream("no more", 3).with_moved(4);
        let Error::Io(error) = error else {
            panic!("it was of the system's");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(error.to_string(), "no more");
    }

    #[test]
    fn an_interruption_comes_out_of_another_error() {
        let inside = io::Error::other(Error::TaskCancelled);
        assert!(matches!(Error::from(inside), Error::TaskCancelled));
        let inside = io::Error::other(Error::TaskCancelled);
        assert!(matches!(Error::other(inside), Error::TaskCancelled));
        let partial = io::Error::other(Error::TaskCancelled.with_moved(1));
        assert!(Error::other(partial).is_cancellation());
        assert!(!Error::other(io::Error::other("x")).is_cancellation());
    }
}
