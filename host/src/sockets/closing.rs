//! Closing. It never waits: see [`Closer`](crate::closer::Closer) for what would.

use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{self, RecvFlags};
use socket2::Socket as System;

use super::SocketError;
use super::socket::{Family, Kind, Socket, State};
use crate::closer::Closer;
use crate::kernel::{InstanceKey, Kernel};

impl Socket {
    /// Stops watching the socket, and closes it.
    pub(crate) fn close(&mut self, kernel: &mut Kernel) {
        if let Some(system) = self.take(kernel) {
            self.dispose(system);
        }
    }

    /// Stops watching the socket, and gives the system's.
    pub(super) fn take(&mut self, kernel: &mut Kernel) -> Option<System> {
        let system = self.system.take()?;
        if let Some(attempt) = self.attempt.take() {
            attempt.close(kernel);
        }
        if let Some(watched) = self.watched.take() {
            kernel.unwatch(watched.source, system.as_fd());
        }
        Some(system)
    }

    /// Closes the system's socket, on another thread if that may block.
    pub(super) fn dispose(&self, system: System) {
        if may_block(
            &system,
            self.family,
            self.kind,
            self.state,
            self.is_shared(),
        ) {
            self.closer.close(OwnedFd::from(system));
        }
    }

    /// Whether another process may have the same open file description. Such a process changes the socket's mode and
    /// options at any moment.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.get()
    }

    /// Notes that another process may have it, too.
    pub(super) fn set_shared(&self) {
        self.shared.set(true);
    }

    /// Fails if sockets may come with what is received, and should not.
    pub(super) fn check_passable(&self) -> Result<(), SocketError> {
        if self.family == Family::Unix {
            self.check_closer()?;
        }
        Ok(())
    }

    /// Fails if so many descriptors wait to be closed that there should not be more.
    pub(super) fn check_closer(&self) -> Result<(), SocketError> {
        if self.closer.is_overloaded() {
            return Err(SocketError::State(
                "sockets that were passed wait to be closed, and a peer holds that up; try again later, or close this \
                 one",
            ));
        }
        Ok(())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The end of an instance: the kernel forgets by itself what it watched for it.
        if let Some(system) = self.system.take() {
            self.dispose(system);
        }
    }
}

/// Whether closing a socket may block, or close others that may.
fn may_block(system: &System, family: Family, kind: Kind, state: State, is_shared: bool) -> bool {
    match (family, kind) {
        (Family::Ipv4 | Family::Ipv6, Kind::Stream) => is_shared,
        // Nothing lingers.
        (Family::Ipv4 | Family::Ipv6, Kind::Datagram) => false,
        (Family::Unix, _) if is_shared => true,
        (Family::Unix, kind) => {
            // No other process has it, and nothing more arrives after this. It fails if nothing ever could.
            drop(system.shutdown(Shutdown::Both));
            // Connections that nobody has accepted may have sockets in them, too.
            state == State::Listening || has_unreceived(system, kind)
        }
    }
}

/// Whether something lies in a Unix socket, and with it other sockets perhaps.
fn has_unreceived(system: &System, kind: Kind) -> bool {
    match kind {
        // A look at the data would miss what was sent out of band.
        Kind::Stream => rustix::io::ioctl_fionread(system).is_ok_and(|bytes| bytes > 0),
        // A datagram may have no bytes.
        Kind::Datagram => {
            let look = RecvFlags::DONTWAIT | RecvFlags::PEEK;
            net::recv(system, &mut [0_u8; 1], look).is_ok()
        }
    }
}

/// What closes an instance's descriptors.
pub(super) fn closer_of(kernel: &mut Kernel, owner: InstanceKey) -> Closer {
    kernel.instance(owner).closer()
}
