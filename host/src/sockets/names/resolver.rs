//! What the system knows of names: getaddrinfo(3) and getnameinfo(3), which block.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use dns_lookup::{AddrInfoHints, LookupErrorKind as Kind, getaddrinfo, getnameinfo};
use nix::libc;

/// How many addresses of a host are told. Few have more than a dozen.
const MAX_ADDRESSES: usize = 64;

/// What is wanted of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// What listens on a port.
    Port(u16),
    /// A service by its name.
    Name(String),
}

/// Which addresses of a host are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IpFamily {
    V4,
    V6,
}

/// How an address is to be told by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// The host by its number.
    pub(crate) numeric_host: bool,
    /// The service by its port.
    pub(crate) numeric_service: bool,
    /// It is an error if the host has no name.
    pub(crate) required: bool,
}

/// Where a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it is really called, if that is known.
    pub(crate) canonical_name: Option<String>,
    /// The best one first.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Why nothing was found.
#[derive(Debug)]
pub(crate) enum LookupError {
    /// There is no such name.
    NotFound(String),
    /// Nobody knows, for now.
    NoAnswer(String),
    /// The answer was told before.
    Told,
    /// Something else.
    Io(io::Error),
}

/// Somebody who knows names. Asking may block for long.
pub(crate) trait Resolver: fmt::Debug + Send + Sync {
    /// Where a host is.
    fn addresses(
        &self,
        host: &str,
        service: &Service,
        family: Option<IpFamily>,
    ) -> Result<Found, LookupError>;

    /// What a host and a service are called.
    fn names(&self, address: SocketAddr, how: Named) -> Result<(String, String), LookupError>;
}

/// The system.
#[derive(Debug)]
pub(super) struct System;

impl Resolver for System {
    fn addresses(
        &self,
        host: &str,
        service: &Service,
        family: Option<IpFamily>,
    ) -> Result<Found, LookupError> {
        let (service, numeric) = match service {
            Service::Port(port) => (port.to_string(), libc::AI_NUMERICSERV),
            Service::Name(name) => (name.clone(), 0),
        };
        let hints = AddrInfoHints {
            flags: libc::AI_CANONNAME | numeric,
            address: match family {
                None => libc::AF_UNSPEC,
                Some(IpFamily::V4) => libc::AF_INET,
                Some(IpFamily::V6) => libc::AF_INET6,
            },
            // Each address comes once, and not again for datagrams.
            socktype: libc::SOCK_STREAM,
            protocol: 0,
        };
        let error = |error| failure(format_args!("{host:?}"), error);
        let entries = getaddrinfo(Some(host), Some(&service), Some(hints)).map_err(error)?;
        let mut found = Found {
            canonical_name: None,
            addresses: Vec::new(),
        };
        // Addresses that are neither of IPv4 nor of IPv6 are errors, and passed over.
        for entry in entries.flatten().take(MAX_ADDRESSES) {
            found.canonical_name = found.canonical_name.or(entry.canonname);
            if !found.addresses.contains(&entry.sockaddr) {
                found.addresses.push(entry.sockaddr);
            }
        }
        if found.addresses.is_empty() {
            let text = format!("{host:?}: it has no address");
            return Err(LookupError::NotFound(text));
        }
        Ok(found)
    }

    fn names(&self, address: SocketAddr, how: Named) -> Result<(String, String), LookupError> {
        let flag = |on, flag| if on { flag } else { 0 };
        let flags = flag(how.numeric_host, libc::NI_NUMERICHOST)
            | flag(how.numeric_service, libc::NI_NUMERICSERV)
            | flag(how.required, libc::NI_NAMEREQD);
        getnameinfo(&address, flags).map_err(|error| failure(address.ip(), error))
    }
}

/// What a failure of the system's means. Its text begins with what was asked for.
fn failure(about: impl fmt::Display, error: dns_lookup::LookupError) -> LookupError {
    let (kind, number) = (error.kind(), error.error_num());
    let text = format!("{about}: {error}");
    match kind {
        Kind::NoName | Kind::NoData | Kind::Service => LookupError::NotFound(text),
        // The one that the library has no name for: EAI_ADDRFAMILY, no address of this family.
        Kind::IO if number != 0 => LookupError::NotFound(text),
        Kind::Again => LookupError::NoAnswer(text),
        Kind::Memory => LookupError::Io(io::Error::new(io::ErrorKind::OutOfMemory, text)),
        Kind::Family => LookupError::Io(io::Error::new(io::ErrorKind::Unsupported, text)),
        Kind::System | Kind::IO => {
            let error = io::Error::from(error);
            LookupError::Io(io::Error::new(error.kind(), text))
        }
        Kind::Badflags | Kind::Fail | Kind::Socktype | Kind::Unknown => {
            LookupError::Io(io::Error::other(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(host: &str, service: &Service, family: Option<IpFamily>) -> Result<Found, String> {
        let found = System.addresses(host, service, family);
        found.map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn localhost_is_here() {
        let found = addresses("localhost", &Service::Port(80), Some(IpFamily::V4)).unwrap();
        assert_eq!(found.addresses, ["127.0.0.1:80".parse().unwrap()]);
        assert!(found.canonical_name.is_some());
        let service = Service::Name("http".to_owned());
        let found = addresses("127.0.0.1", &service, None).unwrap();
        assert_eq!(found.addresses, ["127.0.0.1:80".parse().unwrap()]);
    }

    #[test]
    fn what_there_is_not_is_not_found() {
        let nothing = Service::Name("no-such-service".to_owned());
        for (host, service, family) in [
            ("127.0.0.1", &nothing, None),
            ("no.such.host.invalid", &Service::Port(1), None),
            ("127.0.0.1", &Service::Port(1), Some(IpFamily::V6)),
        ] {
            let error = addresses(host, service, family).unwrap_err();
            // Without a network, nobody can say that there is no such host.
            let told = ["NotFound", "NoAnswer", "Unsupported"];
            assert!(told.iter().any(|told| error.contains(told)), "{error}");
            assert!(error.contains(host), "{error}");
        }
        assert!(addresses("a\0b", &Service::Port(1), None).is_err());
    }

    #[test]
    fn addresses_are_told_by_name_or_number() {
        let at: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let (host, service) = System.names(at, Named::default()).unwrap();
        assert_eq!(service, "http");
        assert_ne!(host, "127.0.0.1");
        let numeric = Named {
            numeric_host: true,
            numeric_service: true,
            required: false,
        };
        let (host, service) = System.names(at, numeric).unwrap();
        assert_eq!((host.as_str(), service.as_str()), ("127.0.0.1", "80"));
    }
}
