//! A TLS connection on a socket: operations that never wait.
//!
//! What is received is decrypted when it is asked for, and no more than a record or two lies ready. What is sent
//! is encrypted a record at a time, and only when all before it has gone out: so a peer that does not read costs one
//! record of memory.

use std::cell::RefCell;
use std::io::{self, BufRead, Read, Write};
use std::net::Shutdown;

use rustls::{Connection, ProtocolVersion};

use super::charge::ConnectionCharge;
use super::error::PeerError;
use super::{TlsError, Version};
use crate::kernel::{Kernel, SourceKey};
use crate::sockets::{Address, Lingering, Socket, SocketError};

/// How much is encrypted at once, and how much may lie in the connection's buffers: a record.
const RECORD: usize = 16 * 1024;

/// How many pieces are read at once, without a byte in them for the guest, before others have a turn.
const MAX_READS: usize = 64;

/// How much one call sends at the most. No other instance has the thread meanwhile.
const MAX_SEND: usize = 16 * RECORD;

/// How far a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    WantsRead,
    WantsWrite,
}

/// A TLS connection. Whoever drops it closes it first: see [`TlsStream::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct TlsStream {
    socket: Socket,
    /// In a cell, so that data can be sent from where it is, in the guest's memory.
    connection: RefCell<Connection>,
    is_open: bool,
    /// Whether the peer was told that no more comes.
    is_shut: bool,
    /// Why it can't go on.
    failed: Option<PeerError>,
    charge: ConnectionCharge,
}

/// A connection that is on no socket yet, and the memory that is held for it.
#[derive(Debug)]
pub(crate) struct Prepared {
    connection: Connection,
    charge: ConnectionCharge,
}

impl Prepared {
    /// Sets limits for a new connection.
    pub(super) fn new(mut connection: Connection, charge: ConnectionCharge) -> Self {
        connection.set_buffer_limit(Some(RECORD));
        Self { connection, charge }
    }
}

/// A socket, as the TLS library reads and writes it.
struct Io<'a>(&'a Socket);

impl Read for Io<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.recv_into(buffer)?)
    }
}

impl Write for Io<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.0.send(data)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TlsStream {
    /// A connection that begins its handshake on a connected socket.
    pub(crate) fn new(socket: Socket, prepared: Prepared) -> Self {
        let Prepared { connection, charge } = prepared;
        Self {
            socket,
            connection: RefCell::new(connection),
            is_open: false,
            is_shut: false,
            failed: None,
            charge,
        }
    }

