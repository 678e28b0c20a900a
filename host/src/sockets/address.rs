//! Where sockets are bound and connected: addresses as guests see them, and as the system takes them.

use std::io;
use std::net::SocketAddr;

use rustix::net::{self, AddressFamily, SocketAddrAny, SocketAddrUnix};

use super::SocketError;
use super::socket::{Family, Socket};
use crate::permissions::SocketPath;

/// Where a socket is bound, or connected, or where a datagram came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Of the internet.
    Ip(SocketAddr),
    /// The path of a Unix socket.
    Unix(String),
    /// A Unix socket's that has no path, or none that is text; or none is told.
    Unnamed,
}

/// Where a guest may bind, or connect or send to: it was checked.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Of the internet.
    Ip(SocketAddr),
    /// A Unix socket's path, as the guest says it, and how it is granted.
    Unix(String, SocketPath),
}

impl Target {
    /// Checks that it is for a socket of a family.
    pub(super) fn check(&self, family: Family) -> Result<(), SocketError> {
        let fits = match self {
            Self::Ip(SocketAddr::V4(_)) => family == Family::Ipv4,
            Self::Ip(SocketAddr::V6(_)) => family == Family::Ipv6,
            Self::Unix(..) => family == Family::Unix,
        };
        if fits {
            return Ok(());
        }
        Err(SocketError::Argument(
            "the address is of another family than the socket",
        ))
    }
}

impl Address {
    /// What the system says.
    pub(super) fn from_system(address: SocketAddrAny) -> Self {
        if address.address_family() == AddressFamily::UNIX {
            let path = SocketAddrUnix::try_from(address).ok();
            let path = path.as_ref().and_then(SocketAddrUnix::path);
            let path = path.and_then(|path| path.to_str().ok().map(str::to_owned));
            return path.map_or(Self::Unnamed, Self::Unix);
        }
        SocketAddr::try_from(address).map_or(Self::Unnamed, Self::Ip)
    }

    /// As [`Address::from_system`], of an address that need not be there.
    pub(super) fn from_system_if_any(address: Option<SocketAddrAny>) -> Self {
        address.map_or(Self::Unnamed, Self::from_system)
    }
}

impl Socket {
    /// The local address.
    pub(crate) fn local_address(&self) -> Result<Address, SocketError> {
        let address = net::getsockname(self.system()?)?;
        Ok(match &self.path {
            Some(path) => Address::Unix(path.clone()),
            None => Address::from_system(address),
        })
    }

    /// The peer's address.
    pub(crate) fn peer_address(&self) -> Result<Address, SocketError> {
        let address = net::getpeername(self.system()?)?;
        Ok(Address::from_system_if_any(address))
    }
}

/// A path as the system takes it.
pub(super) fn unix(path: &std::path::Path) -> Result<SocketAddrAny, SocketError> {
    match SocketAddrUnix::new(path) {
        Ok(address) => Ok(address.into()),
        Err(rustix::io::Errno::NAMETOOLONG) => Err(SocketError::Argument(
            "the path of a Unix socket is too long for the system, which takes 107 bytes",
        )),
        Err(error) => Err(io::Error::from(error).into()),
    }
}
