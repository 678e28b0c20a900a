//! Where sockets are bound and connected.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::bindings::sockets as kernel;
use crate::error::{Error, Result};

/// What a Unix socket's path begins with, written as an address.
const SCHEME: &str = "unix:";

/// Where a socket is bound, or connected, or where a datagram came from.
///
/// It is written `127.0.0.1:25000`, `[::1]:25000`, or `unix:/run/app.sock`, as in `--allow-net` and
/// `--allow-listen`.
///
/// ```
/// use curio::socket::Address;
///
/// let address: Address = "127.0.0.1:25000".parse()?;
/// assert_eq!(address, Address::from(([127, 0, 0, 1], 25000)));
/// assert_eq!(address.port(), Some(25000));
///
/// let address: Address = "unix:/run/app.sock".parse()?;
/// assert_eq!(address, Address::unix("/run/app.sock"));
/// assert_eq!(address.to_string(), "unix:/run/app.sock");
/// # Ok::<(), curio::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// An internet address and a port.
    Ip(SocketAddr),
    /// The path of a Unix socket, in the file system of the host.
    Unix(PathBuf),
    /// That of a Unix socket which has no path, or none that is UTF-8; or nothing was said. Nothing can be sent there.
    Unnamed,
}

impl Address {
    /// The address of a Unix socket. The path is the host's; it must be absolute, without `.`, `..` or empty parts.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(path.into())
    }

    /// The internet address and port, if it is one.
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Unix(_) | Self::Unnamed => None,
        }
    }

    /// The port, if it is an internet address.
    pub fn port(&self) -> Option<u16> {
        self.ip().map(|address| address.port())
    }

    /// The path, if it is a Unix socket's.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Ip(_) | Self::Unnamed => None,
        }
    }

    /// As the kernel takes it.
    pub(super) fn to_kernel(&self) -> Result<kernel::Address> {
        Ok(match self {
            Self::Ip(SocketAddr::V4(v4)) => kernel::Address::Ipv4((*v4).into()),
            Self::Ip(SocketAddr::V6(v6)) => kernel::Address::Ipv6((*v6).into()),
            Self::Unix(path) => {
                let text = path.to_str().ok_or_else(|| {
                    Error::InvalidArgument(format!("the path {} is not UTF-8", path.display()))
                })?;
                kernel::Address::Unix(text.to_owned())
            }
            Self::Unnamed => kernel::Address::Unnamed,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{SCHEME}{}", path.display()),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    /// # Errors
    /// [`Error::InvalidArgument`].
    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix(SCHEME) {
            return Ok(Self::unix(path));
        }
        text.parse().map(Self::Ip).map_err(|_| {
            Error::InvalidArgument(format!(
                "{text} is no address such as 127.0.0.1:25000 or unix:/run/app.sock"
            ))
        })
    }
}

impl PartialEq<SocketAddr> for Address {
    fn eq(&self, other: &SocketAddr) -> bool {
        self.ip().as_ref() == Some(other)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<SocketAddrV4> for Address {
    fn from(address: SocketAddrV4) -> Self {
        Self::Ip(address.into())
    }
}

impl From<SocketAddrV6> for Address {
    fn from(address: SocketAddrV6) -> Self {
        Self::Ip(address.into())
    }
}

impl<I: Into<IpAddr>> From<(I, u16)> for Address {
    fn from(address: (I, u16)) -> Self {
        Self::Ip(address.into())
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Unix(path.to_owned())
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl TryFrom<Address> for SocketAddr {
    type Error = Error;

    /// # Errors
    /// [`Error::InvalidArgument`] if it is a Unix socket's.
    fn try_from(address: Address) -> Result<Self> {
        address.ip().ok_or_else(|| {
            Error::InvalidArgument(format!("the address {address} is none of the internet"))
        })
    }
}

impl From<kernel::Address> for Address {
    fn from(address: kernel::Address) -> Self {
        match address {
            kernel::Address::Ipv4(v4) => SocketAddrV4::from(v4).into(),
            kernel::Address::Ipv6(v6) => SocketAddrV6::from(v6).into(),
            kernel::Address::Unix(path) => Self::Unix(path.into()),
            kernel::Address::Unnamed => Self::Unnamed,
        }
    }
}

impl From<kernel::Ipv4SocketAddress> for SocketAddrV4 {
    fn from(v4: kernel::Ipv4SocketAddress) -> Self {
        let address: [u8; 4] = v4.address.into();
        Self::new(address.into(), v4.port)
    }
}

impl From<kernel::Ipv6SocketAddress> for SocketAddrV6 {
    fn from(v6: kernel::Ipv6SocketAddress) -> Self {
        let address: [u16; 8] = v6.address.into();
        Self::new(address.into(), v6.port, v6.flow_info, v6.scope_id)
    }
}

impl From<SocketAddrV4> for kernel::Ipv4SocketAddress {
    fn from(v4: SocketAddrV4) -> Self {
        Self {
            address: v4.ip().octets().into(),
            port: v4.port(),
        }
    }
}

impl From<SocketAddrV6> for kernel::Ipv6SocketAddress {
    fn from(v6: SocketAddrV6) -> Self {
        Self {
            address: v6.ip().segments().into(),
            port: v6.port(),
            flow_info: v6.flowinfo(),
            scope_id: v6.scope_id(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["127.0.0.1:0", "[::1]:80", "unix:/run/app.sock"] {
            let address: Address = text.parse().expect("it is an address");
            assert_eq!(address.to_string(), text);
        }
        for text in ["", "127.0.0.1", "/run/app.sock", "localhost:80"] {
            let error = text.parse::<Address>().expect_err("it is none");
            assert!(error.to_string().starts_with(text), "{error}");
        }
    }

    #[test]
    fn only_internet_addresses_are_socket_addrs() {
        let ip: SocketAddr = ([1, 2, 3, 4], 5).into();
        assert_eq!(Address::from(ip), ip);
        assert_eq!(SocketAddr::try_from(Address::from(ip)).ok(), Some(ip));
        assert!(SocketAddr::try_from(Address::unix("/s")).is_err());
        assert_ne!(Address::Unnamed, ip);
    }
}
