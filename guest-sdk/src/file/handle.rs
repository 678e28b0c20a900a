//! An open file.

use std::cell::Cell;
use std::fmt;
use std::io::SeekFrom;
use std::path::Path;

use super::{Behind, Metadata, OpenOptions};
use crate::bindings::files::{self as kernel, Answer};
use crate::bindings::types;
use crate::error::{Error, Result};
use crate::partial::move_all;
use crate::traps::{PollWait, wait_for};

/// How much the kernel reads or writes at a time.
pub(crate) const BLOCK: usize = 256 * 1024;

/// An open file. Dropping it closes it.
///
/// Every operation blocks the task until the disk has answered. One operation at a time is possible: another task's gets
/// [`Error::ResourceBusy`] meanwhile. Nothing is buffered: small pieces cost as much as large ones, which are better.
/// [`File::into_stream`] makes a [`FileStream`](super::FileStream) of it, which is for lines and small pieces. If a stream
/// on it has begun to write something, every operation waits for that, and tells of its error.
pub struct File {
    pub(super) handle: kernel::File,
    /// An operation is under way.
    pub(super) busy: Cell<bool>,
    /// What a stream has begun to write.
    pub(super) behind: Behind,
    /// The wait of those who poll.
    pub(super) polling: PollWait,
}

