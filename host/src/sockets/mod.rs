//! Sockets: what the operating system does, without waiting. Waiting is the kernel's.
//!
//! - `tcp`: TCP sockets and their states
//! - `options`: socket options by name
//! - `names`: looking up hosts

mod names;
mod options;
mod tcp;

#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::names::Lookup;
pub(crate) use self::names::{Answer, Family, Known, LookupError, Named, Names, Question, Service};
#[cfg(test)]
pub(crate) use self::names::{Found, Resolver};
pub(crate) use self::options::{Name as OptionName, Option as SocketOption};
pub(crate) use self::tcp::SocketError;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::tcp::TcpSocket;
