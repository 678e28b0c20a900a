//! From what a guest says of sockets to what the host does, and back.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use crate::bindings::sockets::{
    Address, Family, Ipv4SocketAddress, Ipv6SocketAddress, Kind, ShutdownHow, SocketOption,
    SocketOptionName,
};
use crate::sockets::SocketOption as NativeOption;
use crate::sockets::{self, Address as Native, OptionName, SocketError};
use crate::traps::TrapError;

impl From<SocketError> for TrapError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Io(error) => error.into(),
            SocketError::State(what) => Self::invalid_state(what),
            SocketError::Argument(what) => Self::invalid_argument(what),
            SocketError::Refused(denied) => denied.into(),
            SocketError::Limit(limit) => limit.into(),
        }
    }
}

impl From<Ipv4SocketAddress> for SocketAddr {
    fn from(v4: Ipv4SocketAddress) -> Self {
        let address = Ipv4Addr::from(<[u8; 4]>::from(v4.address));
        SocketAddrV4::new(address, v4.port).into()
    }
}

impl From<Ipv6SocketAddress> for SocketAddr {
    fn from(v6: Ipv6SocketAddress) -> Self {
        let address = Ipv6Addr::from(<[u16; 8]>::from(v6.address));
        SocketAddrV6::new(address, v6.port, v6.flow_info, v6.scope_id).into()
    }
}

impl From<SocketAddrV4> for Ipv4SocketAddress {
    fn from(v4: SocketAddrV4) -> Self {
        Self {
            address: v4.ip().octets().into(),
            port: v4.port(),
        }
    }
}

impl From<SocketAddrV6> for Ipv6SocketAddress {
    fn from(v6: SocketAddrV6) -> Self {
        Self {
            address: v6.ip().segments().into(),
            port: v6.port(),
            flow_info: v6.flowinfo(),
            scope_id: v6.scope_id(),
        }
    }
}

/// As the log of traps shows it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(v4) => SocketAddr::from(*v4).fmt(f),
            Self::Ipv6(v6) => SocketAddr::from(*v6).fmt(f),
            // The guest may have put anything into it.
            Self::Unix(path) => write!(f, "unix:{path:?}"),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

impl From<Native> for Address {
    fn from(address: Native) -> Self {
        match address {
            Native::Ip(SocketAddr::V4(v4)) => Self::Ipv4(v4.into()),
            Native::Ip(SocketAddr::V6(v6)) => Self::Ipv6(v6.into()),
            Native::Unix(path) => Self::Unix(path),
            Native::Unnamed => Self::Unnamed,
        }
    }
}

impl From<Family> for sockets::Family {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
            Family::Unix => Self::Unix,
        }
    }
}

impl From<Kind> for sockets::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Stream => Self::Stream,
            Kind::Datagram => Self::Datagram,
        }
    }
}

impl From<SocketOption> for NativeOption {
    fn from(option: SocketOption) -> Self {
        match option {
            SocketOption::ReuseAddress(on) => Self::ReuseAddress(on),
            SocketOption::ReusePort(on) => Self::ReusePort(on),
            SocketOption::NoDelay(on) => Self::NoDelay(on),
            SocketOption::KeepAlive(on) => Self::KeepAlive(on),
            SocketOption::Linger(time) => Self::Linger(time.map(Duration::from_nanos)),
            SocketOption::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            SocketOption::SendBuffer(bytes) => Self::SendBuffer(bytes),
            SocketOption::Ipv6Only(on) => Self::Ipv6Only(on),
            SocketOption::TimeToLive(hops) => Self::TimeToLive(hops),
            SocketOption::Broadcast(on) => Self::Broadcast(on),
        }
    }
}

impl From<NativeOption> for SocketOption {
    fn from(option: NativeOption) -> Self {
        match option {
            NativeOption::ReuseAddress(on) => Self::ReuseAddress(on),
            NativeOption::ReusePort(on) => Self::ReusePort(on),
            NativeOption::NoDelay(on) => Self::NoDelay(on),
            NativeOption::KeepAlive(on) => Self::KeepAlive(on),
            NativeOption::Linger(time) => {
                Self::Linger(time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
            }
            NativeOption::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            NativeOption::SendBuffer(bytes) => Self::SendBuffer(bytes),
            NativeOption::Ipv6Only(on) => Self::Ipv6Only(on),
            NativeOption::TimeToLive(hops) => Self::TimeToLive(hops),
            NativeOption::Broadcast(on) => Self::Broadcast(on),
        }
    }
}

impl From<SocketOptionName> for OptionName {
    fn from(name: SocketOptionName) -> Self {
        match name {
            SocketOptionName::ReuseAddress => Self::ReuseAddress,
            SocketOptionName::ReusePort => Self::ReusePort,
            SocketOptionName::NoDelay => Self::NoDelay,
            SocketOptionName::KeepAlive => Self::KeepAlive,
            SocketOptionName::Linger => Self::Linger,
            SocketOptionName::ReceiveBuffer => Self::ReceiveBuffer,
            SocketOptionName::SendBuffer => Self::SendBuffer,
            SocketOptionName::Ipv6Only => Self::Ipv6Only,
            SocketOptionName::TimeToLive => Self::TimeToLive,
            SocketOptionName::Broadcast => Self::Broadcast,
        }
    }
}

impl From<ShutdownHow> for Shutdown {
    fn from(how: ShutdownHow) -> Self {
        match how {
            ShutdownHow::Read => Self::Read,
            ShutdownHow::Write => Self::Write,
            ShutdownHow::Both => Self::Both,
        }
    }
}