/// The right to use a file, for as long as this lives.
struct Turn<'a>(&'a File);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "aopen")]
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().read(true).open(path).await
    }

    /// Opens a file for writing: makes it if it is not there, and cuts it to nothing if it is.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    ///
    /// # Cancellation
    /// It may have been made, or cut.
    #[doc(alias = "aopen")]
    pub async fn create(path: impl AsRef<Path>) -> Result<Self> {
        let options = OpenOptions::new().write(true).create(true).truncate(true);
        options.open(path).await
    }

    /// Waits until a file is open.
    pub(super) async fn opened(handle: kernel::File) -> Result<Self> {
        let file = Self {
            handle,
            busy: Cell::new(false),
            behind: Behind::default(),
            polling: PollWait::new(),
        };
        file.retry(kernel::File::finish).await?;
        Ok(file)
    }

    pub(crate) fn into_handle(self) -> kernel::File {
        self.handle
    }

    /// Reads up to `max` bytes from the current position on: at least one, or none at the end of the file. Not more
    /// than 256 KiB come at a time.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`], [`Error::Io`], [`Error::Limit`].
    ///
    /// # Cancellation
    /// Nothing is read: the position stays.
    #[doc(alias = "read1")]
    pub async fn read(&self, max: usize) -> Result<Vec<u8>> {
        let _turn = self.turn().await?;
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        self.retry(|handle| handle.read(max)).await
    }

    /// Reads into `buffer`, and returns how many bytes came: at least one, or none at the end of the file.
    ///
    /// # Errors
    /// As [`File::read`].
    ///
    /// # Cancellation
    /// Nothing is read: the position stays.
    #[doc(alias = "readinto1")]
    pub async fn read_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.read(buffer.len()).await?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Fills `buffer` unless the file ends before, and returns how many bytes came.
    ///
    /// # Errors
    /// As [`File::read`]. A part may be filled: [`Error::moved`] says how much. The position is behind it.
    ///
    /// # Cancellation
    /// As with any other error.
    #[doc(alias = "readinto")]
    pub async fn read_full(&self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_into(&mut buffer[filled..]).await {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) => return Err(error.with_moved(filled)),
            }
        }
        Ok(filled)
    }

    /// Reads from the current position to the end of the file.
    ///
    /// # Errors
    /// As [`File::read`]. The position is behind what was read, and [`Error::moved`] says how much that is: a
    /// [`seek`](File::seek) back by so much gives it again. A [`FileStream`](super::FileStream) keeps it.
    ///
    /// # Cancellation
    /// As with any other error.
    #[doc(alias = "readall")]
    #[doc(alias = "read")]
    pub async fn read_to_end(&self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let block = self.read(BLOCK).await;
            let block = block.map_err(|error| error.with_moved(whole.len()))?;
            if block.is_empty() {
                return Ok(whole);
            }
            if whole.is_empty() {
                whole = block;
            } else {
                whole.extend_from_slice(&block);
            }
        }
    }

    /// Reads from the current position to the end of the file, as text.
    ///
    /// # Errors
    /// As [`File::read`]; [`Error::Io`] also if it is not UTF-8.
    ///
    /// # Cancellation
    /// As [`File::read_to_end`].
    pub async fn read_to_string(&self) -> Result<String> {
        String::from_utf8(self.read_to_end().await?)
            .map_err(|error| Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
    }

    /// Writes at the current position, or at the end if the file was opened so, and returns how many bytes were
    /// written: at least one, unless `data` is empty. Not more than 256 KiB are at a time.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`], [`Error::Io`], [`Error::Limit`]; the error of a write that was cancelled before.
    ///
    /// # Cancellation
    /// It is done nevertheless; [`File::tell`] says how far it came.
    pub async fn write(&self, data: &[u8]) -> Result<usize> {
        let _turn = self.turn().await?;
        if data.is_empty() {
            return Ok(0);
        }
        let data = &data[..data.len().min(BLOCK)];
        match self.perform(|handle| handle.start_write(data)).await? {
            Answer::Written(0) => Err(Error::Io(std::io::ErrorKind::WriteZero.into())),
            Answer::Written(count) => Ok(count as usize),
            other => unreachable!("the kernel answers with a count, not {other:?}"),
        }
    }

    /// Writes all of `data`.
    ///
    /// # Errors
    /// As [`File::write`]. A part may have been written: [`Error::moved`] says how much for certain, and [`File::tell`]
    /// how much it came to.
    ///
    /// # Cancellation
    /// As with any other error.
    pub async fn write_all(&self, data: &[u8]) -> Result<()> {
        move_all(data, async |data| self.write(data).await).await
    }

    /// Waits until nothing is under way: what was cancelled, or what a stream has begun to write. What [`File::write`] said
    /// that it wrote is written.
    /// To have it on the disk, use [`File::sync_all`].
    ///
    /// # Errors
    /// [`Error::ResourceBusy`]; the error of what was cancelled.
    ///
    /// # Cancellation
    /// It is done nevertheless.
    pub async fn flush(&self) -> Result<()> {
        let _turn = self.turn().await?;
        loop {
            match self.handle.finish() {
                Err(types::Error::WouldBlock) => self.wait().await?,
                Ok(_) | Err(types::Error::InvalidState(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Moves the position, which may be behind the end, and returns it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if that would be before the beginning; [`Error::ResourceBusy`], [`Error::Io`].
    ///
    /// # Cancellation
    /// It is where it was.
    pub async fn seek(&self, to: SeekFrom) -> Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(by) => (self.tell().await?, by),
            SeekFrom::End(by) => (self.metadata().await?.len(), by),
        };
        let _turn = self.turn().await?;
        let position = from.checked_add_signed(by).ok_or_else(|| {
            Error::InvalidArgument("a position is not before the beginning".to_owned())
        })?;
        self.retry(|handle| handle.set_position(position)).await?;
        Ok(position)
    }

    /// The position.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "stream_position")]
    pub async fn tell(&self) -> Result<u64> {
        let _turn = self.turn().await?;
        self.retry(kernel::File::position).await
    }

    /// Sets the length: cuts the file, or fills it with zeros. The position stays.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`], [`Error::Io`]; the error of a write that was cancelled before.
    ///
    /// # Cancellation
    /// It is done nevertheless.
    #[doc(alias = "set_len")]
    pub async fn truncate(&self, length: u64) -> Result<()> {
        let _turn = self.turn().await?;
        let begin = |handle: &kernel::File| handle.start_set_length(length);
        self.perform(begin).await.map(drop)
    }

    /// Waits until all that was written is on the disk.
    ///
    /// # Errors
    /// As [`File::truncate`].
    ///
    /// # Cancellation
    /// It is done nevertheless.
    #[doc(alias = "fsync")]
    pub async fn sync_all(&self) -> Result<()> {
        let _turn = self.turn().await?;
        let begin = |handle: &kernel::File| handle.start_sync(false);
        self.perform(begin).await.map(drop)
    }

    /// As [`File::sync_all`], without metadata that are not needed to read it.
    ///
    /// # Errors
    /// As [`File::truncate`].
    ///
    /// # Cancellation
    /// It is done nevertheless.
    #[doc(alias = "fdatasync")]
    pub async fn sync_data(&self) -> Result<()> {
        let _turn = self.turn().await?;
        let begin = |handle: &kernel::File| handle.start_sync(true);
        self.perform(begin).await.map(drop)
    }

    /// What is known of it.
    ///
    /// # Errors
    /// As [`File::truncate`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "fstat")]
    pub async fn metadata(&self) -> Result<Metadata> {
        let _turn = self.turn().await?;
        match self.perform(kernel::File::start_metadata).await? {
            Answer::Metadata(metadata) => Ok(metadata.into()),
            other => unreachable!("the kernel answers with metadata, not {other:?}"),
        }
    }

    /// Closes the file, as dropping it does, and tells of an error that was not told yet.
    ///
    /// # Errors
    /// As [`File::flush`].
    ///
    /// # Cancellation
    /// It is closed nevertheless.
    pub async fn close(self) -> Result<()> {
        self.flush().await
    }

    /// Takes the right to use the file, and waits until what a stream has begun to write is written.
    async fn turn(&self) -> Result<Turn<'_>> {
        if self.busy.replace(true) {
            return Err(Error::ResourceBusy);
        }
        let turn = Turn(self);
        while self.behind.settle(&self.handle)?.is_none() {
            self.wait().await?;
        }
        Ok(turn)
    }

    /// Blocks until nothing is under way.
    pub(crate) async fn wait(&self) -> Result<()> {
        self.polling.give_up_own();
        wait_for(|by| self.handle.wait(by)).await
    }

    /// Begins something, and waits for its end.
    async fn perform(
        &self,
        begin: impl Fn(&kernel::File) -> Result<(), types::Error>,
    ) -> Result<Answer> {
        self.retry(begin).await?;
        self.retry(kernel::File::finish).await
    }

    /// Does something as soon as nothing else is under way.
    async fn retry<T>(
        &self,
        attempt: impl Fn(&kernel::File) -> Result<T, types::Error>,
    ) -> Result<T> {
        loop {
            match attempt(&self.handle) {
                Err(types::Error::WouldBlock) => self.wait().await?,
                result => return Ok(result?),
            }
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").finish_non_exhaustive()
    }
}
