//! Where to connect to, or to listen: a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names::{IpFamily, getaddrinfo};

/// A host, by name or by address, and a port.
///
/// ```
/// use curio::network::Endpoint;
///
/// let by_name = Endpoint::from(("example.com", 80));
/// assert_eq!("example.com:80".parse::<Endpoint>()?, by_name);
/// let by_address = Endpoint::from(("::1", 80));
/// assert_eq!("[::1]:80".parse::<Endpoint>()?, by_address);
/// # Ok::<(), curio::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Address(SocketAddr),
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

    /// The host: its name, or its address as text.
    pub fn host(&self) -> String {
        match &self.0 {
            Kind::Address(address) => address.ip().to_string(),
            Kind::Name(name, _) => name.clone(),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match &self.0 {
            Kind::Address(address) => address.port(),
            Kind::Name(_, port) => *port,
        }
    }

    /// The addresses of the host, the best one first. For one that is given by address, this never blocks.
    ///
    /// # Errors
    /// As [`getaddrinfo`].
    ///
    /// # Cancellation
    /// The lookup is given up.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>> {
        match &self.0 {
            Kind::Address(address) => Ok(vec![*address]),
            Kind::Name(name, port) => getaddrinfo(name, *port, None).await,
        }
    }

    /// Where to listen.
    pub(super) async fn local(&self, family: Option<IpFamily>) -> Result<SocketAddr> {
        let (name, port) = match &self.0 {
            Kind::Address(address) => return in_family(*address, family),
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
                let first = found.first().copied();
                return first.ok_or_else(|| Error::InvalidArgument(format!("{self} is nowhere")));
            }
        };
        Ok(SocketAddr::new(address, port))
    }
}

/// Checks that an address is of the family that is wanted.
fn in_family(address: SocketAddr, wanted: Option<IpFamily>) -> Result<SocketAddr> {
    match wanted {
        Some(family) if family != IpFamily::of(address.ip()) => {
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

    /// Reads `host:port`, with IPv6 in brackets.
    fn from_str(text: &str) -> Result<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
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

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self(Kind::Address(address))
    }
}

/// Makes endpoints of what addresses can be made of.
macro_rules! from_addresses {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Endpoint {
                fn from(address: $from) -> Self {
                    SocketAddr::from(address).into()
                }
            }
        )*
    };
}

from_addresses! { SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16) }
