//! The memory that a socket may take of the operating system, and what is charged for that.
//!
//! Invariant: the sizes of a socket's buffers are set, so that the system keeps to them, and all of their bytes are
//! charged to the socket's owner as long as the socket is there. So that a socket which is quiet costs little, the
//! buffers are small at first. They grow when data does not fit, once or twice in a connection's life, and only while
//! half of the owner's memory is free; if it is not, they stay as they are. No system call is made for that while
//! data fits.
//!
//! A Unix socket's data is the sender's until it is received: its receive buffer holds nothing. A socket that has been
//! passed on is the same for all who have it, so its sizes stay what they were: else one owner could let another one
//! pay for less than there is.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsRawFd;

use nix::libc;
use socket2::Socket as System;

use super::SocketError;
use super::socket::{Family, Kind, Socket};
use crate::limits::{Allowance, Held};

/// What a socket takes besides its buffers: entries of the system and of the event queue.
const ENTRY: u64 = 4096;

/// The largest buffer that a guest can ask for: what the system is told, which doubles it.
const MAX_ASKED: u32 = 4 << 20;

/// To where buffers grow by themselves. Every system allows that, unless its operator has made `net.core.wmem_max` or
/// `rmem_max` smaller than they are by default.
const GROWN: u32 = 416 * KIB;

/// A stream's send buffer at first, and after its first growth.
const SEND: [u32; 2] = [32 * KIB, 128 * KIB];

/// The receive buffer of a TCP connection at first. The system's own default is the same, and it has promised the peer
/// that much when the connection is made.
const RECEIVE: u32 = 128 * KIB;

/// The buffers of a socket for datagrams by IP.
const DATAGRAMS: (u32, u32) = (64 * KIB, 208 * KIB);

/// What comes in pieces of this size may be part of much data.
const PACKET: usize = 1400;

/// How many connections may wait to be accepted at the most.
const MAX_BACKLOG: u32 = 4096;

const KIB: u32 = 1024;

/// A socket's buffers, by their sizes in bytes as the system counts them, and the memory that is held for them.
#[derive(Debug)]
pub(super) struct Buffers {
    held: RefCell<Held>,
    family: Family,
    kind: Kind,
    send: Cell<u32>,
    /// Zero as long as it holds nothing: the system's default applies.
    receive: Cell<u32>,
    /// For connections that wait to be accepted.
    waiting: u64,
    /// Whether others may have the same socket.
    is_shared: Cell<bool>,
    /// How much was received in pieces that are as large as a packet, since the receive buffer was set.
    received: Cell<u32>,
}

/// Which of a socket's buffers is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffer {
    Send,
    Receive,
}

impl Buffers {
    /// Makes the buffers of a new socket small.
    pub(super) fn new(
        system: &System,
        family: Family,
        kind: Kind,
        allowance: &Allowance,
    ) -> Result<Self, SocketError> {
        let (send, receive) = match (family, kind) {
            (Family::Unix, _) | (_, Kind::Stream) => (SEND[0], 0),
            (_, Kind::Datagram) => DATAGRAMS,
        };
        let held = allowance.hold(ENTRY + u64::from(send) + u64::from(receive))?;
        set(system, Buffer::Send, send)?;
        if receive > 0 {
            set(system, Buffer::Receive, receive)?;
        }
        Ok(Self::of(held, family, kind, send, receive))
    }

    /// The buffers of a connection that this listener has accepted, which the system made as large as the listener's.
    pub(super) fn accept(&self, system: &System) -> Result<Self, SocketError> {
        let (send, mut receive) = (self.send.get(), self.receive.get());
        let set_now = receive == 0 && self.family != Family::Unix;
        if set_now {
            receive = RECEIVE;
        }
        let counted = if self.family == Family::Unix {
            0
        } else {
            receive
        };
        let allowance = self.allowance();
        let held = allowance.hold(ENTRY + u64::from(send) + u64::from(counted))?;
        if self.family == Family::Unix {
            // That one has the default, whatever the listener has.
            set(system, Buffer::Send, send)?;
        }
        if set_now {
            set(system, Buffer::Receive, receive)?;
        }
        Ok(Self::of(held, self.family, self.kind, send, receive))
    }

