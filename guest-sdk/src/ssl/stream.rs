//! A TLS connection.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::TlsVersion;
use super::handshake::{Handshake, Shared};
use crate::bindings::{tls as kernel, types};
use crate::error::{Error, Result};
use crate::partial::move_all;
use crate::socket::Address;
use crate::traps::{PollWait, wait_for};

/// How much is passed to the kernel at once: what it takes in one call.
pub(super) const MAX_SEND: usize = 1 << 18;

/// A TLS connection. Dropping it closes it; the peer is told, unless the connection is stuck.
///
/// It is used like a [`Socket`](crate::Socket): operations are tried first and block only if they must. One task may
/// read while another one writes; put the stream into an `Rc` for that. A second reader, or writer, gets
/// [`Error::ResourceBusy`] when it would block.
///
/// [`TlsStream::into_stream`] makes a stream of it, for lines and exact amounts.
///
/// Whichever operation comes first makes the handshake; tasks that come meanwhile wait for it. A failure of TLS itself is an
/// [`Error::Ssl`], and is for good.
#[doc(alias = "SSLSocket")]
pub struct TlsStream {
    pub(super) handshake: Rc<Handshake>,
    /// The handshake, if it is made by polling.
    pub(super) polled: Shared,
    /// Whether the kernel keeps something that was sent.
    pub(super) keeps: Cell<bool>,
    /// The wait of those who read by polling.
    pub(super) reading: PollWait,
    /// The wait of those who write by polling.
    pub(super) writing: PollWait,
}

impl TlsStream {
    pub(super) fn new(handle: kernel::TlsStream, handshake_timeout: Option<Duration>) -> Self {
        Self {
            handshake: Rc::new(Handshake::new(handle, handshake_timeout)),
            polled: Shared::default(),
            keeps: Cell::new(false),
            reading: PollWait::new(),
            writing: PollWait::new(),
        }
    }

    /// Makes the handshake, unless it was made.
    ///
    /// # Errors
    /// [`Error::Ssl`] if the peer is refused, refuses, or speaks no TLS; [`Error::Io`], `TimedOut` among them if it takes
    /// longer than the context allows.
    ///
    /// # Cancellation
    /// The handshake is not done, and may go on with the next operation.
    pub async fn do_handshake(&self) -> Result<()> {
        if self.handshake.is_done() {
            return Ok(());
        }
        // Who polls may never come back to it; who does goes on behind this one.
        self.polled.give_up();
        self.handshake.make().await
    }

    pub(super) fn handle(&self) -> &kernel::TlsStream {
        self.handshake.handle()
    }

    pub(super) async fn wait_to_read(&self) -> Result<()> {
        self.reading.give_up_own();
        wait_for(|by| self.handle().read_wait(by)).await
    }

    pub(super) async fn wait_to_write(&self) -> Result<()> {
        self.writing.give_up_own();
        wait_for(|by| self.handle().write_wait(by)).await
    }

    /// Receives up to `max` bytes: at least one, or none at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Ssl`], of the kind `UnexpectedEof` if the stream ends and the peer did not say so: part of what it sent
    /// may be missing. [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// Nothing is received.
    pub async fn recv(&self, max: usize) -> Result<Vec<u8>> {
        self.do_handshake().await?;
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        loop {
            match self.handle().recv(max) {
                Err(types::Error::WouldBlock) => self.wait_to_read().await?,
                result => return Ok(result?),
            }
        }
    }

