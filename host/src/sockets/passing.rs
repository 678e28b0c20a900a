//! Sockets that go through a Unix socket, with the data.
//!
//! What is on the way belongs to nobody: the sender may have closed its own, the other end has not received it
//! yet. So it counts as handles of the sender's, until the system says that the other end has received everything.
//! If the socket that it went through is closed before, its writing end is shut down, and the rest of it lingers
//! until then.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{
    self, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage,
};

use super::SocketError;
use super::address::{Address, Target};
use super::adopt::adopt;
use super::socket::{Family, Socket};
use super::transfer::SEND;
use crate::closer::{ClosedLater, Closer};
use crate::kernel::{Direction, InstanceKey, Kernel};
use crate::limits::Held;

/// How many the system passes at once.
pub(crate) const MAX_PASSED: usize = 253;

/// How many times a socket is read before it is closed. It holds no more, unless in very small pieces.
const MAX_DISCARDED: usize = 256;

/// Room for so many.
const SPACE: usize = rustix::cmsg_space!(ScmRights(MAX_PASSED));

/// What [`Socket::recv_msg`] received.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) data: Vec<u8>,
    pub(crate) from: Address,
    /// Whether a datagram's end is lost.
    pub(crate) cut: bool,
    pub(crate) sockets: Vec<Socket>,
    /// How many descriptors came that are no sockets, or for which there was no room.
    pub(crate) refused: u32,
}

/// What is left of a socket that was closed while others were on the way through it.
#[derive(Debug)]
pub(crate) struct Lingering {
    /// Nothing once it is dropped.
    system: Option<socket2::Socket>,
    passed: u32,
    /// The memory that its data may take …
    _buffers: Held,
    /// … and that of the sockets.
    _passed_memory: Option<Held>,
    closer: Closer,
}

impl Lingering {
    /// How many handles it counts as, itself included.
    pub(crate) fn handles(&self) -> u32 {
        self.passed + 1
    }

    /// Whether the other end has received everything, or has closed.
    pub(crate) fn is_over(&self) -> bool {
        self.system.as_ref().is_none_or(is_received)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        // Others may lie in it.
        if let Some(system) = self.system.take() {
            self.closer.close(system);
        }
    }
}

