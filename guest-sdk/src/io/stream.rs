//! A stream: what carries bytes, and what was read from it in advance.

use std::fmt;

use super::RawIo;
use super::buffer::Buffer;
use crate::traps::PollWait;

/// How long a line may be, unless said otherwise.
const MAX_LINE: usize = 1 << 20;

/// A stream of bytes over a socket, or whatever else carries them.
///
/// It reads in advance, in large pieces, and writes at once: many small pieces are better written together, by
/// [`Stream::write_lines`].
///
/// Nothing that was read is lost when an operation is interrupted, or fails: it stays in the stream, and the same
/// operation may be tried again, or another one. [`Error::moved`](crate::Error::moved) says how far it had come.
///
/// ```no_run
/// # async fn example(socket: curio::Socket) -> curio::Result<()> {
/// let mut stream = socket.into_stream();
/// stream.write(b"HELLO\r\n").await?;
/// let greeting = stream.read_line().await?;
/// let data = stream.read_exactly(16).await?;
/// let mut lines = stream.lines();
/// while let Some(line) = lines.next().await {
///     println!("{}", line?.escape_ascii());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Stream<T> {
    pub(super) io: T,
    pub(super) buffer: Buffer,
    pub(super) max_line: usize,
    /// The wait of those who read by polling.
    pub(super) reading: PollWait,
    /// The wait of those who write by polling.
    pub(super) writing: PollWait,
}

impl<T: RawIo> Stream<T> {
    /// A stream on something.
    pub fn new(io: T) -> Self {
        Self {
            io,
            buffer: Buffer::default(),
            max_line: MAX_LINE,
            reading: PollWait::new(),
            writing: PollWait::new(),
        }
    }

    /// Withdraws what was begun by polling: the task is about to wait by itself.
    pub(super) fn give_up(&self) {
        self.reading.give_up();
        self.writing.give_up();
    }

    /// Says how long a line may be, with its end, so that a peer can't fill the memory with one. It is a mebibyte
    /// unless said.
    pub fn set_max_line(&mut self, bytes: usize) {
        self.max_line = bytes;
    }

    /// What it is a stream on. What is read there directly is missing in the stream.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// What was read in advance.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.as_slice()
    }

    /// Forgets the first bytes of what was read in advance: they were dealt with.
    pub fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
    }

    /// What it was a stream on.
    ///
    /// # Errors
    /// The stream itself, if something was read in advance, which would be lost.
    #[doc(alias = "blocking")]
    pub fn into_inner(self) -> Result<T, Self> {
        if self.buffer.is_empty() {
            Ok(self.io)
        } else {
            Err(self)
        }
    }

    /// What it was a stream on, and what was read from there and not given.
    pub fn into_parts(mut self) -> (T, Vec<u8>) {
        let unread = self.buffer.take(usize::MAX);
        (self.io, unread)
    }
}

impl<T: fmt::Debug> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("io", &self.io)
            .field("buffered", &self.buffer.len())
            .finish_non_exhaustive()
    }
}
