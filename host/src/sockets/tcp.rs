//! A TCP socket: its state, and operations that never wait.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Protocol, Socket, Type};

use super::options::{self, Name, Option as SocketOption};
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};

/// Why a socket operation fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The socket is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(&'static str),
}

/// What a socket has been made into. Each state but the first is watched by the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unbound,
    Bound,
    Listening,
    Connecting,
    Connected,
}

/// The kernel's entry for a socket.
#[derive(Debug)]
struct Watched {
    source: SourceKey,
    readiness: Arc<Readiness>,
}

/// A TCP socket. Whoever drops it unwatches it first: see [`TcpSocket::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct TcpSocket {
    socket: Socket,
    state: State,
    is_ipv6: bool,
    watched: Option<Watched>,
}

impl TcpSocket {
    /// An unbound socket.
    pub(crate) fn new(is_ipv6: bool) -> io::Result<Self> {
        let domain = if is_ipv6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            state: State::Unbound,
            is_ipv6,
            watched: None,
        })
    }

    /// Binds to a local address.
    pub(crate) fn bind(&mut self, address: SocketAddr) -> Result<(), SocketError> {
        if self.state != State::Unbound {
            return Err(SocketError::State("the socket is already bound"));
        }
        self.check_family(address)?;
        self.socket.bind(&address.into())?;
        self.state = State::Bound;
        Ok(())
    }

    /// Starts to listen.
    pub(crate) fn listen(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        backlog: u32,
    ) -> Result<(), SocketError> {
        if self.state != State::Bound {
            return Err(SocketError::State("only a bound socket can listen"));
        }
        self.socket
            .listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        self.state = State::Listening;
        Ok(self.watch(kernel, owner)?)
    }

    /// Checks that a connection is there to accept.
    pub(crate) fn check_acceptable(&self) -> Result<(), SocketError> {
        self.check_listening()?;
        let mut ready = [PollFd::new(self.fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::ZERO).map_err(io::Error::from)? == 0 {
            self.clear(Direction::Read);
            return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
        }
        Ok(())
    }

    fn check_listening(&self) -> Result<(), SocketError> {
        if self.state != State::Listening {
            return Err(SocketError::State("the socket does not listen"));
        }
        Ok(self.check_ready(Direction::Read)?)
    }

    /// Accepts a connection.
    pub(crate) fn accept(
        &self,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<(Self, SocketAddr), SocketError> {
        self.check_listening()?;
        let accepted = self.socket.accept();
        let (socket, peer) = self.note_would_block(Direction::Read, accepted)?;
        socket.set_nonblocking(true)?;
        let mut connection = Self {
            socket,
            state: State::Connected,
            is_ipv6: self.is_ipv6,
            watched: None,
        };
        connection.watch(kernel, owner)?;
        let peer = peer
            .as_socket()
            .ok_or(SocketError::State("the peer has no IP address"))?;
        Ok((connection, peer))
    }

    /// Starts to connect.
    pub(crate) fn connect(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        to: SocketAddr,
    ) -> Result<(), SocketError> {
        if !matches!(self.state, State::Unbound | State::Bound) {
            return Err(SocketError::State(
                "the socket listens, or is connecting or connected",
            ));
        }
        self.check_family(to)?;
        let started = self.socket.connect(&to.into());
        // Registered only now: an unconnected socket is hung up, and would say so.
        match started {
            Ok(()) => {
                self.state = State::Connected;
                Ok(self.watch(kernel, owner)?)
            }
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {
                self.state = State::Connecting;
                self.watch(kernel, owner)?;
                self.clear(Direction::Write);
                Err(io::Error::from(io::ErrorKind::WouldBlock).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks how a connection attempt went.
    pub(crate) fn finish_connect(&mut self) -> Result<(), SocketError> {
        match self.state {
            State::Connected => return Ok(()),
            State::Connecting => {}
            _ => return Err(SocketError::State("no connection attempt is under way")),
        }
        self.check_ready(Direction::Write)?;
        if let Some(error) = self.socket.take_error()? {
            return Err(error.into());
        }
        match self.socket.peer_addr() {
            Ok(_) => {
                self.state = State::Connected;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                self.clear(Direction::Write);
                Err(io::Error::from(io::ErrorKind::WouldBlock).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Receives into `buffer`; returns how much came.
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check_ready(Direction::Read)?;
        let received = retry(|| (&self.socket).read(buffer));
        let received = self.note_would_block(Direction::Read, received)?;
        // The system had no more than this: the next attempt would block, unless it finds the end.
        if received > 0
            && received < buffer.len()
            && let Some(watched) = &self.watched
        {
            watched.readiness.clear_drained();
        }
        Ok(received)
    }

    /// Sends what fits; returns how much did.
    pub(crate) fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.check_ready(Direction::Write)?;
        let sent = retry(|| (&self.socket).write(data));
        let sent = self.note_would_block(Direction::Write, sent)?;
        if sent < data.len() {
            self.clear(Direction::Write);
        }
        Ok(sent)
    }

    /// Shuts one direction down, or both.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }

    /// The local address.
    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        let address = self.socket.local_addr()?;
        address.as_socket().ok_or_else(no_ip_address)
    }

    /// The peer's address.
    pub(crate) fn peer_address(&self) -> io::Result<SocketAddr> {
        let address = self.socket.peer_addr()?;
        address.as_socket().ok_or_else(no_ip_address)
    }

    /// Sets an option.
    pub(crate) fn set_option(&self, option: SocketOption) -> Result<(), SocketError> {
        options::check(option).map_err(SocketError::Argument)?;
        Ok(options::set(&self.socket, self.is_ipv6, option)?)
    }

    /// Reads an option.
    pub(crate) fn option(&self, name: Name) -> io::Result<SocketOption> {
        options::get(&self.socket, self.is_ipv6, name)
    }

    /// The kernel's entry, for a task to wait on.
    pub(crate) fn source(&self) -> Option<SourceKey> {
        self.watched.as_ref().map(|watched| watched.source)
    }

    /// Throws away some of what has come and was not received. A socket that is closed with something left in it is
    /// reset, and what was sent last may be lost by that.
    pub(crate) fn discard_received(&self) {
        let mut buffer = [0; 4096];
        for _ in 0..16 {
            if !(&self.socket)
                .read(&mut buffer)
                .is_ok_and(|length| length > 0)
            {
                break;
            }
        }
    }

    /// Stops watching the socket, and closes it.
    pub(crate) fn close(mut self, kernel: &mut Kernel) {
        if let Some(watched) = self.watched.take() {
            kernel.unwatch(watched.source, self.fd());
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn watch(&mut self, kernel: &mut Kernel, owner: InstanceKey) -> io::Result<()> {
        let (source, readiness) = kernel.watch(Some(owner), self.fd())?;
        self.watched = Some(Watched { source, readiness });
        Ok(())
    }

    fn check_family(&self, address: SocketAddr) -> Result<(), SocketError> {
        if address.is_ipv6() == self.is_ipv6 {
            return Ok(());
        }
        Err(SocketError::Argument(
            "the address is of another family than the socket",
        ))
    }

    /// Says that it would block, without asking the system, if the kernel knows that it would.
    fn check_ready(&self, direction: Direction) -> io::Result<()> {
        match &self.watched {
            Some(watched) if !watched.readiness.get(direction) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            _ => Ok(()),
        }
    }

    fn clear(&self, direction: Direction) {
        if let Some(watched) = &self.watched {
            watched.readiness.clear(direction);
        }
    }

    /// Keeps in mind that the system would block.
    fn note_would_block<T>(&self, direction: Direction, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::WouldBlock
        {
            self.clear(direction);
        }
        result
    }
}

fn no_ip_address() -> io::Error {
    io::Error::from(io::ErrorKind::Unsupported)
}

/// Tries a system call again that a signal interrupted.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