    /// Receives into `buffer`, and returns how many bytes came: at least one, or none at the end of the stream.
    ///
    /// # Errors
    /// As [`TlsStream::recv`].
    ///
    /// # Cancellation
    /// Nothing is received.
    pub async fn recv_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let received = self.recv(buffer.len()).await?;
        buffer[..received.len()].copy_from_slice(&received);
        Ok(received.len())
    }

    /// Sends some of `data`, at least one byte, and returns how many that were.
    ///
    /// # Errors
    /// [`Error::Ssl`], [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// Nothing is sent; or some of it was taken, and the kernel could not pass all of that on yet. It does so with the
    /// next operation.
    pub async fn send(&self, data: &[u8]) -> Result<usize> {
        self.do_handshake().await?;
        let data = &data[..data.len().min(MAX_SEND)];
        let taken = loop {
            match self.handle().send(data) {
                Err(types::Error::WouldBlock) => self.wait_to_write().await?,
                taken => break taken?,
            }
        };
        if taken.kept {
            self.flush().await?;
        }
        Ok(taken.bytes as usize)
    }

    /// Sends all of `data`.
    ///
    /// # Errors
    /// As [`TlsStream::send`]. A part may have been sent: [`Error::moved`] says how much for certain.
    ///
    /// # Cancellation
    /// As with any other error.
    #[doc(alias = "sendall")]
    pub async fn send_all(&self, data: &[u8]) -> Result<()> {
        move_all(data, async |data| self.send(data).await).await
    }

    async fn flush(&self) -> Result<()> {
        loop {
            match self.handle().flush() {
                Err(types::Error::WouldBlock) => self.wait_to_write().await?,
                result => {
                    self.keeps.set(false);
                    return Ok(result?);
                }
            }
        }
    }

    /// Tells the peer that no more is sent. Receiving goes on.
    ///
    /// # Errors
    /// As [`TlsStream::send`].
    ///
    /// # Cancellation
    /// Nothing can be sent any more. The peer may not have been told yet.
    #[doc(alias = "unwrap")]
    pub async fn shutdown(&self) -> Result<()> {
        self.do_handshake().await?;
        loop {
            match self.handle().close_notify() {
                Err(types::Error::WouldBlock) => self.wait_to_write().await?,
                result => return Ok(result?),
            }
        }
    }

    /// Tells the peer that no more is sent, and closes the connection. A peer that is gone already is no error.
    ///
    /// # Errors
    /// As [`TlsStream::send`].
    ///
    /// # Cancellation
    /// The connection is closed. The peer may not have been told.
    pub async fn close(self) -> Result<()> {
        if !self.handshake.is_done() {
            return Ok(());
        }
        match self.shutdown().await {
            Err(Error::Io(error)) if is_gone(&error) => Ok(()),
            result => result,
        }
    }

    /// The protocol chosen by ALPN, once the handshake is done.
    #[doc(alias = "selected_alpn_protocol")]
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        self.handle().alpn()
    }

    /// The peer's certificate in DER, once the handshake is done; none if it has shown none.
    #[doc(alias = "getpeercert")]
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.peer_certificates().into_iter().next()
    }

    /// The peer's certificate and those that it sent along, in DER.
    #[doc(alias = "get_unverified_chain")]
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.handle().peer_certificates()
    }

    /// The version chosen, once the handshake is done.
    pub fn version(&self) -> Option<TlsVersion> {
        self.handle().version().map(Into::into)
    }

    /// The name of the cipher suite chosen, such as `TLS_AES_256_GCM_SHA384`, once the handshake is done.
    pub fn cipher(&self) -> Option<String> {
        self.handle().cipher()
    }

    /// At a server, the name that the client asked for. It is a claim, and no proof of anything.
    #[doc(alias = "server_hostname")]
    #[doc(alias = "sni_callback")]
    pub fn requested_name(&self) -> Option<String> {
        self.handle().requested_name()
    }

    /// The local address.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[doc(alias = "getsockname")]
    pub fn local_address(&self) -> Result<Address> {
        Ok(self.handle().local_address()?.into())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// [`Error::Io`] if it is gone.
    #[doc(alias = "getpeername")]
    pub fn peer_address(&self) -> Result<Address> {
        Ok(self.handle().peer_address()?.into())
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("version", &self.version())
            .field("peer_address", &self.peer_address().ok())
            .finish_non_exhaustive()
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;

    matches!(
        error.kind(),
        Kind::BrokenPipe | Kind::ConnectionReset | Kind::NotConnected
    )
}