    /// Goes on with the handshake.
    pub(crate) fn handshake(&mut self) -> Result<Progress, TlsError> {
        self.check_failed()?;
        for _ in 0..MAX_READS {
            match self.flush() {
                Ok(()) => {}
                Err(error) if error.would_block() => return Ok(Progress::WantsWrite),
                // The peer may have said why it does not listen any more.
                Err(error) => return Err(self.last_words().unwrap_or(error)),
            }
            if !self.connection.get_mut().is_handshaking() {
                self.is_open = true;
                self.charge.settle(self.peer_certificates_length());
                return Ok(Progress::Done);
            }
            match self.read() {
                Ok(0) => return Err(self.fail(PeerError::unexpected_eof(true))),
                Ok(_) => {}
                Err(error) if error.would_block() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Progress::WantsRead)
    }

    /// Receives up to `max` bytes.
    pub(crate) fn recv(&mut self, max: usize) -> Result<Vec<u8>, TlsError> {
        self.check_open()?;
        let mut received = Vec::new();
        for _ in 0..MAX_READS {
            match self.take_received(&mut received, max) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(PeerError::unexpected_eof(false).into());
                }
                taken => {
                    taken?;
                    return Ok(received);
                }
            }
            self.check_failed()?;
            if let Err(error) = self.read() {
                if error.would_block() {
                    // An answer to the peer's TLS may be left; whoever sends is told if it can't go out.
                    drop(self.flush());
                }
                return Err(error);
            }
        }
        Err(io::Error::from(io::ErrorKind::WouldBlock).into())
    }

    /// Takes what was decrypted, up to `max` bytes.
    fn take_received(&mut self, into: &mut Vec<u8>, max: usize) -> io::Result<()> {
        let mut reader = self.connection.get_mut().reader();
        while into.len() < max {
            let chunk = match reader.fill_buf() {
                Ok(chunk) => &chunk[..chunk.len().min(max - into.len())],
                // That comes again.
                Err(_) if !into.is_empty() => break,
                Err(error) => return Err(error),
            };
            let length = chunk.len();
            if length == 0 {
                break;
            }
            into.extend_from_slice(chunk);
            reader.consume(length);
        }
        Ok(())
    }

    /// Takes what fits; returns how much did, and whether anything is kept.
    pub(crate) fn send(&self, data: &[u8]) -> Result<(usize, bool), TlsError> {
        self.check_open()?;
        self.check_failed()?;
        if self.is_shut {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        let connection = &mut *self.connection.borrow_mut();
        flush(connection, &self.socket)?;
        let mut sent = 0;
        for record in data[..data.len().min(MAX_SEND)].chunks(RECORD) {
            sent += connection.writer().write(record)?;
            match flush(connection, &self.socket) {
                Ok(()) => {}
                Err(error) if error.would_block() => break,
                Err(error) => return Err(error),
            }
        }
        Ok((sent, connection.wants_write()))
    }

    /// Sends what was taken and is left.
    pub(crate) fn flush(&mut self) -> Result<(), TlsError> {
        flush(self.connection.get_mut(), &self.socket)
    }

    /// Tells the peer that no more comes.
    pub(crate) fn close_notify(&mut self) -> Result<(), TlsError> {
        self.check_open()?;
        if !self.is_shut {
            self.connection.get_mut().send_close_notify();
            self.is_shut = true;
        }
        self.flush()?;
        match self.socket.shutdown(Shutdown::Write) {
            // The peer is gone already.
            Err(SocketError::Io(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shut => Ok(shut?),
        }
    }

    /// Reads a piece of what the peer sent; returns how many bytes that was.
    fn read(&mut self) -> Result<usize, TlsError> {
        let connection = self.connection.get_mut();
        let read = connection.read_tls(&mut Io(&self.socket))?;
        if let Err(error) = connection.process_new_packets() {
            // An alert tells the peer. If it can't go out at once, it never does.
            drop(self.flush());
            let error = PeerError::new(&error, !self.is_open);
            return Err(self.fail(error));
        }
        Ok(read)
    }

    /// What the peer said before it hung up, if that was an alert.
    fn last_words(&mut self) -> Option<TlsError> {
        for _ in 0..MAX_READS {
            match self.read() {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error @ TlsError::Peer(_)) => return Some(error),
                Err(_) => return None,
            }
        }
        None
    }

    fn fail(&mut self, error: PeerError) -> TlsError {
        self.failed = Some(error.clone());
        error.into()
    }

    fn check_failed(&self) -> Result<(), TlsError> {
        match &self.failed {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }

    fn check_open(&self) -> Result<(), TlsError> {
        if self.is_open {
            return Ok(());
        }
        self.check_failed()?;
        Err(TlsError::State("the TLS handshake is not done yet"))
    }

    /// The peer's certificate, and those it sent along.
    pub(crate) fn peer_certificates(&self) -> Vec<Vec<u8>> {
        let connection = self.connection.borrow();
        let certificates = connection.peer_certificates().unwrap_or_default();
        certificates.iter().map(|one| one.to_vec()).collect()
    }

    /// How many bytes the peer's certificates have.
    fn peer_certificates_length(&self) -> u64 {
        let connection = self.connection.borrow();
        let certificates = connection.peer_certificates().unwrap_or_default();
        certificates.iter().map(|one| one.len() as u64).sum()
    }

    /// The protocol chosen by ALPN.
    pub(crate) fn alpn(&self) -> Option<Vec<u8>> {
        self.connection.borrow().alpn_protocol().map(<[u8]>::to_vec)
    }

    /// The version chosen.
    pub(crate) fn version(&self) -> Option<Version> {
        match self.connection.borrow().protocol_version()? {
            ProtocolVersion::TLSv1_2 => Some(Version::Tls12),
            ProtocolVersion::TLSv1_3 => Some(Version::Tls13),
            _ => None,
        }
    }

    /// The name of the cipher suite chosen.
    pub(crate) fn cipher(&self) -> Option<String> {
        let suite = self.connection.borrow().negotiated_cipher_suite()?.suite();
        // The library says TLS13_ where the list of names has TLS_.
        let name = suite.as_str()?;
        Some(name.replacen("TLS13_", "TLS_", 1))
    }

    /// The name that a client asked for.
    pub(crate) fn requested_name(&self) -> Option<String> {
        match &*self.connection.borrow() {
            Connection::Server(server) => server.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        }
    }

    /// The local address.
    pub(crate) fn local_address(&self) -> Result<Address, SocketError> {
        self.socket.local_address()
    }

    /// The peer's address.
    pub(crate) fn peer_address(&self) -> Result<Address, SocketError> {
        self.socket.peer_address()
    }

    /// The kernel's entry, for a task to wait on.
    pub(crate) fn source(&self) -> Option<SourceKey> {
        self.socket.source()
    }

    /// Tells the peer that no more comes, as far as that can be sent at once, and closes the socket. What has to stay
    /// of that is given back.
    pub(crate) fn close(mut self, kernel: &mut Kernel) -> Option<Lingering> {
        if self.is_open && self.failed.is_none() && !self.is_shut {
            self.connection.get_mut().send_close_notify();
            drop(self.flush());
        }
        // A server sends, after the handshake, what a session could be resumed by; few clients look at that.
        self.socket.discard_received();
        self.socket.close_and_linger(kernel)
    }
}

/// Sends what a connection has made and kept.
fn flush(connection: &mut Connection, socket: &Socket) -> Result<(), TlsError> {
    while connection.wants_write() {
        connection.write_tls(&mut Io(socket))?;
    }
    Ok(())
}
