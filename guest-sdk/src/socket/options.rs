//! Socket options, by the names of POSIX.

use std::time::Duration;

use super::Socket;
use crate::bindings::sockets as kernel;
use crate::error::Result;

/// An option of a socket, and its value; under the names of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketOption {
    /// `SO_REUSEADDR`
    ReuseAddress(bool),
    /// `SO_REUSEPORT`
    ReusePort(bool),
    /// `TCP_NODELAY`
    NoDelay(bool),
    /// `SO_KEEPALIVE`
    KeepAlive(bool),
    /// `SO_LINGER`: how long closing waits for unsent data, in whole seconds
    Linger(Option<Duration>),
    /// `SO_RCVBUF`, in bytes
    ReceiveBuffer(u32),
    /// `SO_SNDBUF`, in bytes
    SendBuffer(u32),
    /// `IPV6_V6ONLY`
    Ipv6Only(bool),
    /// `IP_TTL` or `IPV6_UNICAST_HOPS`
    TimeToLive(u32),
    /// `SO_BROADCAST`: whether datagrams may go to broadcast addresses
    Broadcast(bool),
}

/// The name of an option of a socket: see [`SocketOption`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "as the options themselves")]
pub enum SocketOptionName {
    ReuseAddress,
    ReusePort,
    NoDelay,
    KeepAlive,
    Linger,
    ReceiveBuffer,
    SendBuffer,
    Ipv6Only,
    TimeToLive,
    Broadcast,
}

impl Socket {
    /// Sets an option. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Io`](crate::Error::Io).
    #[doc(alias = "setsockopt")]
    pub fn set_option(&self, option: SocketOption) -> Result<()> {
        self.told(self.handle.set_option(option.into()))
    }

    /// Reads an option. Never blocks.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed), [`Error::Io`](crate::Error::Io).
    #[doc(alias = "getsockopt")]
    pub fn option(&self, name: SocketOptionName) -> Result<SocketOption> {
        Ok(self.told(self.handle.get_option(name.into()))?.into())
    }
}

impl From<SocketOption> for kernel::SocketOption {
    fn from(option: SocketOption) -> Self {
        match option {
            SocketOption::ReuseAddress(on) => Self::ReuseAddress(on),
            SocketOption::ReusePort(on) => Self::ReusePort(on),
            SocketOption::NoDelay(on) => Self::NoDelay(on),
            SocketOption::KeepAlive(on) => Self::KeepAlive(on),
            SocketOption::Linger(time) => {
                Self::Linger(time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
            }
            SocketOption::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            SocketOption::SendBuffer(bytes) => Self::SendBuffer(bytes),
            SocketOption::Ipv6Only(on) => Self::Ipv6Only(on),
            SocketOption::TimeToLive(hops) => Self::TimeToLive(hops),
            SocketOption::Broadcast(on) => Self::Broadcast(on),
        }
    }
}

impl From<kernel::SocketOption> for SocketOption {
    fn from(option: kernel::SocketOption) -> Self {
        match option {
            kernel::SocketOption::ReuseAddress(on) => Self::ReuseAddress(on),
            kernel::SocketOption::ReusePort(on) => Self::ReusePort(on),
            kernel::SocketOption::NoDelay(on) => Self::NoDelay(on),
            kernel::SocketOption::KeepAlive(on) => Self::KeepAlive(on),
            kernel::SocketOption::Linger(time) => Self::Linger(time.map(Duration::from_nanos)),
            kernel::SocketOption::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            kernel::SocketOption::SendBuffer(bytes) => Self::SendBuffer(bytes),
            kernel::SocketOption::Ipv6Only(on) => Self::Ipv6Only(on),
            kernel::SocketOption::TimeToLive(hops) => Self::TimeToLive(hops),
            kernel::SocketOption::Broadcast(on) => Self::Broadcast(on),
        }
    }
}

impl From<SocketOptionName> for kernel::SocketOptionName {
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
