//! Receiving and sending.

use super::{Address, RETRY, Socket};
use crate::bindings::types;
use crate::error::Result;
use crate::partial::move_all;
use crate::time::sleep;
use crate::traps::{read_wait, write_wait};

/// How much is passed to the kernel at once: more than the system ever takes, less than a call may have.
pub(crate) const MAX_SEND: usize = 1 << 20;

/// Receiving and sending.
impl Socket {
    /// Receives up to `max` bytes: at least one, or none at the end of the stream. Or a datagram, which may be empty;
    /// the end of one that is longer is lost.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`](crate::Error::ResourceBusy), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Io`](crate::Error::Io).
    ///
    /// # Cancellation
    /// Nothing is received.
    pub async fn recv(&self, max: usize) -> Result<Vec<u8>> {
        let max = count(max);
        loop {
            match self.handle.recv(max) {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                result => return self.told(result),
            }
        }
    }

    /// As [`Socket::recv`], into a buffer. Returns how many bytes came.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is received.
    pub async fn recv_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let data = self.recv(buffer.len()).await?;
        buffer[..data.len()].copy_from_slice(&data);
        Ok(data.len())
    }

    /// As [`Socket::recv`], and leaves what it gives to be received again.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "recv(MSG_PEEK)")]
    pub async fn peek(&self, max: usize) -> Result<Vec<u8>> {
        let max = count(max);
        loop {
            match self.handle.peek(max) {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                result => return self.told(result),
            }
        }
    }

    /// Receives a datagram of up to `max` bytes, and says where it came from. The end of one that is longer is lost.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is received.
    #[doc(alias = "recvfrom")]
    pub async fn recv_from(&self, max: usize) -> Result<(Vec<u8>, Address)> {
        let max = count(max);
        loop {
            match self.handle.recv_from(max, false) {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                result => {
                    let (data, from) = self.told(result)?;
                    return Ok((data, from.into()));
                }
            }
        }
    }

    /// As [`Socket::recv_from`], into a buffer. Returns how many bytes came.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is received.
    #[doc(alias = "recvfrom_into")]
    pub async fn recv_from_into(&self, buffer: &mut [u8]) -> Result<(usize, Address)> {
        let (data, from) = self.recv_from(buffer.len()).await?;
        buffer[..data.len()].copy_from_slice(&data);
        Ok((data.len(), from))
    }

    /// Sends what fits into the system's buffer, at least one byte, and returns how many that were; or a datagram to
    /// the peer that the socket is connected to.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    pub async fn send(&self, data: &[u8]) -> Result<usize> {
        loop {
            match self.handle.send(&data[..data.len().min(MAX_SEND)]) {
                Err(types::Error::WouldBlock) => write_wait(self).await?,
                result => return Ok(self.told(result)? as usize),
            }
        }
    }

    /// Sends all of `data`.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn example(socket: curio::Socket, data: &[u8]) -> curio::Result<()> {
    /// let sent = curio::timeout_after(Duration::from_secs(1), socket.send_all(data)).await;
    /// if let Err(error) = &sent {
    ///     println!("{error} after {} bytes", error.moved().unwrap_or(0));
    /// }
    /// # sent
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Socket::send`]. A part may have been sent: [`Error::moved`](crate::Error::moved) says how much.
    ///
    /// # Cancellation
    /// As with any other error.
    #[doc(alias = "sendall")]
    pub async fn send_all(&self, data: &[u8]) -> Result<()> {
        move_all(data, async |data| self.send(data).await).await
    }

    /// Sends a datagram to an address, and returns how many bytes it has.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) unless `--allow-net` covers the address; as [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    #[doc(alias = "sendto")]
    pub async fn send_to(&self, data: &[u8], to: impl Into<Address>) -> Result<usize> {
        let to = to.into();
        let address = to.to_kernel()?;
        loop {
            match self.handle.send_to(data, &address) {
                Err(types::Error::WouldBlock) => self.wait_for_room(Some(&to)).await?,
                result => return Ok(self.told(result)? as usize),
            }
        }
    }

    /// Waits until there may be room for a datagram to an address, or for more data.
    pub(super) async fn wait_for_room(&self, to: Option<&Address>) -> Result<()> {
        match to {
            // It is the peer that has no room, and the system does not tell when it has.
            Some(Address::Unix(_)) => sleep(RETRY).await.map(drop),
            _ => write_wait(self).await,
        }
    }
}

/// How much the kernel is asked for.
pub(super) fn count(max: usize) -> u32 {
    u32::try_from(max).unwrap_or(u32::MAX)
}
