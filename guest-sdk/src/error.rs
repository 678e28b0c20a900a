//! What can go wrong: curio's families of errors.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::bindings::types;
use crate::partial::{Partial, interruption_in};
use crate::ssl::SslError;
use crate::subprocess::{CalledProcessError, Output, TimeoutExpired};
use crate::time::Instant;
use crate::workers::JobError;

/// What a blocking operation returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation did not do what it was asked to.
///
/// Cancellation and timeouts arrive as an error too, at the operation where the task is blocked.
/// They are a family of their own, which [`Error::is_cancellation`] tells from the rest: whoever catches
/// one to clean up should pass it on afterwards.
///
/// `Debug` writes what `Display` does, since that is how `fn main` prints an error it returns.
#[doc(alias = "CurioError")]
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The task was cancelled.
    #[error("the task was cancelled")]
    TaskCancelled,
    /// The timeout block that the task is in expired.
    #[error("timed out")]
    TaskTimeout(TimedOut),
    /// An outer timeout block expired, and this is how it leaves an inner one.
    #[doc(alias = "TimeoutCancellationError")]
    #[error("cancelled by the timeout of an outer block")]
    TimeoutCancellation(TimedOut),
    /// The timeout of an inner block came out of it and was not handled. Not a cancellation.
    #[doc(alias = "UncaughtTimeoutError")]
    #[error("the timeout of an inner block was not handled")]
    UncaughtTimeout,
    /// A task that was joined had failed.
    #[doc(alias = "TaskError")]
    #[error(transparent)]
    Task(#[from] TaskError),
    /// An error that several are told of: what a task failed with, say.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// A job that a worker was to do has failed; `source()` leads to the causes.
    #[error(transparent)]
    Job(#[from] JobError),
    /// An operation was interrupted when a part of it was done: [`Error::moved`] says how much, and
    /// `source()` by what. Timeouts say that themselves, and errors of the system's too.
    #[error(transparent)]
    Partial(Partial),
    /// The operating system said no.
    #[error(transparent)]
    Io(io::Error),
    /// A peer could not show that it has the key, or does not believe that this program has it.
    #[error("{0}")]
    Authentication(String),
    /// A TLS connection failed.
    #[error(transparent)]
    Ssl(#[from] SslError),
    /// A program that was run has failed, and that was to be an error.
    #[error(transparent)]
    CalledProcess(#[from] CalledProcessError),
    /// A program that was run took too long, and was killed.
    #[error(transparent)]
    TimeoutExpired(#[from] TimeoutExpired),
    /// The program has no right to do this. The text says what was refused, and which flag allows it.
    #[error("{0}")]
    Refused(String),
    /// A limit was reached. The text says which, and which flag raises it.
    #[error("{0}")]
    Limit(String),
    /// Another task already waits for the same thing.
    #[doc(alias = "ReadResourceBusy")]
    #[doc(alias = "WriteResourceBusy")]
    #[error("another task already waits for this")]
    ResourceBusy,
    /// What the task waited for, or wanted to do something with, is closed.
    #[error("it is closed")]
    Closed,
    /// Something is not in a state in which this can be done.
    #[error("{0}")]
    InvalidState(String),
    /// An argument makes no sense.
    #[error("{0}")]
    InvalidArgument(String),
    /// An error of the program's own.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps an error of the program's own.
    ///
    /// ```
    /// let error = curio::Error::other("the cat is out");
    /// assert_eq!(error.to_string(), "the cat is out");
    /// assert!(!error.is_cancellation());
    /// ```
    ///
    /// If it has come from an interruption, as the error of a protocol may that was spoken over a socket, the
    /// interruption comes out instead.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let error = error.into();
        interruption_in(&*error).unwrap_or(Self::Other(error))
    }

    /// Whether the task was interrupted: by a cancellation, or by a timeout of its own.
    #[doc(alias = "CancelledError")]
    pub fn is_cancellation(&self) -> bool {
        match self {
            Self::TaskCancelled | Self::TaskTimeout(_) | Self::TimeoutCancellation(_) => true,
            Self::Shared(error) => error.is_cancellation(),
            Self::Partial(partial) => partial.cause.is_cancellation(),
            _ => false,
        }
    }

    /// Whether it is a timeout of a block that the task is in: [`Error::TaskTimeout`] or
    /// [`Error::TimeoutCancellation`].
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TaskTimeout(_) | Self::TimeoutCancellation(_) => true,
            Self::Shared(error) => error.is_timeout(),
            Self::Partial(partial) => partial.cause.is_timeout(),
            _ => false,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// When a timeout came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedOut {
    pub(crate) at: Instant,
    /// How much the operation had done.
    pub(crate) moved: Option<u64>,
    /// What a program that was run had written.
    pub(crate) output: Option<Arc<Output>>,
}

impl TimedOut {
    pub(crate) fn new(at: Instant) -> Self {
        Self {
            at,
            moved: None,
            output: None,
        }
    }

    /// The time on the kernel's clock.
    pub fn at(&self) -> Instant {
        self.at
    }
}

/// A task failed; `source()` is the error it failed with.
#[derive(Clone, Debug)]
pub struct TaskError {
    name: String,
    cause: Arc<Error>,
}

impl TaskError {
    pub(crate) fn new(name: String, cause: Arc<Error>) -> Self {
        Self { name, cause }
    }

    /// The task's name.
    pub fn task_name(&self) -> &str {
        &self.name
    }

    /// What the task failed with.
    #[doc(alias = "__cause__")]
    pub fn cause(&self) -> &Error {
        &self.cause
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} failed: {}", self.name, self.cause)
    }
}

impl std::error::Error for TaskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

impl From<io::Error> for Error {
    /// An error that was made an [`io::Error`] for the sake of some other crate comes out as it was.
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::WouldBlock => Self::Io(io::ErrorKind::WouldBlock.into()),
            types::Error::Refused(text) => Self::Refused(text),
            types::Error::Limit(text) => Self::Limit(text),
            types::Error::InvalidState(text) => Self::InvalidState(text),
            types::Error::InvalidArgument(text) => Self::InvalidArgument(text),
            types::Error::Tls(error) => Self::Ssl(error.into()),
            types::Error::Os(error) => Self::Io(io::Error::new(kind(error.code), error.message)),
        }
    }
}

