//! Sockets, and names of hosts.

use std::fmt;
use std::net::{Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use crate::bindings::sockets as kernel;
use crate::bindings::types;
use crate::error::{Error, Result};
pub use crate::names::{
    HostEntry, IpFamily, NameFlags, Service, getaddrinfo, getfqdn, gethostbyaddr, gethostbyname,
    gethostbyname_ex, gethostname, getnameinfo,
};
use crate::traps::{PollWait, read_wait, write_wait};

/// How much is passed to the kernel at once: more than the system ever takes, less than a call may have.
pub(crate) const MAX_SEND: usize = 1 << 20;

/// How many connections may wait to be accepted, unless said otherwise.
pub(crate) const BACKLOG: u32 = 128;

/// A TCP socket. Dropping it closes it.
///
/// Operations are tried first and block only if they must, so one that can go on at once is no
/// place where a cancellation arrives. One task may read while another one writes; put the socket into
/// an `Rc` for that. A second reader, or writer, gets [`Error::ResourceBusy`] when it would block.
pub struct Socket {
    // Before the handle, so that they are withdrawn before it is closed.
    /// The wait of those who read by polling.
    reading: PollWait,
    /// The wait of those who write by polling.
    writing: PollWait,
    handle: kernel::TcpSocket,
}

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
}

impl Socket {
    /// Makes a TCP socket for IPv4, unbound.
    ///
    /// # Errors
    /// [`Error::Limit`] if the program may not have another handle; [`Error::Io`].
    #[doc(alias = "socket(AF_INET, SOCK_STREAM)")]
    pub fn tcp_v4() -> Result<Self> {
        Self::create(kernel::IpFamily::Ipv4)
    }

    /// Makes a TCP socket for IPv6, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_INET6, SOCK_STREAM)")]
    pub fn tcp_v6() -> Result<Self> {
        Self::create(kernel::IpFamily::Ipv6)
    }

