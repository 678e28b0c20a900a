//! What streams need of a file: the attempts that they are made of.

use std::task::{Context, Poll};

use super::{BLOCK, File};
use crate::error::{Error, Result, tried};
use crate::io::Stream;

/// A file that is read in advance, and written behind: for lines, and for small pieces. [`aopen`](super::aopen)
/// opens one, [`File::into_stream`] makes one.
///
/// It reads 256 KiB at a time, and has everything that a [`Stream`] has, a position besides. For many lines,
/// [`Stream::read_line_into`] needs no memory for each of them.
///
/// Reading and writing share the position: what is written comes behind what was given, even if more was read in
/// advance. A write is begun at once, and the task goes on meanwhile; an error comes at the next write or read, at
/// [`Stream::flush`] or at [`Stream::close`]: **who wants to hear of it ends with one of these**.
/// [`Error::moved`] counts what was begun, then; [`Stream::tell`] says how far it came. A program that exits before
/// that may lose what was written last.
///
/// ```no_run
/// use curio::aopen;
///
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     let mut log = aopen("log", "r").await?;
///     let mut errors = aopen("errors", "w").await?;
///     let mut line = Vec::new();
///     while log.read_line_into(&mut line).await? > 0 {
///         if line.starts_with(b"error") {
///             errors.write(&line).await?;
///         }
///     }
///     errors.close().await
/// }
/// ```
pub type FileStream = Stream<File>;

impl File {
    /// Looks whether all is written that was begun to be.
    pub(crate) fn try_settle(&self) -> Result<Option<()>> {
        if self.busy.get() {
            return Err(Error::ResourceBusy);
        }
        self.behind.settle(&self.handle)
    }

    /// Reads, or begins to.
    pub(crate) fn try_read(&self, max: usize) -> Result<Option<Vec<u8>>> {
        let Some(()) = self.try_settle()? else {
            return Ok(None);
        };
        let data = tried(self.handle.read(u32::try_from(max).unwrap_or(u32::MAX)))?;
        if data.as_ref().is_some_and(|data| data.len() == BLOCK) {
            // There may be more: it is read meanwhile, and stays with the handle. What fails is told who wants it.
            drop(self.handle.read(u32::try_from(BLOCK).unwrap_or(u32::MAX)));
        }
        Ok(data)
    }

    /// Begins to write a block.
    pub(crate) fn try_begin(&self, data: &[u8]) -> Result<Option<()>> {
        let Some(()) = self.try_settle()? else {
            return Ok(None);
        };
        self.behind.begin(&self.handle, data)
    }

    /// Moves the position back.
    pub(crate) fn try_move_back(&self, count: usize) -> Result<Option<()>> {
        let Some(()) = self.try_settle()? else {
            return Ok(None);
        };
        let Some(position) = tried(self.handle.position())? else {
            return Ok(None);
        };
        tried((self.handle).set_position(position.saturating_sub(count as u64)))
    }

    /// Polls the trap that waits until nothing is under way.
    pub(crate) fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.polling.poll(cx, |by| self.handle.wait(by))
    }
}
