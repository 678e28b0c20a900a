//! A connection: messages in both directions.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Receiver, Sender, auth};
use crate::error::Result;
use crate::io::{RawIo, Stream};
use crate::socket::Socket;

/// Messages in both directions, over two streams or one.
///
/// ```no_run
/// use curio::channel::SocketConnection;
///
/// # async fn example(socket: curio::Socket) -> curio::Result<()> {
/// let mut connection = SocketConnection::over(socket);
/// connection.send(&("add", 2, 3)).await?;
/// let sum: u32 = connection.recv().await?;
/// connection.send_bytes(b"thank you").await?;
/// # Ok(())
/// # }
/// ```
///
/// What is sent and received is said at [`Sender`] and [`Receiver`], its halves.
#[derive(Debug)]
pub struct Connection<R, W = R> {
    receiver: Receiver<R>,
    sender: Sender<W>,
}

/// A connection over a socket.
pub type SocketConnection = Connection<Rc<Socket>>;

impl<T: RawIo> Connection<Rc<T>> {
    /// A connection over what carries bytes in both directions.
    #[doc(alias = "from_Connection")]
    pub fn over(io: T) -> Self {
        let io = Rc::new(io);
        Self::new(Stream::new(io.clone()), Stream::new(io))
    }
}

impl<R: RawIo, W: RawIo> Connection<R, W> {
    /// A connection that receives on one stream and sends on another.
    pub fn new(reader: Stream<R>, writer: Stream<W>) -> Self {
        Self {
            receiver: Receiver::new(reader),
            sender: Sender::new(writer),
        }
    }

    /// As [`Receiver::set_max_message`].
    pub fn set_max_message(&mut self, bytes: usize) {
        self.receiver.set_max_message(bytes);
    }

    /// Sends a value: see [`Sender::send`].
    ///
    /// # Errors
    /// As [`Sender::send`].
    ///
    /// # Cancellation
    /// As [`Sender::send_bytes`].
    pub async fn send<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<()> {
        self.sender.send(value).await
    }

    /// Receives a value: see [`Receiver::recv`].
    ///
    /// # Errors
    /// As [`Receiver::recv`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn recv<V: DeserializeOwned>(&mut self) -> Result<V> {
        self.receiver.recv().await
    }

    /// Sends bytes as one message: see [`Sender::send_bytes`].
    ///
    /// # Errors
    /// As [`Sender::send_bytes`].
    ///
    /// # Cancellation
    /// As [`Sender::send_bytes`].
    pub async fn send_bytes(&mut self, message: &[u8]) -> Result<usize> {
        self.sender.send_bytes(message).await
    }

    /// Sends a part of a buffer as one message: see [`Sender::send_part`].
    ///
    /// # Errors
    /// As [`Sender::send_part`].
    ///
    /// # Cancellation
    /// As [`Sender::send_bytes`].
    pub async fn send_part(
        &mut self,
        buffer: &[u8],
        offset: usize,
        size: impl Into<Option<usize>>,
    ) -> Result<usize> {
        self.sender.send_part(buffer, offset, size).await
    }

    /// Receives a message: see [`Receiver::recv_bytes`].
    ///
    /// # Errors
    /// As [`Receiver::recv_bytes`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn recv_bytes(&mut self, max: impl Into<Option<usize>>) -> Result<Vec<u8>> {
        self.receiver.recv_bytes(max).await
    }

    /// Receives a message into a buffer: see [`Receiver::recv_bytes_into`].
    ///
    /// # Errors
    /// As [`Receiver::recv_bytes_into`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn recv_bytes_into(&mut self, buffer: &mut [u8], offset: usize) -> Result<usize> {
        self.receiver.recv_bytes_into(buffer, offset).await
    }

    /// Makes sure that the peer has the same key, and lets it do so too. It is to call
    /// [`authenticate_client`](Self::authenticate_client) meanwhile. There is no time limit.
    ///
    /// # Errors
    /// [`Error::Authentication`](crate::Error::Authentication) if it has another one, or speaks another language;
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the key is empty; those of the streams.
    ///
    /// # Cancellation
    /// Close the connection.
    pub async fn authenticate_server(&mut self, key: &[u8]) -> Result<()> {
        auth::serve(&mut self.receiver, &mut self.sender, key).await
    }

    /// The other side of [`authenticate_server`](Self::authenticate_server).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancellation
    /// Close the connection.
    pub async fn authenticate_client(&mut self, key: &[u8]) -> Result<()> {
        auth::ask(&mut self.receiver, &mut self.sender, key).await
    }

    /// The two halves, for a task that receives and one that sends.
    pub fn split(self) -> (Receiver<R>, Sender<W>) {
        (self.receiver, self.sender)
    }

    /// Closes it, as dropping it does.
    pub fn close(self) {
        drop(self);
    }
}
