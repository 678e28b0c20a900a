//! Where to connect to, or to listen: a host and a port, or a path.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names::{IpFamily, getaddrinfo};
use crate::socket::Address;

/// A host, by name or by address, and a port; or the path of a Unix socket.
///
/// ```
/// use curio::network::Endpoint;
///
/// let by_name = Endpoint::from(("example.com", 80));
/// assert_eq!("example.com:80".parse::<Endpoint>()?, by_name);
/// let by_address = Endpoint::from(("::1", 80));
/// assert_eq!("[::1]:80".parse::<Endpoint>()?, by_address);
/// let by_path = Endpoint::from(curio::socket::Address::unix("/run/app.sock"));
/// assert_eq!("unix:/run/app.sock".parse::<Endpoint>()?, by_path);
/// # Ok::<(), curio::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Address(Address),
    Name(String, u16),
}

impl Endpoint {
    /// The name of the host, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Address(_) => None,
            Kind::Name(name, _) => Some(name),
        }
    }

    /// The host: its name, or its address as text. A path is of none.
    pub fn host(&self) -> Option<String> {
        match &self.0 {
            Kind::Address(address) => Some(address.ip()?.ip().to_string()),
            Kind::Name(name, _) => Some(name.clone()),
        }
    }

    /// The port. A path has none.
    pub fn port(&self) -> Option<u16> {
        match &self.0 {
            Kind::Address(address) => address.port(),
            Kind::Name(_, port) => Some(*port),
        }
    }

    /// The addresses of the host, the best one first. For one that is given by address, this never blocks.
    ///
    /// # Errors
    /// As [`getaddrinfo`]; [`Error::InvalidArgument`] if it is the path of a Unix socket.
    ///
    /// # Cancellation
    /// The lookup is given up.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>> {
        match &self.0 {
            Kind::Address(address) => Ok(vec![address.clone().try_into()?]),
            Kind::Name(name, port) => getaddrinfo(name, *port, None).await,
        }
    }

    /// The path, if it is that of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Address(address) => address.path(),
            Kind::Name(..) => None,
        }
    }

    /// Where to listen.
    pub(super) async fn local(&self, family: Option<IpFamily>) -> Result<Address> {
        let (name, port) = match &self.0 {
            Kind::Address(address) => return in_family(address.clone(), family),
            Kind::Name(name, port) => (name, *port),
        };
        let wanted = family.unwrap_or(IpFamily::V4);
        let is_local = name.eq_ignore_ascii_case("localhost");
        let address: IpAddr = match wanted {
            IpFamily::V4 if name.is_empty() => Ipv4Addr::UNSPECIFIED.into(),
            IpFamily::V6 if name.is_empty() => Ipv6Addr::UNSPECIFIED.into(),
            IpFamily::V4 if is_local => Ipv4Addr::LOCALHOST.into(),
            IpFamily::V6 if is_local => Ipv6Addr::LOCALHOST.into(),
            _ => {
                let found = getaddrinfo(name, port, wanted).await?;
                let first = found.first().copied().map(Address::Ip);
                return first.ok_or_else(|| Error::InvalidArgument(format!("{self} is nowhere")));
            }
        };
        Ok((address, port).into())
    }
}

/// Checks that an address is of the family that is wanted.
fn in_family(address: Address, wanted: Option<IpFamily>) -> Result<Address> {
    let is = address.ip().map(|address| IpFamily::of(address.ip()));
    match wanted {
        Some(family) if Some(family) != is => {
            let text = format!("{address} is no address of {family}");
            Err(Error::InvalidArgument(text))
        }
        _ => Ok(address),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Address(address) => address.fmt(f),
            Kind::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Reads `host:port`, with IPv6 in brackets, or `unix:/path`.
    fn from_str(text: &str) -> Result<Self> {
        if let Ok(address) = text.parse::<Address>() {
            return Ok(address.into());
        }
        let parts = text.rsplit_once(':').and_then(|(name, port)| {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|_| digits)?;
            (!name.contains([':', '[', ']'])).then(|| Self::from((name, port)))
        });
        parts.ok_or_else(|| {
            Error::InvalidArgument(format!(
                "{text:?} is no host with a port; give one such as example.com:80, 127.0.0.1:80 or [::1]:80"
            ))
        })
    }
}

impl From<(&str, u16)> for Endpoint {
    fn from((host, port): (&str, u16)) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::from((address, port)),
            Err(_) => Self(Kind::Name(host.to_owned(), port)),
        }
    }
}

impl From<(String, u16)> for Endpoint {
    fn from((host, port): (String, u16)) -> Self {
        Self::from((host.as_str(), port))
    }
}

impl From<Address> for Endpoint {
    fn from(address: Address) -> Self {
        Self(Kind::Address(address))
    }
}

/// Makes endpoints of what addresses can be made of.
macro_rules! from_addresses {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Endpoint {
                fn from(address: $from) -> Self {
                    Address::from(address).into()
                }
            }
        )*
    };
}

from_addresses! {
    &Address, SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16)
}
