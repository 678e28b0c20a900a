//! Sockets: TCP, UDP, and Unix streams and datagrams; and names of hosts.
//!
//! ```no_run
//! use curio::Socket;
//!
//! # async fn example() -> curio::Result<()> {
//! let socket = Socket::udp_v4()?;
//! socket.bind(([127, 0, 0, 1], 25000))?;
//! loop {
//!     let (data, peer) = socket.recv_from(65_536).await?;
//!     socket.send_to(&data, peer).await?;
//! }
//! # }
//! ```
//!
//! Every operation is tried first and blocks only if it must, so one that can go on at once is no place where a
//! cancellation arrives.

mod address;
mod inherited;
mod message;
mod options;
mod transfer;

use std::cell::Cell;
use std::fmt;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

pub use self::address::Address;
pub use self::inherited::{Inherited, inherited};
pub use self::message::Message;
pub use self::options::{SocketOption, SocketOptionName};
pub(crate) use self::transfer::MAX_SEND;
use crate::bindings::sockets as kernel;
use crate::bindings::types;
use crate::error::{Error, Result};
pub use crate::names::{
    HostEntry, IpFamily, NameFlags, Service, getaddrinfo, getfqdn, gethostbyaddr, gethostbyname,
    gethostbyname_ex, gethostname, getnameinfo,
};
use crate::time::sleep;
use crate::traps::{PollWait, read_wait, write_wait};

/// How many connections may wait to be accepted, unless said otherwise.
pub(crate) const BACKLOG: u32 = 128;

/// How long to wait before an attempt is made again of which the system does not say when it may succeed.
const RETRY: Duration = Duration::from_millis(2);

/// A socket, of whatever kind. Dropping it closes it.
///
/// One task may read while another one writes; put the socket into an `Rc` for that. A second reader, or writer, gets
/// [`Error::ResourceBusy`] when it would block.
pub struct Socket {
    // Before the handle, so that they are withdrawn before it is closed.
    /// The wait of those who read by polling.
    reading: PollWait,
    /// The wait of those who write by polling.
    writing: PollWait,
    handle: kernel::Socket,
    closed: Cell<bool>,
}

/// Makes two Unix stream sockets that are connected with each other. Needs no right.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let (one, other) = curio::socket::socketpair()?;
/// one.send_all(b"hello").await?;
/// assert_eq!(other.recv(100).await?, b"hello");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Socket::tcp_v4`].
pub fn socketpair() -> Result<(Socket, Socket)> {
    Socket::pair(kernel::Kind::Stream)
}

/// Makes two Unix sockets for datagrams that are connected with each other. Needs no right. No datagram is lost, and
/// they arrive in order.
///
/// # Errors
/// As [`Socket::tcp_v4`].
#[doc(alias = "socketpair(AF_UNIX, SOCK_DGRAM)")]
pub fn socketpair_datagram() -> Result<(Socket, Socket)> {
    Socket::pair(kernel::Kind::Datagram)
}

/// Making sockets.
impl Socket {
    /// Makes a TCP socket for IPv4, unbound.
    ///
    /// # Errors
    /// [`Error::Limit`] if the program may not have another handle; [`Error::Io`].
    #[doc(alias = "socket(AF_INET, SOCK_STREAM)")]
    pub fn tcp_v4() -> Result<Self> {
        Self::create(kernel::Family::Ipv4, kernel::Kind::Stream)
    }

    /// Makes a TCP socket for IPv6, unbound. Bound to `[::]`, it takes IPv4 as well, unless
    /// [`SocketOption::Ipv6Only`] is set.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_INET6, SOCK_STREAM)")]
    pub fn tcp_v6() -> Result<Self> {
        Self::create(kernel::Family::Ipv6, kernel::Kind::Stream)
    }

    /// Makes a TCP socket of the family of an address, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    pub fn tcp_for(address: SocketAddr) -> Result<Self> {
        Self::stream_for(&address.into())
    }

    /// Makes a UDP socket for IPv4, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_INET, SOCK_DGRAM)")]
    pub fn udp_v4() -> Result<Self> {
        Self::create(kernel::Family::Ipv4, kernel::Kind::Datagram)
    }

    /// Makes a UDP socket for IPv6, unbound. As to IPv4, see [`Socket::tcp_v6`].
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_INET6, SOCK_DGRAM)")]
    pub fn udp_v6() -> Result<Self> {
        Self::create(kernel::Family::Ipv6, kernel::Kind::Datagram)
    }

    /// Makes a Unix socket for a stream, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_UNIX, SOCK_STREAM)")]
    pub fn unix_stream() -> Result<Self> {
        Self::create(kernel::Family::Unix, kernel::Kind::Stream)
    }

    /// Makes a Unix socket for datagrams, unbound. Who wants answers has to bind it.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    #[doc(alias = "socket(AF_UNIX, SOCK_DGRAM)")]
    pub fn unix_datagram() -> Result<Self> {
        Self::create(kernel::Family::Unix, kernel::Kind::Datagram)
    }

    /// Makes a socket for a stream, of the family of an address, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    pub fn stream_for(address: &Address) -> Result<Self> {
        Self::create(family(address), kernel::Kind::Stream)
    }

    /// Makes a socket for datagrams, of the family of an address, unbound.
    ///
    /// # Errors
    /// As [`Socket::tcp_v4`].
    pub fn datagram_for(address: &Address) -> Result<Self> {
        Self::create(family(address), kernel::Kind::Datagram)
    }

    fn create(family: kernel::Family, kind: kernel::Kind) -> Result<Self> {
        Ok(Self::from_handle(kernel::Socket::create(family, kind)?))
    }

    fn pair(kind: kernel::Kind) -> Result<(Self, Self)> {
        let (one, other) = kernel::Socket::pair(kind)?;
        Ok((Self::from_handle(one), Self::from_handle(other)))
    }

    fn from_handle(handle: kernel::Socket) -> Self {
        Self {
            reading: PollWait::new(),
            writing: PollWait::new(),
            handle,
            closed: Cell::new(false),
        }
    }
}

