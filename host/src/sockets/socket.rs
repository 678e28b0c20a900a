//! A socket: its kind, its state, and operations that never wait. More of them are in `connecting`, `transfer`, `passing`
//! and `closing`.

use std::cell::Cell;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::net;
use socket2::{Domain, Protocol, Socket as System, Type};

use super::SocketError;
use super::address::{self, Address, Target};
use super::buffers::Buffers;
use super::closing::closer_of;
use super::connecting::Attempt;
use super::place::Spot;
use crate::background::Errand;
use crate::closer::Closer;
use crate::kernel::{InstanceKey, Kernel, Readiness, SourceKey};
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
pub(super) struct Watched {
    pub(super) source: SourceKey,
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
    pub(super) system: Option<System>,
    pub(super) family: Family,
    pub(super) kind: Kind,
    pub(super) state: State,
    pub(super) watched: Option<Watched>,
    /// What runs on another thread, if another process may share the socket.
    pub(super) attempt: Option<Errand<Attempt>>,
    pub(super) shared: Cell<bool>,
    pub(super) closer: Closer,
    /// The linger time that the guest has set, of which the system knows nothing.
    pub(super) linger: Option<Duration>,
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
        let closer = closer_of(kernel, owner);
        let mut socket = Self::with_state(system, family, kind, State::Unbound, buffers, closer);
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
            let (family, state) = (Family::Unix, State::Connected);
            let buffers = Buffers::new(&system, family, kind, &allowance)?;
            let closer = closer_of(kernel, owner);
            let mut socket = Self::with_state(system, family, kind, state, buffers, closer);
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
        closer: Closer,
    ) -> Self {
        Self {
            system: Some(system),
            family,
            kind,
            state,
            watched: None,
            attempt: None,
            shared: Cell::new(false),
            closer,
            linger: None,
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

pub(super) fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}
