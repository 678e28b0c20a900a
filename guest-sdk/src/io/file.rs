//! Files as what carries bytes, and what their streams have besides.

use std::io::SeekFrom;
use std::task::{Context, Poll};

use super::{RawIo, Stream};
use crate::error::{Error, Result};
use crate::file::{BLOCK, File, FileStream};
use crate::traps::PollWait;

/// What is sent is begun to be written, and what comes next tells of its error.
///
/// A file has one position, and does one thing at a time: whoever polls waits in the same place, in whatever direction.
impl RawIo for File {
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
        self.try_read(max)
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        let data = &data[..data.len().min(BLOCK)];
        Ok(self.try_begin(data)?.map(|()| data.len()))
    }

    fn try_flush(&self) -> Result<Option<()>> {
        self.try_settle()
    }

    fn try_unread(&self, count: usize) -> Result<Option<bool>> {
        Ok(self.try_move_back(count)?.map(|()| true))
    }

    fn read_size(&self) -> usize {
        BLOCK
    }

    fn poll_read_wait(&self, _wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_wait(cx)
    }

    fn poll_write_wait(&self, _wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_wait(cx)
    }

    async fn read_wait(&self) -> Result<()> {
        self.wait().await
    }

    async fn write_wait(&self) -> Result<()> {
        self.wait().await
    }
}

impl File {
    /// A stream on the file, from its position on.
    #[doc(alias = "FileStream")]
    pub fn into_stream(self) -> FileStream {
        Stream::new(self)
    }
}

/// What a stream on a file has besides: a position.
impl Stream<File> {
    /// Moves the position, which may be behind the end, and returns it. What was read in advance is forgotten.
    ///
    /// ```no_run
    /// # async fn example() -> curio::Result<()> {
    /// use std::io::SeekFrom;
    ///
    /// let mut file = curio::aopen("counted", "r+").await?;
    /// let lines = file.read_lines().await?.len();
    /// file.seek(SeekFrom::Start(0)).await?;
    /// file.write(format!("{lines:>8}\n").as_bytes()).await?;
    /// file.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`File::seek`]; that of what was written before.
    ///
    /// # Cancellation
    /// It is where it was.
    pub async fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let ahead = i64::try_from(self.buffer.len()).expect("memory is smaller");
        let to = match to {
            SeekFrom::Current(by) => SeekFrom::Current(by.checked_sub(ahead).ok_or_else(|| {
                Error::InvalidArgument("a position is not before the beginning".to_owned())
            })?),
            other => other,
        };
        let position = self.io.seek(to).await?;
        self.buffer.consume(usize::MAX);
        Ok(position)
    }

    /// The position: behind what was given, however much was read in advance, and what was written.
    ///
    /// # Errors
    /// As [`File::tell`]; that of what was written before.
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "stream_position")]
    pub async fn tell(&self) -> Result<u64> {
        let position = self.io.tell().await?;
        Ok(position.saturating_sub(self.buffer.len() as u64))
    }

    /// Sets the length: cuts the file, or fills it with zeros. The position stays; what was read in advance is
    /// forgotten.
    ///
    /// # Errors
    /// As [`File::truncate`]; that of what was written before.
    ///
    /// # Cancellation
    /// It may be done nevertheless.
    #[doc(alias = "set_len")]
    pub async fn truncate(&mut self, length: u64) -> Result<()> {
        if !self.buffer.is_empty() {
            self.seek(SeekFrom::Current(0)).await?;
        }
        self.io.truncate(length).await
    }
}