    /// Makes a TCP socket of the family of an address, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    pub fn tcp_for(address: SocketAddr) -> Result<Self> {
        if address.is_ipv6() {
            Self::tcp_v6()
        } else {
            Self::tcp_v4()
        }
    }

    fn create(family: kernel::IpFamily) -> Result<Self> {
        Ok(Self::from_handle(kernel::TcpSocket::create(family)?))
    }

    fn from_handle(handle: kernel::TcpSocket) -> Self {
        Self {
            reading: PollWait::new(),
            writing: PollWait::new(),
            handle,
        }
    }

    pub(crate) fn into_handle(self) -> kernel::TcpSocket {
        self.handle
    }

    pub(crate) fn handle(&self) -> &kernel::TcpSocket {
        &self.handle
    }

    pub(crate) fn reading(&self) -> &PollWait {
        &self.reading
    }

    pub(crate) fn writing(&self) -> &PollWait {
        &self.writing
    }

    /// Binds to a local address; port 0 lets the system choose. Never blocks.
    ///
    /// # Errors
    /// [`Error::Refused`] unless `--allow-listen` covers the address; [`Error::Io`] if it is in use;
    /// [`Error::InvalidState`] if the socket is bound already.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        Ok(self.handle.bind(address.into())?)
    }

    /// Starts to listen; `backlog` is how many connections may wait to be accepted. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if the socket is not bound; [`Error::Io`].
    pub fn listen(&self, backlog: u32) -> Result<()> {
        Ok(self.handle.listen(backlog)?)
    }

    /// Accepts a connection: its socket and the peer's address.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if the socket does not listen, [`Error::Limit`] if the program may not have
    /// another handle, [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// The connection stays in the backlog.
    pub async fn accept(&self) -> Result<(Self, SocketAddr)> {
        loop {
            match self.handle.accept() {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                Ok((handle, peer)) => return Ok((Self::from_handle(handle), peer.into())),
                Err(error) => return Err(Error::from(error)),
            }
        }
    }

    /// Connects to a peer.
    ///
    /// # Errors
    /// [`Error::Refused`] unless `--allow-net` covers the address; [`Error::Io`] if the peer can't be reached;
    /// [`Error::InvalidState`] if the socket listens, or is connecting or connected; [`Error::ResourceBusy`].
    ///
    /// # Cancellation
    /// The state of the socket is undefined: close it.
    pub async fn connect(&self, peer: SocketAddr) -> Result<()> {
        let mut connected = self.handle.connect(peer.into());
        loop {
            match connected {
                Err(types::Error::WouldBlock) => write_wait(self).await?,
                result => return Ok(result?),
            }
            connected = self.handle.finish_connect();
        }
    }

    /// Receives up to `max` bytes: at least one, or none at the end of the stream.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// Nothing is received.
    pub async fn recv(&self, max: usize) -> Result<Vec<u8>> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        loop {
            match self.handle.recv(max) {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                result => return Ok(result?),
            }
        }
    }

    /// Sends what fits into the system's buffer, at least one byte, and returns how many that were.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    pub async fn send(&self, data: &[u8]) -> Result<usize> {
        loop {
            match self.handle.send(&data[..data.len().min(MAX_SEND)]) {
                Err(types::Error::WouldBlock) => write_wait(self).await?,
                result => return Ok(result? as usize),
            }
        }
    }

    /// Sends all of `data`.
    ///
    /// # Errors
    /// As [`Socket::send`]. A part may have been sent.
    ///
    /// # Cancellation
    /// A part may have been sent.
    #[doc(alias = "sendall")]
    pub async fn send_all(&self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let sent = self.send(data).await?;
            data = &data[sent..];
        }
        Ok(())
    }

    /// Shuts one direction down, or both. Never blocks.
    ///
    /// # Errors
    /// [`Error::Io`] if the socket is not connected.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Read => kernel::ShutdownHow::Read,
            Shutdown::Write => kernel::ShutdownHow::Write,
            Shutdown::Both => kernel::ShutdownHow::Both,
        };
        Ok(self.handle.shutdown(how)?)
    }

    /// The local address.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[doc(alias = "getsockname")]
    pub fn local_address(&self) -> Result<SocketAddr> {
        Ok(self.handle.local_address()?.into())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// [`Error::Io`] if the socket is not connected.
    #[doc(alias = "getpeername")]
    pub fn peer_address(&self) -> Result<SocketAddr> {
        Ok(self.handle.peer_address()?.into())
    }

    /// Sets an option.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::Io`].
    #[doc(alias = "setsockopt")]
    pub fn set_option(&self, option: SocketOption) -> Result<()> {
        Ok(self.handle.set_option(option.into())?)
    }

    /// Reads an option.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[doc(alias = "getsockopt")]
    pub fn option(&self, name: SocketOptionName) -> Result<SocketOption> {
        Ok(self.handle.get_option(name.into())?.into())
    }

    /// Closes the socket, as dropping it does. A task that is blocked on it gets [`Error::Closed`].
    pub fn close(self) {
        drop(self);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("local_address", &self.local_address().ok())
            .field("peer_address", &self.peer_address().ok())
            .finish_non_exhaustive()
    }
}

impl From<kernel::IpSocketAddress> for SocketAddr {
    fn from(address: kernel::IpSocketAddress) -> Self {
        match address {
            kernel::IpSocketAddress::Ipv4(v4) => {
                let address: [u8; 4] = v4.address.into();
                SocketAddrV4::new(address.into(), v4.port).into()
            }
            kernel::IpSocketAddress::Ipv6(v6) => {
                let address: [u16; 8] = v6.address.into();
                SocketAddrV6::new(address.into(), v6.port, v6.flow_info, v6.scope_id).into()
            }
        }
    }
}

impl From<SocketAddr> for kernel::IpSocketAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(kernel::Ipv4SocketAddress {
                address: v4.ip().octets().into(),
                port: v4.port(),
            }),
            SocketAddr::V6(v6) => Self::Ipv6(kernel::Ipv6SocketAddress {
                address: v6.ip().segments().into(),
                port: v6.port(),
                flow_info: v6.flowinfo(),
                scope_id: v6.scope_id(),
            }),
        }
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
        }
    }
}