/// `None` of what would block.
pub(crate) fn tried<T>(result: Result<T, types::Error>) -> Result<Option<T>> {
    match result {
        Err(types::Error::WouldBlock) => Ok(None),
        result => Ok(Some(result?)),
    }
}

fn kind(code: types::ErrorCode) -> io::ErrorKind {
    use io::ErrorKind as Kind;
    use types::ErrorCode as Code;

    match code {
        Code::AddressInUse => Kind::AddrInUse,
        Code::AddressNotAvailable => Kind::AddrNotAvailable,
        Code::AlreadyExists => Kind::AlreadyExists,
        Code::AccessDenied => Kind::PermissionDenied,
        Code::BrokenPipe => Kind::BrokenPipe,
        Code::ConnectionAborted => Kind::ConnectionAborted,
        Code::ConnectionRefused => Kind::ConnectionRefused,
        Code::ConnectionReset => Kind::ConnectionReset,
        Code::DirectoryNotEmpty => Kind::DirectoryNotEmpty,
        Code::FileTooLarge => Kind::FileTooLarge,
        Code::HostUnreachable => Kind::HostUnreachable,
        Code::InvalidInput => Kind::InvalidInput,
        Code::IsADirectory => Kind::IsADirectory,
        Code::NetworkUnreachable => Kind::NetworkUnreachable,
        Code::NoSpace => Kind::StorageFull,
        Code::NotADirectory => Kind::NotADirectory,
        Code::NotConnected => Kind::NotConnected,
        Code::NameNotFound | Code::NotFound => Kind::NotFound,
        Code::OutOfDescriptors => Kind::QuotaExceeded,
        Code::OutOfMemory => Kind::OutOfMemory,
        Code::NoAnswer | Code::TimedOut => Kind::TimedOut,
        Code::ReadOnly => Kind::ReadOnlyFilesystem,
        Code::Unsupported => Kind::Unsupported,
        Code::Other => Kind::Other,
    }
}
