//! All conversions of errors into what a guest is told, or into the fault that ends it.

use std::io;

use wasmtime::component::ResourceTableError;

use super::Guest;
use crate::bindings::types;
use crate::kernel::Fault;
use crate::limits::LimitExceeded;
use crate::permissions::Denied;

/// How a trap fails.
#[derive(Debug)]
pub(crate) enum TrapError {
    /// The guest is told.
    Told(types::Error),
    /// The guest broke the contract, and ends.
    Fault(wasmtime::Error),
}

impl TrapError {
    /// The resource is not in a state in which this can be done.
    pub(crate) fn invalid_state(what: &str) -> Self {
        Self::Told(types::Error::InvalidState(what.to_owned()))
    }

    /// An argument makes no sense.
    pub(crate) fn invalid_argument(what: &str) -> Self {
        Self::Told(types::Error::InvalidArgument(what.to_owned()))
    }
}

impl From<io::Error> for TrapError {
    fn from(error: io::Error) -> Self {
        Self::Told(told(&error))
    }
}

impl From<Denied> for TrapError {
    fn from(denied: Denied) -> Self {
        Self::Told(types::Error::Refused(denied.to_string()))
    }
}

impl From<LimitExceeded> for TrapError {
    fn from(limit: LimitExceeded) -> Self {
        Self::Told(types::Error::Limit(limit.to_string()))
    }
}

impl From<Fault> for TrapError {
    fn from(fault: Fault) -> Self {
        Self::Fault(wasmtime::Error::new(fault))
    }
}

impl From<ResourceTableError> for TrapError {
    fn from(error: ResourceTableError) -> Self {
        Self::Fault(wasmtime::Error::new(error))
    }
}

impl From<wasmtime::Error> for TrapError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Fault(error)
    }
}

impl types::Host for Guest {
    fn convert_error(&mut self, error: TrapError) -> wasmtime::Result<types::Error> {
        match error {
            TrapError::Told(error) => Ok(error),
            TrapError::Fault(fault) => Err(fault),
        }
    }
}

/// What a guest is told of an operating system's error.
pub(crate) fn told(error: &io::Error) -> types::Error {
    use types::ErrorCode as Code;

    if error.kind() == io::ErrorKind::WouldBlock {
        return types::Error::WouldBlock;
    }
    let code = match error.kind() {
        io::ErrorKind::AddrInUse => Code::AddressInUse,
        io::ErrorKind::AddrNotAvailable => Code::AddressNotAvailable,
        io::ErrorKind::PermissionDenied => Code::AccessDenied,
        io::ErrorKind::BrokenPipe => Code::BrokenPipe,
        io::ErrorKind::ConnectionAborted => Code::ConnectionAborted,
        io::ErrorKind::ConnectionRefused => Code::ConnectionRefused,
        io::ErrorKind::ConnectionReset => Code::ConnectionReset,
        io::ErrorKind::HostUnreachable => Code::HostUnreachable,
        io::ErrorKind::InvalidInput => Code::InvalidInput,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => Code::NetworkUnreachable,
        io::ErrorKind::NotConnected => Code::NotConnected,
        io::ErrorKind::NotFound => Code::NotFound,
        io::ErrorKind::OutOfMemory => Code::OutOfMemory,
        io::ErrorKind::TimedOut => Code::TimedOut,
        io::ErrorKind::Unsupported => Code::Unsupported,
        _ => by_number(error),
    };
    types::Error::Os(types::OsError {
        code,
        message: error.to_string(),
    })
}

/// The errors that the standard library has no name for.
fn by_number(error: &io::Error) -> types::ErrorCode {
    use nix::errno::Errno;

    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS) => types::ErrorCode::OutOfDescriptors,
        Some(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP | Errno::ENOPROTOOPT) => {
            types::ErrorCode::Unsupported
        }
        _ => types::ErrorCode::Other,
    }
}
