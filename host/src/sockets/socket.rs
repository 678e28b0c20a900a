//! A socket: its kind, its state, and operations that never wait.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::{self, SocketFlags};
use socket2::{Domain, Protocol, Socket as System, Type};

use super::SocketError;
use super::address::{self, Address, Target};
use super::buffers::Buffers;
use super::place::{Node, Spot};
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};
use crate::limits::Held;

/// Which addresses a socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
    Unix,
}

/// How a socket passes data on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stream,
    Datagram,
}

/// What a socket has been made into. Streams are watched by the kernel from `Listening` on, others always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
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

/// A socket of whatever kind. Whoever drops it unwatches it first: see [`Socket::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Socket {
    /// Nothing once it is closed.
    system: Option<System>,
    family: Family,
    kind: Kind,
    state: State,
    watched: Option<Watched>,
    /// The path it is bound to, as the guest says it.
    pub(super) path: Option<String>,
    /// Whether a right to listen covers it, so that it hears whoever sends to it.
    open: bool,
    /// How many sockets it has passed on that may still be on the way.
    pub(super) passed: u32,
    /// The memory that those may take.
    pub(super) passed_memory: Option<Held>,
    /// The memory that it may take itself.
    pub(super) buffers: Buffers,
}

impl Socket {
    /// An unbound socket.
    pub(crate) fn new(
        family: Family,
        kind: Kind,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<Self, SocketError> {
        let (domain, protocol) = match (family, kind) {
            (Family::Ipv4, Kind::Stream) => (Domain::IPV4, Some(Protocol::TCP)),
            (Family::Ipv4, Kind::Datagram) => (Domain::IPV4, Some(Protocol::UDP)),
            (Family::Ipv6, Kind::Stream) => (Domain::IPV6, Some(Protocol::TCP)),
            (Family::Ipv6, Kind::Datagram) => (Domain::IPV6, Some(Protocol::UDP)),
            (Family::Unix, _) => (Domain::UNIX, None),
        };
        let system = System::new(domain, system_type(kind), protocol)?;
        system.set_nonblocking(true)?;
        let buffers = Buffers::new(&system, family, kind, &kernel.allowance(owner))?;
        let mut socket = Self::with_state(system, family, kind, State::Unbound, buffers);
        // A stream that is not connected is hung up, and would say so.
        if kind == Kind::Datagram {
            socket.watch(kernel, owner)?;
        }
        Ok(socket)
    }

    /// Two Unix sockets that are connected with each other.
    pub(crate) fn pair(
        kind: Kind,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<(Self, Self), SocketError> {
        let (one, other) = System::pair(Domain::UNIX, system_type(kind), None)?;
        let allowance = kernel.allowance(owner);
        let mut connected = |system: System| {
            system.set_nonblocking(true)?;
            let buffers = Buffers::new(&system, Family::Unix, kind, &allowance)?;
            let state = State::Connected;
            let mut socket = Self::with_state(system, Family::Unix, kind, state, buffers);
            socket.watch(kernel, owner)?;
            Ok::<_, SocketError>(socket)
        };
        let one = connected(one)?;
        match connected(other) {
            Ok(other) => Ok((one, other)),
            Err(error) => {
                let mut one = one;
                one.close(kernel);
                Err(error)
            }
        }
    }

    /// One that is not watched yet.
    pub(super) fn with_state(
        system: System,
        family: Family,
        kind: Kind,
        state: State,
        buffers: Buffers,
    ) -> Self {
        Self {
            system: Some(system),
            family,
            kind,
            state,
            watched: None,
            path: None,
            open: false,
            passed: 0,
            passed_memory: None,
            buffers,
        }
    }

    /// Binds to a local address.
    pub(crate) fn bind(&mut self, to: Target) -> Result<(), SocketError> {
        let system = self.system()?;
        if self.state != State::Unbound {
            return Err(SocketError::State("the socket is already bound"));
        }
        to.check(self.family)?;
        match to {
            Target::Ip(address) => net::bind(system, &address)?,
            Target::Unix(path, place) => {
                let spot = Spot::find(&place)?;
                net::bind(system, &address::unix(&spot.path()?)?)?;
                spot.check()?;
                self.path = Some(path);
            }
        }
        self.state = State::Bound;
        self.open = true;
        Ok(())
    }

    /// Notes that it hears whoever sends to it, without a bind of the guest's own.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Whether it receives from whoever sends to it, though nobody was asked for that: sending binds a socket, too.
    pub(crate) fn is_ajar(&self) -> bool {
        !self.open && self.kind == Kind::Datagram && self.family != Family::Unix
    }

    /// Starts to listen.
    pub(crate) fn listen(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        backlog: u32,
    ) -> Result<(), SocketError> {
        self.system()?;
        if self.kind == Kind::Datagram {
            return Err(SocketError::State(
                "a socket for datagrams does not listen; it receives as it is",
            ));
        }
        if self.state != State::Bound {
            return Err(SocketError::State("only a bound socket can listen"));
        }
        let backlog = i32::try_from(self.buffers.listen(backlog)?).unwrap_or(i32::MAX);
        self.system()?.listen(backlog)?;
        self.state = State::Listening;
        Ok(self.watch(kernel, owner)?)
    }

    /// Checks that a connection is there to accept.
    pub(crate) fn check_acceptable(&self) -> Result<(), SocketError> {
        let system = self.check_listening()?;
        let mut ready = [PollFd::new(system.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::ZERO).map_err(io::Error::from)? == 0 {
            self.clear(Direction::Read);
            return Err(would_block().into());
        }
        Ok(())
    }

    fn check_listening(&self) -> Result<&System, SocketError> {
        let system = self.system()?;
        if self.state != State::Listening {
            return Err(SocketError::State("the socket does not listen"));
        }
        self.check_ready(Direction::Read)?;
        Ok(system)
    }

    /// Accepts a connection.
    pub(crate) fn accept(
        &self,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<(Self, Address), SocketError> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let accepted = net::acceptfrom_with(self.check_listening()?, flags);
        let accepted = accepted.map_err(io::Error::from);
        let (connection, peer) = self.note_would_block(Direction::Read, accepted)?;
        let system = System::from(connection);
        let buffers = self.buffers.accept(&system)?;
        let mut connection =
            Self::with_state(system, self.family, self.kind, State::Connected, buffers);
        connection.path.clone_from(&self.path);
        connection.watch(kernel, owner)?;
        Ok((connection, Address::from_system_if_any(peer)))
    }

    /// Starts to connect.
    pub(crate) fn connect(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        to: &Target,
    ) -> Result<(), SocketError> {
        let system = self.system()?;
        if self.kind == Kind::Stream && !matches!(self.state, State::Unbound | State::Bound) {
            return Err(SocketError::State(
                "the socket listens, or is connecting or connected",
            ));
        }
        to.check(self.family)?;
        let is_new = self.buffers.connect()?;
        let started = match to {
            Target::Ip(address) => net::connect(system, address),
            Target::Unix(_, place) => {
                let node = Node::find(place)?;
                net::connect(system, &address::unix(&node.path())?)
            }
        };
        self.buffers.connected(system, is_new)?;
        let started = started.map_err(io::Error::from);
        if self.kind == Kind::Datagram {
            started?;
            self.state = State::Connected;
            return Ok(());
        }
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
                Err(would_block().into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks how a connection attempt went.
    pub(crate) fn finish_connect(&mut self) -> Result<(), SocketError> {
        let system = self.system()?;
        match self.state {
            State::Connected => return Ok(()),
            State::Connecting => {}
            _ => return Err(SocketError::State("no connection attempt is under way")),
        }
        self.check_ready(Direction::Write)?;
        if let Some(error) = system.take_error()? {
            return Err(error.into());
        }
        match system.peer_addr() {
            Ok(_) => {
                self.state = State::Connected;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                self.clear(Direction::Write);
                Err(would_block().into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Shuts one direction down, or both.
    pub(crate) fn shutdown(&self, how: Shutdown) -> Result<(), SocketError> {
        Ok(self.system()?.shutdown(how)?)
    }

    /// Checks that it is a connected stream, and tells who is at the other end.
    pub(crate) fn check_stream(&self) -> Result<Address, SocketError> {
        if self.kind == Kind::Datagram {
            return Err(SocketError::Argument(
                "TLS needs a stream, and this is a socket for datagrams",
            ));
        }
        if self.passed > 0 {
            return Err(SocketError::State(
                "sockets are on the way through this one",
            ));
        }
        self.peer_address()
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.system.is_none()
    }

    /// The kernel's entry, for a task to wait on.
    pub(crate) fn source(&self) -> Option<SourceKey> {
        self.watched.as_ref().map(|watched| watched.source)
    }

    /// Stops watching the socket, and closes it.
    pub(crate) fn close(&mut self, kernel: &mut Kernel) {
        drop(self.take(kernel));
    }

    /// Stops watching the socket, and gives the system's.
    pub(super) fn take(&mut self, kernel: &mut Kernel) -> Option<System> {
        let system = self.system.take()?;
        if let Some(watched) = self.watched.take() {
            kernel.unwatch(watched.source, system.as_fd());
        }
        Some(system)
    }

    /// The system's socket, if it is not closed.
    pub(super) fn system(&self) -> Result<&System, SocketError> {
        let closed = SocketError::State("the socket is closed");
        self.system.as_ref().ok_or(closed)
    }

    pub(super) fn fd(&self) -> Result<BorrowedFd<'_>, SocketError> {
        Ok(self.system()?.as_fd())
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn watch(&mut self, kernel: &mut Kernel, owner: InstanceKey) -> io::Result<()> {
        if let Some(system) = &self.system {
            let (source, readiness) = kernel.watch(Some(owner), system.as_fd())?;
            self.watched = Some(Watched { source, readiness });
        }
        Ok(())
    }

    /// What the kernel knows to be possible.
    pub(super) fn readiness(&self) -> Option<&Readiness> {
        self.watched.as_ref().map(|watched| &*watched.readiness)
    }
}

fn system_type(kind: Kind) -> Type {
    match kind {
        Kind::Stream => Type::STREAM,
        Kind::Datagram => Type::DGRAM,
    }
}

fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}
