//! Reading and writing by polling: the traits of `futures_io`.

use std::io::{Error as IoError, Result as IoResult};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};

use super::{RawIo, Stream};
use crate::error::{Error, Result};
use crate::socket::Socket;
use crate::ssl::TlsStream;
use crate::traps::PollWait;

impl From<Error> for IoError {
    /// What is no error of the system's gets the kind `Other`, and is inside.
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            error => Self::other(error),
        }
    }
}

fn poll_recv(
    io: &impl RawIo,
    wait: &PollWait,
    cx: &mut Context<'_>,
    max: usize,
) -> Poll<Result<Vec<u8>>> {
    loop {
        if let Some(data) = io.try_recv(max)? {
            return Poll::Ready(Ok(data));
        }
        ready!(io.poll_read_wait(wait, cx))?;
    }
}

/// Tries until something is done.
fn poll_done<T, I: RawIo>(
    io: &I,
    wait: &PollWait,
    cx: &mut Context<'_>,
    mut attempt: impl FnMut(&I) -> Result<Option<T>>,
) -> Poll<IoResult<T>> {
    loop {
        if let Some(done) = attempt(io)? {
            return Poll::Ready(Ok(done));
        }
        ready!(io.poll_write_wait(wait, cx))?;
    }
}

/// Implements the traits for what carries bytes and has a [`PollWait`] for each direction.
macro_rules! by_polling {
    ($($io:ty),*) => {$(
        impl AsyncRead for $io {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<IoResult<usize>> {
                let data = ready!(poll_recv(&*self, self.reading(), cx, buffer.len()))?;
                buffer[..data.len()].copy_from_slice(&data);
                Poll::Ready(Ok(data.len()))
            }
        }

        impl AsyncWrite for $io {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<IoResult<usize>> {
                poll_done(&*self, self.writing(), cx, |io| io.try_send(data))
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
                poll_done(&*self, self.writing(), cx, RawIo::try_flush)
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
                ready!(self.as_mut().poll_flush(cx))?;
                poll_done(&*self, self.writing(), cx, RawIo::try_end)
            }
        }
    )*};
}

by_polling!(Socket, &Socket, TlsStream, &TlsStream);

impl<T: RawIo> Stream<T> {
    /// Polls for more.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        let max = self.io.read_size().max(1);
        let data = ready!(poll_recv(&self.io, &self.reading, cx, max))?;
        let any = !data.is_empty();
        self.buffer.push(data);
        Poll::Ready(Ok(any))
    }

    /// Polls for a line.
    pub(super) fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>>> {
        let len = loop {
            if let Some(line) = self.line_here()? {
                break line;
            }
            if !ready!(self.poll_fill(cx))? {
                break self.buffer.len();
            }
        };
        Poll::Ready(Ok(self.buffer.take(len)))
    }
}

impl<T: RawIo + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<IoResult<usize>> {
        let here = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        self.buffer.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl<T: RawIo + Unpin> AsyncBufRead for Stream<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<&[u8]>> {
        let this = self.get_mut();
        if this.buffer.is_empty() {
            ready!(this.poll_fill(cx))?;
        }
        Poll::Ready(Ok(this.buffer.as_slice()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.buffer.consume(count);
    }
}

impl<T: RawIo + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<IoResult<usize>> {
        loop {
            if let Some(sent) = self.try_send(data)? {
                return Poll::Ready(Ok(sent));
            }
            ready!(self.io.poll_write_wait(&self.writing, cx))?;
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        poll_done(&self.io, &self.writing, cx, T::try_flush)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        poll_done(&self.io, &self.writing, cx, T::try_end)
    }
}
