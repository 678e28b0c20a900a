//! Messages: data with what comes along with it.

use super::transfer::count;
use super::{Address, Socket};
use crate::bindings::sockets as kernel;
use crate::bindings::types;
use crate::error::Result;
use crate::traps::read_wait;

/// What [`Socket::recv_msg`] received.
#[derive(Debug)]
#[non_exhaustive]
pub struct Message {
    /// The data: of a stream what was there, or a datagram.
    pub data: Vec<u8>,
    /// The sockets that were passed along with it. They are as their sender left them: connected, listening.
    pub sockets: Vec<Socket>,
    /// Where it came from; of a stream that is not said.
    pub from: Address,
    /// Whether a datagram was longer than what was asked for, and its end is lost.
    pub cut: bool,
    /// How many descriptors came along and were closed: they are no TCP, UDP or Unix sockets, or are more than was
    /// asked for, or than `--max-handles` has room for.
    pub refused: u32,
}

impl Socket {
    /// Receives up to `max` bytes, and up to `max_sockets` sockets that are passed along with them.
    ///
    /// ```no_run
    /// # async fn example(socket: curio::Socket) -> curio::Result<()> {
    /// let message = socket.recv_msg(100, 1).await?;
    /// for client in &message.sockets {
    ///     client.send_all(b"You were handed over.").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Socket::recv`].
    ///
    /// # Cancellation
    /// Nothing is received.
    #[doc(alias = "recvmsg")]
    pub async fn recv_msg(&self, max: usize, max_sockets: usize) -> Result<Message> {
        let (max, max_sockets) = (count(max), count(max_sockets));
        loop {
            match self.handle.recv_msg(max, max_sockets) {
                Err(types::Error::WouldBlock) => read_wait(self).await?,
                result => return Ok(self.told(result)?.into()),
            }
        }
    }

    /// Sends what fits of the data, as [`Socket::send`] does, and passes sockets along: the other end gets them as its
    /// own, and may be another program. This program's own stay open until they are dropped. Only Unix sockets
    /// pass others on, up to 253 at once, and with one byte of data at least.
    ///
    /// Those that are passed count as handles of this program until the other end has received them.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if sockets can't be passed that way,
    /// [`Error::Limit`](crate::Error::Limit) if too many are on the way; as [`Socket::send`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    #[doc(alias = "sendmsg")]
    pub async fn send_msg(&self, data: &[u8], sockets: &[&Self]) -> Result<usize> {
        self.pass(data, sockets, None).await
    }

    /// As [`Socket::send_msg`], with a datagram to an address.
    ///
    /// # Errors
    /// As [`Socket::send_msg`] and [`Socket::send_to`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    #[doc(alias = "sendmsg")]
    pub async fn send_msg_to(
        &self,
        data: &[u8],
        sockets: &[&Self],
        to: impl Into<Address>,
    ) -> Result<usize> {
        self.pass(data, sockets, Some(to.into())).await
    }

    async fn pass(&self, data: &[u8], sockets: &[&Self], to: Option<Address>) -> Result<usize> {
        let sockets: Vec<_> = sockets.iter().map(|socket| socket.handle()).collect();
        let address = to.as_ref().map(Address::to_kernel).transpose()?;
        loop {
            match self.handle.send_msg(data, &sockets, address.as_ref()) {
                Err(types::Error::WouldBlock) => self.wait_for_room(to.as_ref()).await?,
                result => return Ok(self.told(result)? as usize),
            }
        }
    }
}

impl From<kernel::Message> for Message {
    fn from(message: kernel::Message) -> Self {
        Self {
            data: message.data,
            sockets: (message.sockets.into_iter())
                .map(Socket::from_handle)
                .collect(),
            from: message.from.into(),
            cut: message.cut,
            refused: message.refused,
        }
    }
}