/// Binding, connecting and closing.
impl Socket {
    pub(crate) fn handle(&self) -> &kernel::Socket {
        &self.handle
    }

    pub(crate) fn into_handle(self) -> kernel::Socket {
        self.handle
    }

    pub(crate) fn reading(&self) -> &PollWait {
        &self.reading
    }

    pub(crate) fn writing(&self) -> &PollWait {
        &self.writing
    }

    /// What the kernel says.
    #[inline]
    pub(crate) fn told<T>(&self, result: Result<T, types::Error>) -> Result<T> {
        result.map_err(|error| self.failed(error))
    }

    #[cold]
    fn failed(&self, error: types::Error) -> Error {
        match error {
            types::Error::InvalidState(_) if self.closed.get() => Error::Closed,
            error => error.into(),
        }
    }

    /// Binds to a local address; port 0 lets the system choose. For a Unix socket that makes the path, which must not
    /// be there yet and stays when the socket is closed. Never blocks.
    ///
    /// # Errors
    /// [`Error::Refused`] unless `--allow-listen` covers the address; [`Error::Io`] if it is in use.
    pub fn bind(&self, address: impl Into<Address>) -> Result<()> {
        let address = address.into().to_kernel()?;
        self.told(self.handle.bind(&address))
    }

    /// Starts to listen; `backlog` is how many connections may wait to be accepted. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if the socket is not bound, or is for datagrams.
    pub fn listen(&self, backlog: u32) -> Result<()> {
        self.told(self.handle.listen(backlog))
    }

    /// Accepts a connection: its socket and the peer's address.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if the socket does not listen, [`Error::Limit`] if the program may not have
    /// another handle, [`Error::ResourceBusy`], [`Error::Closed`], [`Error::Io`].
    ///
    /// # Cancellation
    /// The connection stays in the backlog.
    pub async fn accept(&self) -> Result<(Self, Address)> {
        loop {
            match self.handle.accept() {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                Ok((handle, peer)) => return Ok((Self::from_handle(handle), peer.into())),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Connects to a peer. A socket for datagrams sends to that peer from now on, and receives from no other; it may
    /// be connected to one after another.
    ///
    /// # Errors
    /// [`Error::Refused`] unless `--allow-net` covers the address; [`Error::Io`] if the peer can't be reached.
    ///
    /// # Cancellation
    /// The state of the socket is undefined: close it.
    #[doc(alias = "connect_ex")]
    pub async fn connect(&self, peer: impl Into<Address>) -> Result<()> {
        let peer = peer.into();
        let address = peer.to_kernel()?;
        let mut connected = self.handle.connect(&address);
        while let Err(types::Error::WouldBlock) = connected {
            connected = if peer.path().is_some() {
                // The peer has as many connections to accept as it takes.
                sleep(RETRY).await?;
                self.handle.connect(&address)
            } else {
                write_wait(self).await?;
                self.handle.finish_connect()
            };
        }
        self.told(connected)
    }

    /// Shuts one direction down, or both. Never blocks.
    ///
    /// # Errors
    /// [`Error::Io`] if the socket is not connected; [`Error::Closed`].
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Read => kernel::ShutdownHow::Read,
            Shutdown::Write => kernel::ShutdownHow::Write,
            Shutdown::Both => kernel::ShutdownHow::Both,
        };
        self.told(self.handle.shutdown(how))
    }

    /// The local address.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Io`].
    #[doc(alias = "getsockname")]
    pub fn local_address(&self) -> Result<Address> {
        Ok(self.told(self.handle.local_address())?.into())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// [`Error::Io`] if the socket is not connected; [`Error::Closed`].
    #[doc(alias = "getpeername")]
    pub fn peer_address(&self) -> Result<Address> {
        Ok(self.told(self.handle.peer_address())?.into())
    }

    /// Closes the socket, as dropping it does, and for all who share it: a task that is blocked on it gets
    /// [`Error::Closed`], and so does whoever tries something with it afterwards. Closing it again does nothing. Never
    /// blocks.
    pub fn close(&self) {
        self.closed.set(true);
        self.handle.close();
    }
}

fn family(address: &Address) -> kernel::Family {
    match address {
        Address::Ip(SocketAddr::V4(_)) => kernel::Family::Ipv4,
        Address::Ip(SocketAddr::V6(_)) => kernel::Family::Ipv6,
        Address::Unix(_) | Address::Unnamed => kernel::Family::Unix,
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
