//! Accepting and connecting.
//!
//! Neither `accept` nor `connect` has a flag that keeps one call from blocking, and any process that shares the open file
//! description can switch non-blocking mode off at any moment. So they run on another thread if there may be such a
//! process; a task waits for that thread as for the socket itself.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::{self, SocketAddrAny, SocketFlags};
use socket2::Socket as System;

use super::SocketError;
use super::address::{self, Address, Target};
use super::place::Node;
use super::socket::{Family, Kind, Socket, State, would_block};
use crate::background::{Brought, Errand, Lane};
use crate::kernel::{Direction, InstanceKey, Kernel, SourceKey};

/// The result of a call that ran on another thread.
#[derive(Debug)]
pub(super) enum Attempt {
    Accepted(io::Result<(System, Address)>),
    Connected(io::Result<()>),
}

/// Where to connect to.
enum Endpoint {
    Ip(std::net::SocketAddr),
    /// The node keeps the path valid.
    Unix(
        SocketAddrAny,
        #[expect(dead_code, reason = "it is held")] Node,
    ),
}

impl Endpoint {
    fn find(to: &Target) -> Result<Self, SocketError> {
        Ok(match to {
            Target::Ip(address) => Self::Ip(*address),
            Target::Unix(_, place) => {
                let node = Node::find(place)?;
                Self::Unix(address::unix(&node.path())?, node)
            }
        })
    }

    fn connect(&self, system: &System) -> io::Result<()> {
        match self {
            Self::Ip(address) => net::connect(system, address)?,
            Self::Unix(address, _) => net::connect(system, address)?,
        }
        Ok(())
    }
}

impl Socket {
    /// Checks that a connection is there to accept.
    pub(crate) fn check_acceptable(&self) -> Result<(), SocketError> {
        let system = self.check_listening()?;
        if let Some(attempt) = &self.attempt
            && !attempt.is_idle()
        {
            let pending = attempt.is_under_way();
            return if pending {
                Err(would_block().into())
            } else {
                Ok(())
            };
        }
        self.check_ready(Direction::Read)?;
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
        Ok(system)
    }

    /// Accepts a connection.
    pub(crate) fn accept(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
    ) -> Result<(Self, Address), SocketError> {
        let (system, peer) = if self.is_shared() {
            self.accept_on_thread(kernel, owner, lane)?
        } else {
            let listener = self.check_listening()?;
            self.check_ready(Direction::Read)?;
            self.note_would_block(Direction::Read, accept(listener))?
        };
        let buffers = self.buffers.accept(&system)?;
        let closer = kernel.instance(owner).closer();
        let (family, kind) = (self.family(), self.kind());
        let mut connection =
            Self::with_state(system, family, kind, State::Connected, buffers, closer);
        connection.path.clone_from(&self.path);
        connection.linger = self.linger;
        connection.watch(kernel, owner)?;
        Ok((connection, peer))
    }

    fn accept_on_thread(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
    ) -> Result<(System, Address), SocketError> {
        match self.take_attempt()? {
            Some(Attempt::Accepted(Ok(accepted))) => return Ok(accepted),
            // Something else has accepted it. Another connection may have come since.
            Some(Attempt::Accepted(Err(error))) if error.kind() == io::ErrorKind::WouldBlock => {}
            Some(Attempt::Accepted(Err(error)) | Attempt::Connected(Err(error))) => {
                return Err(error.into());
            }
            Some(Attempt::Connected(Ok(()))) | None => {}
        }
        self.check_acceptable()?;
        let listener = self.check_listening()?.try_clone()?;
        self.start_attempt(kernel, owner, lane, move || {
            let accepted = listener
                .set_nonblocking(true)
                .and_then(|()| accept(&listener));
            if let Ok((connection, _)) = &accepted {
                // It has the option from the listener, where another process may have set it.
                forbid_lingering(connection);
            }
            Attempt::Accepted(accepted)
        });
        Err(would_block().into())
    }

    /// Starts to connect.
    pub(crate) fn connect(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
        to: &Target,
    ) -> Result<(), SocketError> {
        if self.family() == Family::Unix && self.state == State::Connecting {
            // On a Unix socket, an attempt that would block is made again: there is nothing to wait for.
            return self.finish_connect(kernel, owner);
        }
        let system = self.system()?;
        if self.kind() == Kind::Stream && !matches!(self.state, State::Unbound | State::Bound) {
            return Err(SocketError::State(
                "the socket listens, or is connecting or connected",
            ));
        }
        to.check(self.family())?;
        let to = Endpoint::find(to)?;
        if self.kind() == Kind::Datagram {
            // It waits for nothing, in whatever mode.
            to.connect(system)?;
            self.state = State::Connected;
            return Ok(());
        }
        let is_new = self.buffers.connect()?;
        if self.is_shared() {
            let system = system.try_clone()?;
            self.buffers.connected(&system, is_new)?;
            self.start_attempt(kernel, owner, lane, move || {
                let mode = system.set_nonblocking(true);
                Attempt::Connected(mode.and_then(|()| to.connect(&system)))
            });
            self.state = State::Connecting;
            return Err(would_block().into());
        }
        let started = to.connect(system);
        self.buffers.connected(system, is_new)?;
        self.note_started(kernel, owner, started)
    }

    /// Registers a socket with the kernel after the system was asked to connect it: an unconnected socket is hung up,
    /// which would be reported.
    fn note_started(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        started: io::Result<()>,
    ) -> Result<(), SocketError> {
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
    pub(crate) fn finish_connect(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<(), SocketError> {
        self.system()?;
        match self.state {
            State::Connected => return Ok(()),
            State::Connecting => {}
            _ => return Err(SocketError::State("no connection attempt is under way")),
        }
        if let Some(Attempt::Connected(started)) = self.take_attempt()? {
            if started.is_err() {
                // Unless it goes on, another attempt may be made, as after one that failed at once.
                self.state = State::Unbound;
            }
            return self.note_started(kernel, owner, started);
        }
        let system = self.system()?;
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

    /// Runs a call on another thread.
    fn start_attempt(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
        call: impl FnOnce() -> Attempt + Send + 'static,
    ) {
        let attempt = self
            .attempt
            .get_or_insert_with(|| Errand::new(kernel, owner, lane));
        attempt.send(call);
    }

    /// Takes the result of the call on another thread, if there was one.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] while it is under way.
    fn take_attempt(&mut self) -> Result<Option<Attempt>, SocketError> {
        let Some(attempt) = &self.attempt else {
            return Ok(None);
        };
        match attempt.bring() {
            Brought::Nothing => Ok(None),
            Brought::NotYet => Err(would_block().into()),
            Brought::Result(result) => Ok(Some(result)),
            Brought::Lost => Err(io::Error::other("the host failed to do this").into()),
        }
    }

    /// What a task waits for in a direction: the socket, or the thread that is busy with it.
    pub(crate) fn waits_for(&self, direction: Direction) -> Option<(SourceKey, Direction)> {
        match &self.attempt {
            Some(attempt) if !attempt.is_idle() => Some((attempt.source(), Direction::Read)),
            _ => self.source().map(|source| (source, direction)),
        }
    }
}

fn accept(listener: &System) -> io::Result<(System, Address)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (connection, peer) = net::acceptfrom_with(listener, flags)?;
    Ok((connection.into(), Address::from_system_if_any(peer)))
}

/// Has a close not wait, in a socket that no other process shares.
fn forbid_lingering(connection: &System) {
    if let Ok(Some(time)) = connection.linger()
        && !time.is_zero()
    {
        drop(connection.set_linger(None));
    }
}
