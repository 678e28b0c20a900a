//! What goes through a socket. Nothing here waits, even if somebody who shares the socket has made it one that does.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::buffer::spare_capacity;
use rustix::net::{self, RecvFlags, SendFlags, SocketAddrAny};

use super::SocketError;
use super::address::{self, Address, Target};
use super::buffers::Buffer;
use super::passing::receive_with_passed;
use super::place::Node;
use super::socket::{Family, Kind, Socket};
use crate::kernel::Direction;

/// How all data is sent.
pub(super) const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Where to put what is received.
enum Room<'a> {
    /// Into memory that nothing was in yet: as much as fits.
    New(&'a mut Vec<u8>),
    Old(&'a mut [u8]),
}

impl Socket {
    /// Receives up to `max` bytes.
    pub(crate) fn recv(&self, max: usize) -> Result<Vec<u8>, SocketError> {
        let fd = self.fd()?;
        let (data, ()) = self.receive(max, |buffer| match buffer {
            Room::New(buffer) => net::recv(fd, spare_capacity(buffer), RecvFlags::DONTWAIT)
                .map(|(received, _)| (received, ())),
            Room::Old(buffer) => self
                .recv_data(fd, buffer, RecvFlags::DONTWAIT)
                .map(|(received, _)| (received, ())),
        })?;
        self.note_received(data.len(), max);
        Ok(data)
    }

    /// As [`Socket::recv`], into `buffer`; returns how much came.
    pub(crate) fn recv_into(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        let fd = self.fd()?;
        self.check_passable()?;
        let receive = || self.recv_data(fd, buffer, RecvFlags::DONTWAIT);
        let (received, _) = self.try_to_read(receive)?;
        self.note_received(received, buffer.len());
        Ok(received)
    }

    /// As [`Socket::recv`], and leaves it there if it is to `peek`. Tells where it came from.
    pub(crate) fn recv_from(
        &self,
        max: usize,
        peek: bool,
    ) -> Result<(Vec<u8>, Address), SocketError> {
        let mut flags = RecvFlags::DONTWAIT;
        if peek {
            flags |= RecvFlags::PEEK;
        }
        let fd = self.fd()?;
        let (data, from) = self.receive(max, |buffer| match buffer {
            Room::New(buffer) => net::recvfrom(fd, spare_capacity(buffer), flags)
                .map(|(received, _, from)| (received, from)),
            Room::Old(buffer) => self.recv_data(fd, buffer, flags),
        })?;
        Ok((data, Address::from_system_if_any(from)))
    }

    /// Has `receive` put up to `max` bytes into new memory, which need not be made zero for that.
    fn receive<T>(
        &self,
        max: usize,
        mut receive: impl FnMut(Room<'_>) -> rustix::io::Result<(usize, T)>,
    ) -> Result<(Vec<u8>, T), SocketError> {
        self.check_ready(Direction::Read)?;
        self.check_passable()?;
        let mut data = Vec::with_capacity(max);
        let is_unix = self.family() == Family::Unix;
        let more = if data.capacity() == max && max > 0 && !is_unix {
            self.try_to_read(|| receive(Room::New(&mut data)))?.1
        } else {
            data.resize(max, 0);
            let (received, more) = self.try_to_read(|| receive(Room::Old(&mut data)))?;
            data.truncate(received);
            more
        };
        Ok((data, more))
    }

    /// If the system had no more, the next attempt would block, unless it finds the end. A Unix stream stops short where
    /// sockets are passed along.
    fn note_received(&self, received: usize, wanted: usize) {
        if self.buffers.note_received(received) {
            self.grow(Buffer::Receive);
        }
        if received > 0
            && received < wanted
            && self.kind() == Kind::Stream
            && self.family() != Family::Unix
            && let Some(readiness) = self.readiness()
        {
            readiness.clear_drained();
        }
    }

    /// Throws away some of what has come and was not received. A socket that is closed with something left in it is
    /// reset, and what was sent last may be lost by that.
    pub(crate) fn discard_received(&self) {
        let Ok(fd) = self.fd() else { return };
        for _ in 0..16 {
            let received = self.recv_data(fd, &mut [0; 4096], RecvFlags::DONTWAIT);
            if !received.is_ok_and(|(length, _)| length > 0) {
                break;
            }
        }
    }

    /// Receives data alone. The system would close the sockets that come with it on this thread, so they are taken.
    fn recv_data(
        &self,
        fd: BorrowedFd<'_>,
        buffer: &mut [u8],
        flags: RecvFlags,
    ) -> rustix::io::Result<(usize, Option<SocketAddrAny>)> {
        if self.family() != Family::Unix {
            return net::recvfrom(fd, buffer, flags).map(|(received, _, from)| (received, from));
        }
        let received = receive_with_passed(fd, buffer, flags, |fd| self.closer.close(fd))?;
        Ok((received.bytes, received.address))
    }

    /// Sends what fits; returns how much did.
    pub(crate) fn send(&self, data: &[u8]) -> Result<usize, SocketError> {
        let fd = self.fd()?;
        let mut sent = self.grow_to_send(data.len(), || net::send(fd, data, SEND))?;
        while sent < data.len() {
            // What there was room for was taken; the rest only fits into a larger buffer.
            if !self.grow(Buffer::Send) {
                self.clear(Direction::Write);
                break;
            }
            match self.try_to_write(|| net::send(fd, &data[sent..], SEND)) {
                Ok(more) => sent += more,
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Sends, by `send`; if there is no room, into a larger buffer, if that may be had.
    pub(super) fn grow_to_send(
        &self,
        length: usize,
        mut send: impl FnMut() -> rustix::io::Result<usize>,
    ) -> Result<usize, SocketError> {
        self.check_ready(Direction::Write)?;
        loop {
            let result = retry(&mut send);
            let is_full =
                matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
            if self.grow_for_datagram(&result)? {
                continue;
            }
            if !(is_full && length > 0 && self.grow(Buffer::Send)) {
                return Ok(self.note_would_block(Direction::Write, result)?);
            }
        }
    }

    /// Sends a datagram to an address.
    pub(crate) fn send_to(&self, data: &[u8], to: &Target) -> Result<usize, SocketError> {
        let fd = self.fd()?;
        self.to_address(to, |address| net::sendto(fd, data, SEND, address))
    }

    /// Sends a datagram, by `send`, to an address.
    pub(super) fn to_address(
        &self,
        to: &Target,
        send: impl FnMut(&SocketAddrAny) -> rustix::io::Result<usize>,
    ) -> Result<usize, SocketError> {
        if self.kind() == Kind::Stream {
            return Err(SocketError::State(
                "a stream has no address for each part of it; connect it",
            ));
        }
        to.check(self.family())?;
        let mut send = send;
        match to {
            Target::Ip(ip) => {
                let address = SocketAddrAny::from(*ip);
                self.grow_to_send(1, || send(&address))
            }
            Target::Unix(_, place) => {
                let node = Node::find(place)?;
                let address = address::unix(&node.path())?;
                // If the peer has no room, no event tells when it has: the next attempt is to be made in any case.
                loop {
                    let result = retry(|| send(&address));
                    if !self.grow_for_datagram(&result)? {
                        return Ok(result?);
                    }
                }
            }
        }
    }

    /// Reads, if there may be something.
    pub(super) fn try_to_read<T>(
        &self,
        read: impl FnMut() -> rustix::io::Result<T>,
    ) -> Result<T, SocketError> {
        self.check_ready(Direction::Read)?;
        Ok(self.note_would_block(Direction::Read, retry(read))?)
    }

    /// Writes, if there may be room.
    pub(super) fn try_to_write<T>(
        &self,
        write: impl FnMut() -> rustix::io::Result<T>,
    ) -> Result<T, SocketError> {
        self.check_ready(Direction::Write)?;
        Ok(self.note_would_block(Direction::Write, retry(write))?)
    }

    /// Says that it would block, without asking the system, if the kernel knows that it would.
    pub(super) fn check_ready(&self, direction: Direction) -> io::Result<()> {
        match self.readiness() {
            Some(readiness) if !readiness.get(direction) => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn clear(&self, direction: Direction) {
        if let Some(readiness) = self.readiness() {
            readiness.clear(direction);
        }
    }

    /// Keeps in mind that the system would block.
    pub(super) fn note_would_block<T>(
        &self,
        direction: Direction,
        result: io::Result<T>,
    ) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::WouldBlock
        {
            self.clear(direction);
        }
        result
    }
}

/// Tries a system call again that a signal interrupted.
pub(super) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map_err(io::Error::from),
        }
    }
}
