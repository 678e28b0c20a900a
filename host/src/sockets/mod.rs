//! Sockets: what the operating system does, without waiting. Waiting is the kernel's.
//!
//! - `socket`: a socket of whatever kind, and its states
//! - `connecting`: accepting and connecting; `closing`
//! - `transfer`: what goes through it; `passing`: sockets that do
//! - `address`: where it is bound or connected; `place`: the paths of Unix sockets
//! - `adopt`: sockets that somebody else has made; `inherited`: those that are there from the start
//! - `options`: socket options by name; `buffers`: the memory that a socket may take of the system
//! - `names`: looking up hosts

mod address;
mod adopt;
mod buffers;
mod closing;
mod connecting;
mod error;
mod inherited;
mod names;
mod options;
mod passing;
mod place;
mod socket;
mod transfer;

pub(crate) use self::address::{Address, Target};
pub(crate) use self::error::SocketError;
pub use self::inherited::InheritedSockets;
pub(crate) use self::inherited::{Missing, Which};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::names::Lookup;
pub(crate) use self::names::{
    Answer, IpFamily, Known, LookupError, Named, Names, Question, Service,
};
#[cfg(test)]
pub(crate) use self::names::{Found, Resolver};
pub(crate) use self::options::{Name as OptionName, Option as SocketOption};
pub(crate) use self::passing::{Lingering, MAX_PASSED};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::socket::Socket;
pub(crate) use self::socket::{Family, Kind};
