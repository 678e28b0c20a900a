//! Sockets that somebody else has made: what kind they are of, and in which state.

use std::os::fd::OwnedFd;

use rustix::net::{self, AddressFamily, SocketType, ipproto, sockopt};

use super::SocketError;
use super::address::Address;
use super::buffers::Buffers;
use super::socket::{Family, Kind, Socket, State};
use crate::kernel::{InstanceKey, Kernel};

/// Takes a descriptor as a socket. None if it is not one, or of a kind that guests don't have: a raw one, say,
/// would let them do what is never granted.
///
/// Whoever has made it may share it still.
///
/// # Errors
/// If the kernel can't watch it, or there is no memory left for it.
pub(super) fn adopt(
    fd: OwnedFd,
    kernel: &mut Kernel,
    owner: InstanceKey,
) -> Result<Option<Socket>, SocketError> {
    let closer = kernel.instance(owner).closer();
    let Some((family, kind)) = identify(&fd) else {
        closer.close(fd);
        return Ok(None);
    };
    let state = state(&fd, kind);
    let socket = socket2::Socket::from(fd);
    let allowance = kernel.allowance(owner);
    let is_listener = state == State::Listening;
    let adopted = socket
        .set_nonblocking(true)
        .map_err(SocketError::from)
        .and_then(|()| Buffers::adopt(&socket, family, kind, is_listener, &allowance));
    let buffers = match adopted {
        Ok(buffers) => buffers,
        Err(error) => {
            closer.close(socket);
            return Err(error);
        }
    };
    let mut socket = Socket::with_state(socket, family, kind, state, buffers, closer);
    socket.set_shared();
    if kind == Kind::Datagram || matches!(state, State::Listening | State::Connected) {
        socket.watch(kernel, owner)?;
    }
    Ok(Some(socket))
}

/// What it is; none as with [`adopt`].
pub(super) fn identify(fd: &OwnedFd) -> Option<(Family, Kind)> {
    let family = match sockopt::socket_domain(fd).ok()? {
        AddressFamily::INET => Family::Ipv4,
        AddressFamily::INET6 => Family::Ipv6,
        AddressFamily::UNIX => Family::Unix,
        _ => return None,
    };
    let kind = match sockopt::socket_type(fd).ok()? {
        SocketType::STREAM => Kind::Stream,
        SocketType::DGRAM => Kind::Datagram,
        _ => return None,
    };
    let protocol = sockopt::socket_protocol(fd).ok()?;
    let usual = match kind {
        _ if family == Family::Unix => None,
        Kind::Stream => Some(ipproto::TCP),
        Kind::Datagram => Some(ipproto::UDP),
    };
    (protocol == usual).then_some((family, kind))
}

fn state(fd: &OwnedFd, kind: Kind) -> State {
    if kind == Kind::Stream && sockopt::socket_acceptconn(fd).unwrap_or(false) {
        return State::Listening;
    }
    if net::getpeername(fd).is_ok() {
        return State::Connected;
    }
    match net::getsockname(fd).map(Address::from_system) {
        Ok(Address::Ip(address)) if address.port() != 0 => State::Bound,
        Ok(Address::Unix(_)) => State::Bound,
        _ => State::Unbound,
    }
}
