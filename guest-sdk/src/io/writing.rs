//! Writing to a stream.

use std::io;

use super::{READ_SIZE, RawIo, Stream};
use crate::error::{Error, Result};

impl<T: RawIo> Stream<T> {
    /// Writes all of `data`, and returns how many bytes that are.
    ///
    /// # Errors
    /// Those of what it is a stream on. `moved()` says how much was written.
    ///
    /// # Cancellation
    /// As after an error: a part may have been written.
    pub async fn write(&mut self, data: &[u8]) -> Result<usize> {
        let mut written = 0;
        while written < data.len() {
            match self.send(&data[written..]).await {
                Ok(sent) => written += sent,
                Err(error) => return Err(error.with_moved(written)),
            }
        }
        if self.io.wants_flush() {
            let flushed = self.flush().await;
            flushed.map_err(|error| error.with_moved(written))?;
        }
        Ok(written)
    }

    /// Writes lines, or whatever pieces, one after the other, and returns how many bytes they are together. Nothing is
    /// added between them. Small ones are written together.
    ///
    /// # Errors
    /// As [`Stream::write`]; `moved()` counts the bytes of all lines. Some that were not written may have been taken
    /// from `lines` already.
    ///
    /// # Cancellation
    /// As after an error.
    #[doc(alias = "writelines")]
    pub async fn write_lines<L: AsRef<[u8]>>(
        &mut self,
        lines: impl IntoIterator<Item = L>,
    ) -> Result<usize> {
        let mut written = 0;
        let mut together = Vec::new();
        for line in lines {
            let line = line.as_ref();
            if together.len() + line.len() > READ_SIZE {
                written = self.write_more(written, &together).await?;
                together.clear();
            }
            if line.len() > READ_SIZE {
                written = self.write_more(written, line).await?;
            } else {
                together.extend_from_slice(line);
            }
        }
        self.write_more(written, &together).await
    }

    /// Writes what comes after so many bytes, and returns how many there are then.
    async fn write_more(&mut self, written: usize, data: &[u8]) -> Result<usize> {
        match self.write(data).await {
            Ok(count) => Ok(written + count),
            Err(error) => {
                let count = error.moved().unwrap_or(0);
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                Err(error.with_moved(written + count))
            }
        }
    }

    async fn send(&mut self, data: &[u8]) -> Result<usize> {
        loop {
            match self.try_send(data)? {
                Some(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Some(sent) => return Ok(sent),
                None => {
                    self.give_up();
                    self.io.write_wait().await?;
                }
            }
        }
    }

    /// Sends what can be at once, from the place on that reading has come to.
    pub(super) fn try_send(&mut self, data: &[u8]) -> Result<Option<usize>> {
        if !self.buffer.is_empty() {
            match self.io.try_unread(self.buffer.len())? {
                None => return Ok(None),
                Some(true) => self.buffer.consume(usize::MAX),
                Some(false) => {}
            }
        }
        self.io.try_send(data)
    }

    /// Sees to it that what was written is on its way. A socket does that by itself; for a file, it waits until the
    /// system has it.
    ///
    /// # Errors
    /// Those of what it is a stream on.
    ///
    /// # Cancellation
    /// It may be tried again.
    pub async fn flush(&mut self) -> Result<()> {
        while self.io.try_flush()?.is_none() {
            self.give_up();
            self.io.write_wait().await?;
        }
        Ok(())
    }

    /// Tells the peer that nothing more will be written. Reading goes on.
    ///
    /// # Errors
    /// Those of what it is a stream on.
    ///
    /// # Cancellation
    /// It may be tried again.
    #[doc(alias = "shutdown")]
    pub async fn end(&mut self) -> Result<()> {
        self.flush().await?;
        while self.io.try_end()?.is_none() {
            self.give_up();
            self.io.write_wait().await?;
        }
        Ok(())
    }

    /// Flushes the stream and drops it, and with it what it is a stream on. A peer is told by [`Stream::end`].
    ///
    /// # Errors
    /// As [`Stream::flush`]. It is dropped nevertheless.
    ///
    /// # Cancellation
    /// It is dropped.
    pub async fn close(mut self) -> Result<()> {
        self.flush().await
    }
}
