//! Receiving messages.

use std::io;

use serde::de::DeserializeOwned;

use super::MAX_SIZE;
use crate::error::{Error, Result};
use crate::io::{RawIo, Stream};

/// How long a message may be, unless said otherwise.
const MAX_MESSAGE: usize = 64 << 20;

/// How many bytes say how long a message is.
const HEAD: usize = 4;

/// The half of a [`Connection`](super::Connection) that receives.
///
/// A message that has come in part stays in the stream until all of it is there, so that nothing is lost if the
/// task is interrupted.
#[derive(Debug)]
pub struct Receiver<R> {
    stream: Stream<R>,
    max_message: usize,
}

impl<R: RawIo> Receiver<R> {
    /// Receives messages on a stream.
    pub fn new(stream: Stream<R>) -> Self {
        Self {
            stream,
            max_message: MAX_MESSAGE,
        }
    }

    /// Says how long a message may be, so that a peer can't fill the memory with one. It is 64 MiB unless said. No
    /// memory is taken for what a peer only says it will send.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.max_message = bytes;
    }

    /// Receives a value.
    ///
    /// # Errors
    /// An [`Error::Io`] of the kind `InvalidData` if the message is no such value: it is gone then. Otherwise as
    /// [`Receiver::recv_bytes`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn recv<V: DeserializeOwned>(&mut self) -> Result<V> {
        let size = self.next_size(self.max_message).await?;
        let value = postcard::from_bytes(&self.stream.buffered()[HEAD..HEAD + size]);
        self.stream.consume(HEAD + size);
        value.map_err(|error| {
            let value = std::any::type_name::<V>();
            let text = format!("the message is no {value}: {error}");
            Error::Io(io::Error::new(io::ErrorKind::InvalidData, text))
        })
    }

    /// Receives a message of up to `max` bytes, if that is said.
    ///
    /// # Errors
    /// - An [`Error::Io`] of the kind `UnexpectedEof` if there is no other message. `moved()` is 0 then; it is not if
    ///   the stream ends in the middle of one.
    /// - [`Error::Limit`] if the message is longer than `max`, or than [`Receiver::set_max_message`] says. It
    ///   stays there, and can be received with a larger limit; a connection to a peer that is not to be trusted should be
    ///   closed.
    /// - Those of the stream. Nothing is lost by them.
    ///
    /// # Cancellation
    /// Nothing is lost: `moved()` says how much of the message is there.
    pub async fn recv_bytes(&mut self, max: impl Into<Option<usize>>) -> Result<Vec<u8>> {
        let max = max.into().unwrap_or(usize::MAX).min(self.max_message);
        let size = self.next_size(max).await?;
        self.stream.consume(HEAD);
        let message = self.stream.buffered()[..size].to_vec();
        self.stream.consume(size);
        Ok(message)
    }

    /// Receives a message into a buffer, from `offset` on, and returns how long it is.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if `offset` is not in the buffer; and as [`Receiver::recv_bytes`], if the message
    /// does not fit too.
    ///
    /// # Cancellation
    /// As [`Receiver::recv_bytes`].
    pub async fn recv_bytes_into(&mut self, buffer: &mut [u8], offset: usize) -> Result<usize> {
        let Some(target) = buffer.get_mut(offset..) else {
            return Err(Error::InvalidArgument("buffer length < offset".to_owned()));
        };
        let size = self.next_size(target.len().min(self.max_message)).await?;
        target[..size].copy_from_slice(&self.stream.buffered()[HEAD..HEAD + size]);
        self.stream.consume(HEAD + size);
        Ok(size)
    }

    /// Reads until a whole message is in the stream's buffer, behind its length, and returns how long it is.
    async fn next_size(&mut self, max: usize) -> Result<usize> {
        let max = max.min(MAX_SIZE);
        if !self.stream.buffer_up_to(HEAD).await? {
            return Err(self.ended());
        }
        let here = self.stream.buffered();
        let size = u32::from_be_bytes([here[0], here[1], here[2], here[3]]);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > max {
            return Err(Error::Limit(format!(
                "a message of {size} bytes; {max} are allowed"
            )));
        }
        if !self.stream.buffer_up_to(HEAD + size).await? {
            return Err(self.ended());
        }
        Ok(size)
    }

    fn ended(&self) -> Error {
        match self.stream.buffered().len() {
            0 => Error::end_of_stream("the connection was closed", 0),
            here => {
                Error::end_of_stream("the connection was closed in the middle of a message", here)
            }
        }
    }

    /// The stream.
    pub fn get_ref(&self) -> &Stream<R> {
        &self.stream
    }

    /// The stream, for other uses. What was received in advance is in its buffer.
    pub fn into_inner(self) -> Stream<R> {
        self.stream
    }
}
