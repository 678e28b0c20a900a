//! Names of hosts, as the system knows them that the kernel runs on.
//!
//! A lookup goes on beside the program: only the task that asks waits for it. Cancelling that task gives the lookup up.
//! Any number may be asked at once; the kernel has so many under way as it has threads for.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::bindings::{resolve as kernel, types};
use crate::error::{Error, Result};
use crate::traps::wait_for;

/// Which of the two kinds of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IpFamily {
    /// IPv4
    #[doc(alias = "AF_INET")]
    V4,
    /// IPv6
    #[doc(alias = "AF_INET6")]
    V6,
}

impl IpFamily {
    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for IpFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// What is wanted of a host: a port, or a service by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// What listens on this port.
    Port(u16),
    /// A service that the system knows by this name, `https` for example.
    Name(String),
}

impl From<u16> for Service {
    fn from(port: u16) -> Self {
        Self::Port(port)
    }
}

impl From<&str> for Service {
    /// A number is a port.
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(port) => Self::Port(port),
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}

/// How [`getnameinfo`] tells an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameFlags {
    /// The host by its number; nobody is asked for its name.
    #[doc(alias = "NI_NUMERICHOST")]
    pub numeric_host: bool,
    /// The service by its port.
    #[doc(alias = "NI_NUMERICSERV")]
    pub numeric_service: bool,
    /// A host without a name is an error. Otherwise it is told by its number.
    #[doc(alias = "NI_NAMEREQD")]
    pub name_required: bool,
}

/// What is known of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// What it is really called.
    pub name: String,
    /// What else it was called: the name that was asked for, if it is another one. Those between the two
    /// are not told.
    pub aliases: Vec<String>,
    /// Its addresses, the best one first. At least one.
    pub addresses: Vec<IpAddr>,
}

/// Looks up the addresses of a host, the best one first. At least one is returned; of very many, the first 64.
///
/// A host may also be given by its number. If the port is a number, too, nobody is asked, and that never blocks.
///
/// What is found may be connected to under the grant of the name. Private, loopback and other special
/// addresses need one of their own.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// for address in curio::socket::getaddrinfo("example.com", "https", None).await? {
///     println!("{address}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Refused`] unless `--allow-net` covers the name with the port; for a service by name, and for port 0, a
/// grant of the name with any port will do. [`Error::Io`] of the kind `NotFound`, if there is no such host or
/// service, or `TimedOut`, if no name server answers. [`Error::Limit`], [`Error::InvalidArgument`].
///
/// # Cancellation
/// The lookup is given up.
pub async fn getaddrinfo(
    host: &str,
    service: impl Into<Service>,
    family: impl Into<Option<IpFamily>>,
) -> Result<Vec<SocketAddr>> {
    let service = service.into();
    let family = family.into();
    if let (Ok(address), Service::Port(port)) = (host.parse::<IpAddr>(), &service) {
        return match family {
            Some(family) if family != IpFamily::of(address) => {
                let text = format!("{address} is no address of {family}");
                Err(io::Error::new(io::ErrorKind::NotFound, text).into())
            }
            _ => Ok(vec![SocketAddr::new(address, *port)]),
        };
    }
    let found = addresses(host, &service, family).await?;
    Ok(found.addresses.into_iter().map(Into::into).collect())
}

/// Looks up the names of an address: of the host, and of the service on its port.
///
/// If both are wanted by their numbers, nobody is asked, and that never blocks.
///
/// # Errors
/// [`Error::Refused`] unless `--allow-net` covers the address, with any port, or a lookup of a name has found it.
/// [`Error::Io`] as [`getaddrinfo`]; [`Error::Limit`].
///
/// # Cancellation
/// The lookup is given up.
pub async fn getnameinfo(address: SocketAddr, flags: NameFlags) -> Result<(String, String)> {
    if flags.numeric_host && flags.numeric_service {
        return Ok((address.ip().to_string(), address.port().to_string()));
    }
    let flag = |on, flag| {
        if on { flag } else { kernel::NameFlags::empty() }
    };
    let how = flag(flags.numeric_host, kernel::NameFlags::NUMERIC_HOST)
        | flag(flags.numeric_service, kernel::NameFlags::NUMERIC_SERVICE)
        | flag(flags.name_required, kernel::NameFlags::NAME_REQUIRED);
    let lookup = kernel::Lookup::names(address.into(), how)?;
    match answer(&lookup).await? {
        kernel::Answer::Names(names) => Ok((names.host, names.service)),
        kernel::Answer::Addresses(_) => Err(another_question()),
    }
}

/// Looks up the IPv4 address of a host. [`getaddrinfo`] tells all of them, and those of IPv6.
///
/// # Errors
/// As [`getaddrinfo`]; a grant of the name with any port will do.
///
/// # Cancellation
/// The lookup is given up.
pub async fn gethostbyname(host: &str) -> Result<Ipv4Addr> {
    let addresses = getaddrinfo(host, 0, IpFamily::V4).await?;
    let found = addresses.iter().find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    found.ok_or_else(|| no_address(host))
}

