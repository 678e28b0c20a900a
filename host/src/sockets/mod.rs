//! Sockets: what the operating system does, without waiting. Waiting is the kernel's.
//!
//! - `tcp`: TCP sockets and their states
//! - `options`: socket options by name

mod options;
mod tcp;

pub(crate) use self::options::{Name as OptionName, Option as SocketOption};
pub(crate) use self::tcp::SocketError;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::tcp::TcpSocket;
