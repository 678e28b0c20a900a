//! The standard streams as what carries bytes.

use std::io;
use std::task::{Context, Poll};

use super::{RawIo, Stdin, Stdout, Stream};
use crate::bindings::stdio as kernel;
use crate::error::{Error, Result, tried};
use crate::stdio::BLOCK;
use crate::traps::PollWait;

fn wrong_way(text: &str) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::Unsupported, text))
}

fn not_to_be_written() -> Error {
    wrong_way("standard input is there to be read")
}

fn not_to_be_read() -> Error {
    wrong_way("standard output and error are there to be written to")
}

/// It can only be received from.
impl RawIo for Stdin {
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
        tried(kernel::read(u32::try_from(max).unwrap_or(u32::MAX)))
    }

    fn try_send(&self, _data: &[u8]) -> Result<Option<usize>> {
        Err(not_to_be_written())
    }

    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        wait.poll(cx, kernel::read_wait)
    }

    fn poll_write_wait(&self, _wait: &PollWait, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(not_to_be_written()))
    }
}

/// It can only be sent to.
impl RawIo for Stdout {
    fn try_recv(&self, _max: usize) -> Result<Option<Vec<u8>>> {
        Err(not_to_be_read())
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        self.flush_std()?;
        let written = tried(kernel::write(self.output(), &data[..data.len().min(BLOCK)]))?;
        Ok(written.map(|written| written as usize))
    }

    fn try_flush(&self) -> Result<Option<()>> {
        Ok(self.try_send(&[])?.map(drop))
    }

    fn poll_read_wait(&self, _wait: &PollWait, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(not_to_be_read()))
    }

    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let output = self.output();
        wait.poll(cx, |by| kernel::write_wait(output, by))
    }
}

impl Stdin {
    /// A stream on standard input: lines, for example. What it has read in advance, no other one sees.
    ///
    /// ```no_run
    /// # async fn example() -> curio::Result<()> {
    /// let mut input = curio::io::stdin().into_stream();
    /// let mut lines = input.lines();
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", line?.trim_ascii_end().escape_ascii());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_stream(self) -> Stream<Self> {
        Stream::new(self)
    }
}

impl Stdout {
    /// A stream on standard output, or error.
    pub fn into_stream(self) -> Stream<Self> {
        Stream::new(self)
    }
}