impl Socket {
    /// As [`Socket::recv_from`], with at most `room` sockets that are passed along.
    pub(crate) fn recv_msg(
        &self,
        max: usize,
        room: usize,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<Message, SocketError> {
        let fd = self.fd()?;
        self.check_ready(Direction::Read)?;
        self.check_passable()?;
        let mut data = vec![0; max];
        let mut descriptors = Vec::new();
        let received = self.try_to_read(|| {
            receive_with_passed(fd, &mut data, RecvFlags::DONTWAIT, |fd| {
                descriptors.push(fd);
            })
        })?;
        data.truncate(received.bytes);
        let mut message = Message {
            data,
            from: Address::from_system_if_any(received.address),
            cut: received.flags.contains(ReturnFlags::TRUNC),
            sockets: Vec::new(),
            refused: u32::from(received.flags.contains(ReturnFlags::CTRUNC)),
        };
        for descriptor in descriptors {
            message.take(descriptor, room, kernel, owner);
        }
        Ok(message)
    }

    /// Checks that sockets may be passed on with this data.
    pub(crate) fn check_passing(&self, data: &[u8], sockets: usize) -> Result<(), SocketError> {
        if sockets == 0 {
            return Ok(());
        }
        if self.family() != Family::Unix {
            return Err(SocketError::Argument(
                "only a Unix socket passes sockets on",
            ));
        }
        if sockets > MAX_PASSED {
            return Err(SocketError::Argument(
                "253 sockets can be passed on at once at the most",
            ));
        }
        if data.is_empty() {
            return Err(SocketError::Argument(
                "sockets are passed on with data, be it one byte",
            ));
        }
        Ok(())
    }

    /// Sends, and passes sockets along, which may take `memory`.
    pub(crate) fn send_msg(
        &mut self,
        data: &[u8],
        sockets: &[BorrowedFd<'_>],
        memory: u64,
        to: Option<&Target>,
    ) -> Result<usize, SocketError> {
        self.check_passing(data, sockets.len())?;
        let held = (memory > 0).then(|| self.buffers.allowance().hold(memory));
        let held = held.transpose()?;
        let fd = self.fd()?;
        let send = |to: Option<&net::SocketAddrAny>| {
            let mut space = [MaybeUninit::uninit(); SPACE];
            let mut passed = SendAncillaryBuffer::new(&mut space);
            if !sockets.is_empty() {
                // There is room for as many as were checked.
                passed.push(SendAncillaryMessage::ScmRights(sockets));
            }
            let parts = [IoSlice::new(data)];
            match to {
                Some(to) => net::sendmsg_addr(fd, to, &parts, &mut passed, SEND),
                None => net::sendmsg(fd, &parts, &mut passed, SEND),
            }
        };
        let length = match to {
            Some(to) => self.to_address(to, |to| send(Some(to)))?,
            None => self.grow_to_send(data.len(), || send(None))?,
        };
        if length < data.len() {
            self.clear(Direction::Write);
        }
        self.passed += u32::try_from(sockets.len()).unwrap_or(u32::MAX);
        if let Some(held) = held {
            match &mut self.passed_memory {
                Some(before) => before.merge(held),
                None => self.passed_memory = Some(held),
            }
        }
        Ok(length)
    }

    /// Its own descriptor, to be passed on, and the memory that the socket may take.
    pub(crate) fn to_pass(&self) -> Result<(OwnedFd, u64), SocketError> {
        self.check_closer()?;
        let own = rustix::io::fcntl_dupfd_cloexec(self.fd()?, 0)?;
        self.set_shared();
        self.buffers.share();
        Ok((own, self.buffers.bytes()))
    }

    /// Gives it away, to a program of the host's that reads and writes it without more ado. It is closed if it can't be.
    pub(crate) fn give_away(&mut self, kernel: &mut Kernel) -> Result<ClosedLater, SocketError> {
        self.system()?;
        if self.peer_address().is_err() {
            return Err(SocketError::State("the socket is not connected"));
        }
        if self.has_passed() {
            let what = "sockets are on the way through this one";
            return Err(SocketError::State(what));
        }
        let system = self
            .take(kernel)
            .ok_or(SocketError::State("the socket is closed"))?;
        if let Err(error) = system.set_nonblocking(false) {
            self.dispose(system);
            return Err(error.into());
        }
        Ok(ClosedLater::new(system.into(), self.closer.clone()))
    }

    /// Whether others may still be on the way through it.
    pub(crate) fn has_passed(&self) -> bool {
        self.passed > 0
    }

    /// How many handles are given back because what was passed has arrived.
    pub(crate) fn take_arrived(&mut self) -> u32 {
        let arrived = self.passed > 0 && self.system().is_ok_and(is_received);
        if arrived {
            self.passed_memory = None;
            std::mem::take(&mut self.passed)
        } else {
            0
        }
    }

    /// Closes it. What has to stay for the sake of those that are on the way is given back, and what is left of a Unix
    /// socket whose data the peer has not received: that stays in memory until then.
    pub(crate) fn close_and_linger(&mut self, kernel: &mut Kernel) -> Option<Lingering> {
        let system = self.take(kernel)?;
        let passed = std::mem::take(&mut self.passed);
        let passed_memory = self.passed_memory.take();
        if self.family() != Family::Unix || (passed == 0 && is_received(&system)) {
            self.dispose(system);
            return None;
        }
        // It fails if there is no peer any more, and then nothing is on the way.
        drop(system.shutdown(Shutdown::Both));
        // What it has not received itself would keep others lingering; no more of it can come.
        for _ in 0..MAX_DISCARDED {
            let take = |fd| self.closer.close(fd);
            let received =
                receive_with_passed(system.as_fd(), &mut [0; 4096], RecvFlags::DONTWAIT, take);
            if !received.is_ok_and(|received| received.bytes > 0) {
                break;
            }
        }
        Some(Lingering {
            system: Some(system),
            passed,
            _buffers: self.buffers.close(),
            _passed_memory: passed_memory,
            closer: self.closer.clone(),
        })
    }
}

impl Message {
    fn take(&mut self, fd: OwnedFd, room: usize, kernel: &mut Kernel, owner: InstanceKey) {
        if self.sockets.len() >= room {
            kernel.instance(owner).closer().close(fd);
            self.refused += 1;
        } else if let Ok(Some(socket)) = adopt(fd, kernel, owner) {
            self.sockets.push(socket);
        } else {
            self.refused += 1;
        }
    }
}

/// Receives, and gives each descriptor that comes along to `take`: none of them may be closed on this thread.
pub(super) fn receive_with_passed(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: RecvFlags,
    mut take: impl FnMut(OwnedFd),
) -> rustix::io::Result<RecvMsg> {
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut passed = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let received = net::recvmsg(fd, &mut parts, &mut passed, flags)?;
    for message in passed.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            descriptors.for_each(&mut take);
        }
    }
    Ok(received)
}

/// Whether the other end has received everything that was sent.
fn is_received(system: &socket2::Socket) -> bool {
    outgoing(system).is_ok_and(|bytes| bytes == 0)
}

nix::ioctl_read_bad!(
    /// How many bytes were sent and not received.
    siocoutq,
    nix::libc::TIOCOUTQ,
    nix::libc::c_int
);

#[expect(unsafe_code, reason = "the only way to ask")]
fn outgoing(system: &socket2::Socket) -> nix::Result<i32> {
    let mut bytes = 0;
    // SAFETY: the descriptor is open, and the system writes one integer, which there is room for.
    unsafe { siocoutq(system.as_raw_fd(), &raw mut bytes) }?;
    Ok(bytes)
}
