//! Errors as they travel between instances: their family, and their texts.

use std::io;

use crate::error::Error;
use crate::told::{Told, causes};

/// An error as it travels: its family, what it says, and what its causes say.
pub(super) type Parts = (u8, String, Vec<String>);

const CANCELLED: u8 = 0;
const TIMEOUT: u8 = 1;
const REFUSED: u8 = 2;
const LIMIT: u8 = 3;
const BUSY: u8 = 4;
const CLOSED: u8 = 5;
const STATE: u8 = 6;
const ARGUMENT: u8 = 7;
const AUTHENTICATION: u8 = 8;
const OTHER: u8 = 9;
/// From here on, errors of the system's.
const IO: u8 = 16;

/// Those that a program may want to tell apart, in an order that is for ever that of one build.
const KINDS: [io::ErrorKind; 26] = [
    io::ErrorKind::Other,
    io::ErrorKind::NotFound,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::NotConnected,
    io::ErrorKind::AddrInUse,
    io::ErrorKind::AddrNotAvailable,
    io::ErrorKind::HostUnreachable,
    io::ErrorKind::NetworkUnreachable,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::AlreadyExists,
    io::ErrorKind::NotADirectory,
    io::ErrorKind::IsADirectory,
    io::ErrorKind::DirectoryNotEmpty,
    io::ErrorKind::ReadOnlyFilesystem,
    io::ErrorKind::InvalidInput,
    io::ErrorKind::InvalidData,
    io::ErrorKind::TimedOut,
    io::ErrorKind::StorageFull,
    io::ErrorKind::QuotaExceeded,
    io::ErrorKind::FileTooLarge,
    io::ErrorKind::UnexpectedEof,
    io::ErrorKind::OutOfMemory,
    io::ErrorKind::Unsupported,
];

/// Takes an error apart.
pub(super) fn parts(error: &Error) -> Parts {
    (family(error), error.to_string(), causes(error))
}

fn family(error: &Error) -> u8 {
    match error {
        Error::TaskTimeout(_) | Error::TimeoutCancellation(_) | Error::UncaughtTimeout => TIMEOUT,
        Error::Shared(error) => family(error),
        Error::Refused(_) => REFUSED,
        Error::Limit(_) => LIMIT,
        Error::ResourceBusy => BUSY,
        Error::Closed => CLOSED,
        Error::InvalidState(_) => STATE,
        Error::InvalidArgument(_) => ARGUMENT,
        Error::Authentication(_) => AUTHENTICATION,
        Error::Io(error) => {
            let kind = KINDS.iter().position(|kind| *kind == error.kind());
            IO + u8::try_from(kind.unwrap_or(0)).unwrap_or(0)
        }
        error if error.is_timeout() => TIMEOUT,
        error if error.is_cancellation() => CANCELLED,
        _ => OTHER,
    }
}

/// Puts an error together.
pub(super) fn error((family, message, causes): Parts) -> Error {
    match family {
        CANCELLED => Error::TaskCancelled,
        TIMEOUT => Error::UncaughtTimeout,
        REFUSED => Error::Refused(message),
        LIMIT => Error::Limit(message),
        BUSY => Error::ResourceBusy,
        CLOSED => Error::Closed,
        STATE => Error::InvalidState(message),
        ARGUMENT => Error::InvalidArgument(message),
        AUTHENTICATION => Error::Authentication(message),
        family => {
            let told = Told::new(message, causes);
            let kind = family.checked_sub(IO);
            match kind.and_then(|kind| KINDS.get(usize::from(kind))) {
                Some(kind) => Error::Io(io::Error::new(*kind, told)),
                None => Error::Other(Box::new(told)),
            }
        }
    }
}
