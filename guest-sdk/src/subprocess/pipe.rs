//! The ends of pipes that lead to children.

use std::fmt;
use std::task::{Context, Poll};

use super::Stdio;
use crate::bindings::subprocess as kernel;
use crate::error::{Error, Result, tried};
use crate::io::{RawIo, Stream};
use crate::traps::PollWait;

/// A stream on a pipe: a child's [`stdin`](super::Popen::stdin), or what it writes.
pub type PipeStream = Stream<Pipe>;

/// One end of a pipe that leads to a child. Dropping it closes it.
pub struct Pipe {
    handle: kernel::Pipe,
}

impl Pipe {
    /// A stream on one end.
    pub(super) fn stream(handle: kernel::Pipe) -> PipeStream {
        Stream::new(Self { handle })
    }

    pub(super) fn into_handle(self) -> kernel::Pipe {
        self.handle
    }

    /// Closes it, as dropping it does: the child finds the end of its input. Never blocks.
    pub fn close(&self) {
        self.handle.close();
    }
}

impl RawIo for Pipe {
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
        tried(self.handle.read(u32::try_from(max).unwrap_or(u32::MAX)))
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        let written = tried(self.handle.write(&data[..data.len().min(MAX_WRITE)]))?;
        Ok(written.map(|written| written as usize))
    }

    fn try_end(&self) -> Result<Option<()>> {
        self.close();
        Ok(Some(()))
    }

    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        wait.poll(cx, |by| self.handle.read_wait(by))
    }

    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        wait.poll(cx, |by| self.handle.write_wait(by))
    }
}

/// How much is passed to the kernel at once: what Linux keeps in a pipe.
const MAX_WRITE: usize = 65_536;

impl From<Pipe> for Stdio {
    fn from(pipe: Pipe) -> Self {
        Self::given(kernel::Stdio::PipeEnd(pipe.into_handle()))
    }
}

/// What one child writes, for another one to read, or the other way round.
impl From<PipeStream> for Stdio {
    /// If something was read in advance, that would be lost: to spawn with it is an error.
    fn from(stream: PipeStream) -> Self {
        match stream.into_inner() {
            Ok(pipe) => pipe.into(),
            Err(_) => Self::wrong(Error::InvalidState(
                "the stream has read in advance, which the child would miss".to_owned(),
            )),
        }
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}