/// Looks up a host: what it is really called, and all its addresses, those of IPv6 too.
///
/// # Errors
/// As [`gethostbyname`].
///
/// # Cancellation
/// The lookup is given up.
pub async fn gethostbyname_ex(host: &str) -> Result<HostEntry> {
    let found = addresses(host, &Service::Port(0), None).await?;
    let name = found.canonical_name.unwrap_or_else(|| host.to_owned());
    let is_alias = !host.eq_ignore_ascii_case(&name) && host.parse::<IpAddr>().is_err();
    let addresses = found.addresses.into_iter().map(SocketAddr::from);
    Ok(HostEntry {
        aliases: is_alias.then(|| host.to_owned()).into_iter().collect(),
        name,
        addresses: addresses.map(|address| address.ip()).collect(),
    })
}

/// Looks up what an address is called.
///
/// # Errors
/// As [`getnameinfo`]; a host without a name is [`Error::Io`] of the kind `NotFound`.
///
/// # Cancellation
/// The lookup is given up.
pub async fn gethostbyaddr(address: IpAddr) -> Result<HostEntry> {
    Ok(HostEntry {
        name: name_of(address).await?,
        aliases: Vec::new(),
        addresses: vec![address],
    })
}

/// The full name of a host, with its domain, if that can be found out; or else the name that was given. The empty
/// name stands for the machine that the kernel runs on.
///
/// # Errors
/// [`Error::Refused`] unless `--allow-net` covers the name; [`Error::Limit`].
///
/// # Cancellation
/// The lookup is given up.
pub async fn getfqdn(host: &str) -> Result<String> {
    let host = if host.is_empty() {
        gethostname()?
    } else {
        host.to_owned()
    };
    let entry = match gethostbyname_ex(&host).await {
        Ok(entry) => entry,
        Err(Error::Io(_)) => return Ok(host),
        Err(error) => return Err(error),
    };
    if entry.name.contains('.') && entry.name.parse::<IpAddr>().is_err() {
        return Ok(entry.name);
    }
    let Some(address) = entry.addresses.first() else {
        return Ok(host);
    };
    match name_of(*address).await {
        Ok(name) if name.contains('.') => Ok(name),
        Err(error) if error.is_cancellation() => Err(error),
        // An address that may not be asked about has no other name.
        Ok(_) | Err(_) => Ok(host),
    }
}

/// The name of the machine that the kernel runs on. Never blocks.
///
/// # Errors
/// [`Error::Refused`] unless `--allow-net` covers the name.
pub fn gethostname() -> Result<String> {
    Ok(kernel::host_name()?)
}

impl From<kernel::IpSocketAddress> for SocketAddr {
    fn from(address: kernel::IpSocketAddress) -> Self {
        match address {
            kernel::IpSocketAddress::Ipv4(v4) => SocketAddrV4::from(v4).into(),
            kernel::IpSocketAddress::Ipv6(v6) => SocketAddrV6::from(v6).into(),
        }
    }
}

impl From<SocketAddr> for kernel::IpSocketAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(v4.into()),
            SocketAddr::V6(v6) => Self::Ipv6(v6.into()),
        }
    }
}

/// Asks for the addresses of a host.
async fn addresses(
    host: &str,
    service: &Service,
    family: Option<IpFamily>,
) -> Result<kernel::Addresses> {
    let service = match service {
        Service::Port(port) => kernel::Service::Port(*port),
        Service::Name(name) => kernel::Service::Name(name.clone()),
    };
    let family = family.map(|family| match family {
        IpFamily::V4 => kernel::IpFamily::Ipv4,
        IpFamily::V6 => kernel::IpFamily::Ipv6,
    });
    let lookup = kernel::Lookup::addresses(host, &service, family)?;
    match answer(&lookup).await? {
        kernel::Answer::Addresses(found) => Ok(found),
        kernel::Answer::Names(_) => Err(another_question()),
    }
}

/// Asks for the name of a host.
async fn name_of(address: IpAddr) -> Result<String> {
    let flags = NameFlags {
        numeric_service: true,
        name_required: true,
        ..NameFlags::default()
    };
    let (name, _) = getnameinfo(SocketAddr::new(address, 0), flags).await?;
    Ok(name)
}

/// Blocks until a lookup is answered.
async fn answer(lookup: &kernel::Lookup) -> Result<kernel::Answer> {
    loop {
        match lookup.answer() {
            Err(types::Error::WouldBlock) => wait_for(|by| lookup.read_wait(by)).await?,
            answer => return Ok(answer?),
        }
    }
}

fn another_question() -> Error {
    Error::InvalidState("the kernel has answered another question".to_owned())
}

fn no_address(host: &str) -> Error {
    let text = format!("{host:?}: it has no address");
    io::Error::new(io::ErrorKind::NotFound, text).into()
}