    /// The buffers of a socket that somebody else has made. Larger ones than grow here are made smaller.
    pub(super) fn adopt(
        system: &System,
        family: Family,
        kind: Kind,
        is_listener: bool,
        allowance: &Allowance,
    ) -> Result<Self, SocketError> {
        let size = |buffer| -> io::Result<u32> {
            let size = get(system, buffer)?;
            // Setting it keeps the system from making it larger by itself.
            if size > GROWN || (family != Family::Unix && kind == Kind::Stream) {
                set(system, buffer, size.min(GROWN))?;
            }
            get(system, buffer)
        };
        let send = size(Buffer::Send)?;
        // What a listener receives is for those to come, and their handshakes go by its size.
        let counts = family != Family::Unix && !is_listener;
        let receive = if counts { size(Buffer::Receive)? } else { 0 };
        let held = allowance.hold(ENTRY + u64::from(send) + u64::from(receive))?;
        let buffers = Self::of(held, family, kind, send, receive);
        buffers.is_shared.set(!is_listener);
        Ok(buffers)
    }

    fn of(held: Held, family: Family, kind: Kind, send: u32, receive: u32) -> Self {
        Self {
            held: RefCell::new(held),
            family,
            kind,
            send: Cell::new(send),
            receive: Cell::new(receive),
            waiting: 0,
            is_shared: Cell::new(false),
            received: Cell::new(0),
        }
    }

    /// Holds memory for what a connection may receive. Returns whether that is new.
    pub(super) fn connect(&self) -> Result<bool, SocketError> {
        if self.family == Family::Unix || self.kind == Kind::Datagram || self.receive.get() > 0 {
            return Ok(false);
        }
        self.resize(self.send.get(), RECEIVE)?;
        Ok(true)
    }

    /// Sets what a connection may receive, if that is new. The handshake went by the system's default by now: what is set before
    /// would bound the window for ever.
    pub(super) fn connected(&self, system: &System, is_new: bool) -> Result<(), SocketError> {
        if is_new {
            set(system, Buffer::Receive, self.receive.get())?;
        }
        Ok(())
    }

    /// Holds memory for connections that wait to be accepted, and for what they may have received by then. Returns how
    /// many of them there may be: fewer than asked for, if memory is scarce.
    pub(super) fn listen(&mut self, asked: u32) -> Result<u32, SocketError> {
        let each = match self.family {
            Family::Unix => ENTRY,
            _ => ENTRY + u64::from(self.receive.get().max(RECEIVE)),
        };
        let held = self.held.get_mut();
        let mut backlog = asked.min(MAX_BACKLOG);
        // The system lets one more wait than it is told.
        while backlog > 0 && !held.grow_if_spare(each * (u64::from(backlog) + 1)) {
            backlog /= 2;
        }
        if backlog == 0 {
            held.resize(held.bytes() + each)?;
        }
        self.waiting = each * (u64::from(backlog) + 1);
        Ok(backlog)
    }

    /// Makes a buffer larger because data did not fit. Returns whether it did.
    pub(super) fn grow(&self, system: &System, buffer: Buffer) -> bool {
        let size = match buffer {
            Buffer::Send => &self.send,
            Buffer::Receive => &self.receive,
        };
        let now = size.get();
        if now == 0 || now >= GROWN || self.is_shared.get() {
            return false;
        }
        let next = if now < SEND[1] { SEND[1] } else { GROWN };
        if !self.held.borrow_mut().grow_if_spare(u64::from(next - now)) {
            return false;
        }
        size.set(next);
        let is_set = set(system, buffer, next).is_ok();
        if buffer == Buffer::Receive {
            open_window(system, next);
        }
        is_set
    }

    /// Makes the send buffer larger because a datagram is longer than the whole of it. Returns whether it did.
    fn grow_for_datagram(&self, system: &System) -> Result<bool, SocketError> {
        let now = self.send.get();
        if now >= GROWN || self.is_shared.get() {
            return Ok(false);
        }
        self.resize(GROWN, self.receive.get())?;
        set(system, Buffer::Send, GROWN)?;
        Ok(true)
    }

