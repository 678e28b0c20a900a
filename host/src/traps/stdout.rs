//! `wasi:cli/stdout` and `stderr` that lead to the host's own.
//!
//! A write goes to the descriptor at once. What that does not take is kept, and makes the instance wait,
//! no other; so a stream is flushed as soon as it can be written to again.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::stdio::{Output, Outputs};

/// How much a guest may write at once.
const PERMIT: usize = 64 * 1024;

/// How much is kept for a guest that has several permits, each from another handle of the stream.
const MAX_KEPT: usize = 16 * PERMIT;

/// An instance's standard output and error.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
}

impl Streams {
    /// Streams to the host's own.
    pub(crate) fn new(outputs: &Outputs) -> Self {
        Self {
            stdout: Stream::new(outputs.stdout.clone()),
            stderr: Stream::new(outputs.stderr.clone()),
        }
    }

    /// Waits until all is written that can be.
    pub(crate) async fn written(&self) {
        self.stdout.written().await;
        self.stderr.written().await;
    }
}

/// One of them. Cheap to clone: all its handles are one stream.
#[derive(Clone, Debug)]
pub(super) struct Stream(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    output: Arc<Output>,
    kept: Mutex<Kept>,
}

/// What the descriptor did not take yet.
#[derive(Debug, Default)]
struct Kept {
    bytes: BytesMut,
    /// Why there is nothing more to be kept, for whoever asks next.
    error: Option<io::Error>,
}

impl Stream {
    fn new(output: Arc<Output>) -> Self {
        Self(Arc::new(Shared {
            output,
            kept: Mutex::default(),
        }))
    }

    pub(super) async fn written(&self) {
        if self.kept().bytes.is_empty() {
            return;
        }
        let output = &self.0.output;
        let written = output.retry(|| self.kept().write(output)).await;
        if let Err(error) = written {
            self.kept().fail(error);
        }
    }

    /// Writes at most a permit's worth, and keeps what the descriptor does not take.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if something is kept, and why that or this can't be written.
    pub(super) fn write_some(&self, data: &[u8]) -> io::Result<usize> {
        let mut kept = self.kept();
        if let Some(error) = kept.error.take() {
            return Err(error);
        }
        if !kept.bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let data = &data[..data.len().min(PERMIT)];
        kept.write_or_keep(&self.0.output, Bytes::copy_from_slice(data))?;
        Ok(data.len())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Writes what is kept, all of it or until that would block.
    fn write(&mut self, output: &Output) -> io::Result<()> {
        while !self.bytes.is_empty() {
            let written = output.write(&self.bytes)?;
            self.bytes.advance(written);
        }
        // A burst's memory is not kept.
        self.bytes = BytesMut::new();
        Ok(())
    }

    /// Writes what comes, and keeps what is not taken.
    fn write_or_keep(&mut self, output: &Output, mut bytes: Bytes) -> io::Result<()> {
        while self.bytes.is_empty() && !bytes.is_empty() {
            match output.write(&bytes) {
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    fn fail(&mut self, error: io::Error) {
        self.bytes = BytesMut::new();
        self.error = Some(error);
    }

    fn check(&mut self) -> StreamResult<()> {
        self.error.take().map_or(Ok(()), |error| Err(told(error)))
    }
}

/// What a guest is told of an error.
fn told(error: io::Error) -> StreamError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        StreamError::Closed
    } else {
        StreamError::LastOperationFailed(error.into())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut kept = self.kept();
        kept.check()?;
        if bytes.len() > PERMIT || kept.bytes.len() + bytes.len() > MAX_KEPT {
            return Err(StreamError::trap(
                "the guest wrote more to standard output or error than it was permitted to",
            ));
        }
        kept.write_or_keep(&self.0.output, bytes).map_err(told)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.kept().check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut kept = self.kept();
        kept.check()?;
        Ok(if kept.bytes.is_empty() { PERMIT } else { 0 })
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        self.written().await;
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        self.0.output.is_terminal()
    }
}

impl StdoutStream for Stream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// What `wasi:cli` 0.3 would use, which guests are not offered.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    fn stream(writer: &io::PipeWriter) -> Stream {
        Stream::new(Arc::new(Output::new(writer.as_fd()).unwrap()))
    }

    /// Writes until nothing more is permitted; returns how much was.
    fn fill(stream: &mut Stream) -> usize {
        let mut filled = 0;
        while stream.check_write().unwrap() > 0 {
            stream.write(Bytes::from_static(&[b'x'; 10_000])).unwrap();
            filled += 10_000;
        }
        filled
    }

    #[test]
    fn what_a_pipe_does_not_take_is_kept_until_it_does() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stream = stream(&writer);
        drop(writer);
        let filled = fill(&mut stream);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let mut bytes = vec![0; filled - 1];
        reader.read_exact(&mut bytes[..filled / 2]).unwrap();
        runtime.block_on(stream.ready());
        assert_eq!(stream.check_write().unwrap(), PERMIT);
        reader.read_exact(&mut bytes[filled / 2..]).unwrap();
        drop(stream);
        assert_eq!(reader.read_to_end(&mut bytes).unwrap(), 1);
    }

    #[test]
    fn more_than_is_permitted_is_a_fault() {
        let (_reader, writer) = io::pipe().unwrap();
        let mut stream = stream(&writer);
        let much = Bytes::from(vec![0; PERMIT]);
        let more = Bytes::from(vec![0; PERMIT + 1]);
        assert!(matches!(stream.write(more), Err(StreamError::Trap(_))));
        // Other handles may have been permitted some before the pipe was full, but not for ever.
        let written = (0..100).map_while(|_| stream.clone().write(much.clone()).ok());
        assert!((2..=18).contains(&written.count()));
        let refused = stream.write(much);
        assert!(matches!(refused, Err(StreamError::Trap(_))));
    }

    #[test]
    fn an_error_is_told_once() {
        let (reader, writer) = io::pipe().unwrap();
        let mut stream = stream(&writer);
        fill(&mut stream);
        drop(reader);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(stream.ready());
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
        assert_eq!(stream.check_write().unwrap(), PERMIT);
        let written = stream.write(Bytes::from_static(b"x"));
        assert!(matches!(written, Err(StreamError::Closed)));
    }
}
