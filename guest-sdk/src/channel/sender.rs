//! Sending messages.

use std::io;

use serde::Serialize;

use super::MAX_SIZE;
use crate::error::{Error, Result};
use crate::io::{RawIo, Stream};

/// Messages that are at least so long are not copied behind their length.
const LARGE: usize = 16_384;

/// The half of a [`Connection`](super::Connection) that sends.
#[derive(Debug)]
pub struct Sender<W> {
    stream: Stream<W>,
    /// Whether a message was sent in part only.
    broken: bool,
}

impl<W: RawIo> Sender<W> {
    /// Sends messages on a stream.
    pub fn new(stream: Stream<W>) -> Self {
        Self {
            stream,
            broken: false,
        }
    }

    /// Sends a value.
    ///
    /// # Errors
    /// An [`Error::Io`] of the kind `InvalidInput` if it can't be written; and as [`Sender::send_bytes`].
    ///
    /// # Cancellation
    /// As [`Sender::send_bytes`].
    pub async fn send<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<()> {
        let bytes = postcard::to_stdvec(value).map_err(|error| {
            let text = format!("the value can't be sent: {error}");
            Error::Io(io::Error::new(io::ErrorKind::InvalidInput, text))
        })?;
        self.send_bytes(&bytes).await?;
        Ok(())
    }

    /// Sends bytes as one message, and returns how many they are.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if they are 2 GiB or more; [`Error::InvalidState`] if a message was sent in part
    /// only, since no other one can follow; those of the stream. `moved()` says how many bytes of the message
    /// and its length were sent.
    ///
    /// # Cancellation
    /// A part may have been sent. The connection can send no more then, unless that is nothing: close it.
    pub async fn send_bytes(&mut self, message: &[u8]) -> Result<usize> {
        if self.broken {
            return Err(Error::InvalidState(
                "a message was sent in part only, so that no other can follow; close the connection"
                    .to_owned(),
            ));
        }
        if message.len() > MAX_SIZE {
            let (len, max) = (message.len(), MAX_SIZE);
            return Err(Error::InvalidArgument(format!(
                "a message may have {max} bytes, not {len}"
            )));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is at most MAX_SIZE")]
        let len = (message.len() as u32).to_be_bytes();
        let sent = if message.len() < LARGE {
            let together = [&len[..], message].concat();
            self.stream.write(&together).await
        } else {
            self.stream.write_lines([&len[..], message]).await
        };
        if let Err(error) = &sent {
            self.broken = error.moved().unwrap_or(0) > 0;
        }
        sent?;
        Ok(message.len())
    }

    /// Sends a part of a buffer as one message: `size` bytes from `offset` on, or all from there.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if that is not in the buffer; and as [`Sender::send_bytes`].
    ///
    /// # Cancellation
    /// As [`Sender::send_bytes`].
    #[doc(alias = "send_bytes(buf, offset, size)")]
    pub async fn send_part(
        &mut self,
        buffer: &[u8],
        offset: usize,
        size: impl Into<Option<usize>>,
    ) -> Result<usize> {
        let wrong = |text: &str| Err(Error::InvalidArgument(text.to_owned()));
        let Some(rest) = buffer.get(offset..) else {
            return wrong("buffer length < offset");
        };
        match rest.get(..size.into().unwrap_or(rest.len())) {
            Some(part) => self.send_bytes(part).await,
            None => wrong("buffer length < offset + size"),
        }
    }

    /// The stream.
    pub fn get_ref(&self) -> &Stream<W> {
        &self.stream
    }

    /// The stream, for other uses.
    pub fn into_inner(self) -> Stream<W> {
        self.stream
    }
}