    /// Notes that so much was received. Returns whether the receive buffer should grow: a peer that sends much waits for
    /// room in it, even if whatever has come is received at once.
    pub(super) fn note_received(&self, bytes: usize) -> bool {
        if bytes < PACKET {
            return false;
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let received = self.received.get().saturating_add(bytes);
        let is_much = received >= RECEIVE;
        self.received.set(if is_much { 0 } else { received });
        is_much
    }

    /// Sets a buffer's size as the guest says it. The system doubles that, for what it needs itself.
    pub(super) fn ask(
        &self,
        system: &System,
        buffer: Buffer,
        asked: u32,
    ) -> Result<(), SocketError> {
        if self.is_shared.get() {
            let what = "the buffers of a socket that was passed on stay as they are";
            return Err(SocketError::State(what));
        }
        // The system has a least size, too.
        let size = 2 * asked.clamp(4 * KIB, MAX_ASKED);
        let (old_send, old_receive) = (self.send.get(), self.receive.get());
        let (send, receive) = match buffer {
            Buffer::Send => (size, old_receive),
            Buffer::Receive => (old_send, size),
        };
        // What the buffer holds already stays in it.
        self.resize(send.max(old_send), receive.max(old_receive))?;
        set(system, buffer, size)?;
        Ok(())
    }

    /// Notes that others may have the socket from now on.
    pub(super) fn share(&self) {
        self.is_shared.set(true);
    }

    /// Gives what is held for it to what is left of a socket that is closed.
    pub(super) fn close(&mut self) -> Held {
        let nothing = self.allowance().nothing();
        self.held.replace(nothing)
    }

    /// How much memory is held for it.
    pub(super) fn bytes(&self) -> u64 {
        self.held.borrow().bytes()
    }

    /// The memory that its owner may use.
    pub(super) fn allowance(&self) -> Allowance {
        self.held.borrow().allowance().clone()
    }

    fn resize(&self, send: u32, receive: u32) -> Result<(), SocketError> {
        let counted = if self.family == Family::Unix {
            0
        } else {
            receive
        };
        let bytes = ENTRY + self.waiting + u64::from(send) + u64::from(counted);
        self.held.borrow_mut().resize(bytes)?;
        self.send.set(send);
        self.receive.set(receive);
        Ok(())
    }
}

impl Socket {
    /// Makes a buffer larger because data did not fit. Returns whether it did.
    pub(super) fn grow(&self, buffer: Buffer) -> bool {
        let system = self.system();
        system.is_ok_and(|system| self.buffers.grow(system, buffer))
    }
}

impl Socket {
    /// Makes the send buffer larger if sending failed because a datagram is longer than that. Returns whether it did.
    pub(super) fn grow_for_datagram(&self, sent: &io::Result<usize>) -> Result<bool, SocketError> {
        let too_long = rustix::io::Errno::MSGSIZE.raw_os_error();
        let is_too_long = matches!(sent, Err(error) if error.raw_os_error() == Some(too_long));
        if !is_too_long || self.family() != Family::Unix {
            return Ok(false);
        }
        self.buffers.grow_for_datagram(self.system()?)
    }
}

/// Sets a size as the system counts it.
fn set(system: &System, buffer: Buffer, size: u32) -> io::Result<()> {
    let asked = size as usize / 2;
    match buffer {
        Buffer::Send => system.set_send_buffer_size(asked),
        Buffer::Receive => system.set_recv_buffer_size(asked),
    }
}

/// Lets a peer send as much as fits into the receive buffer: before Linux 6.10, a window stays as it was when the
/// buffer grows. A socket that is no TCP connection has none, and refuses that.
#[expect(unsafe_code, reason = "no library sets this option")]
fn open_window(system: &System, size: u32) {
    let window = size / 2;
    let length = libc::socklen_t::from(4u8);
    // SAFETY: the descriptor is open, and the system reads one integer, whose length it is told.
    unsafe {
        libc::setsockopt(
            system.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_WINDOW_CLAMP,
            (&raw const window).cast(),
            length,
        )
    };
}

fn get(system: &System, buffer: Buffer) -> io::Result<u32> {
    let size = match buffer {
        Buffer::Send => system.send_buffer_size(),
        Buffer::Receive => system.recv_buffer_size(),
    }?;
    Ok(u32::try_from(size).unwrap_or(u32::MAX))
}
