//! Reading from a stream.

use std::io;

use super::{Lines, READ_SIZE, RawIo, Stream};
use crate::error::{Error, Result};

/// How much is asked for at once at most.
const MAX_READ: usize = 1 << 20;

impl<T: RawIo> Stream<T> {
    /// Reads up to `max` bytes: what was read in advance, or else what comes next. None if `max` is 0, and at the end
    /// of the stream.
    ///
    /// # Errors
    /// Those of what it is a stream on.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        if self.buffer.is_empty() {
            self.fill(max).await?;
        }
        Ok(self.buffer.take(max))
    }

    /// Reads exactly so many bytes.
    ///
    /// # Errors
    /// An [`Error::Io`] of the kind `UnexpectedEof` if the stream ends before; those of what it is a stream on.
    /// What was read stays in the stream, and `moved()` says how much that is.
    ///
    /// # Cancellation
    /// As after an error: nothing is lost, and it may be tried again.
    pub async fn read_exactly(&mut self, count: usize) -> Result<Vec<u8>> {
        if self.buffer_up_to(count).await? {
            Ok(self.buffer.take(count))
        } else {
            let (here, text) = (self.buffer.len(), "the stream ended too early");
            Err(Error::end_of_stream(text, here))
        }
    }

    /// Reads until `target` is full, or the stream ends, and returns how many bytes that were.
    ///
    /// # Errors
    /// Those of what it is a stream on. `moved()` says how much of `target` is filled.
    ///
    /// # Cancellation
    /// As after an error.
    #[doc(alias = "readinto")]
    pub async fn read_into(&mut self, target: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        loop {
            let here = self.buffer.as_slice();
            let count = here.len().min(target.len() - filled);
            target[filled..filled + count].copy_from_slice(&here[..count]);
            self.buffer.consume(count);
            filled += count;
            if filled == target.len() {
                return Ok(filled);
            }
            let more = self.fill(target.len() - filled).await;
            if !more.map_err(|error| error.with_moved(filled))? {
                return Ok(filled);
            }
        }
    }

    /// Reads all up to the end of the stream, however much that is.
    ///
    /// # Errors
    /// Those of what it is a stream on. What was read stays in the stream, and `moved()` says how much that is.
    ///
    /// # Cancellation
    /// As after an error: nothing is lost, and it may be tried again.
    #[doc(alias = "readall")]
    pub async fn read_all(&mut self) -> Result<Vec<u8>> {
        self.buffer_up_to(usize::MAX).await?;
        Ok(self.buffer.take(usize::MAX))
    }

    /// As [`Stream::read_all`], as text.
    ///
    /// # Errors
    /// As [`Stream::read_all`]; [`Error::Io`] also if it is not UTF-8. It stays in the stream then.
    ///
    /// # Cancellation
    /// As [`Stream::read_all`].
    #[doc(alias = "read")]
    pub async fn read_to_string(&mut self) -> Result<String> {
        self.buffer_up_to(usize::MAX).await?;
        if let Err(error) = std::str::from_utf8(self.buffer.as_slice()) {
            return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        let text = String::from_utf8(self.buffer.take(usize::MAX));
        Ok(text.expect("it was looked at"))
    }

    /// Reads a line, with its end. The last one may have none. It is empty at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Limit`] if the line is longer than [`Stream::set_max_line`] allows: it stays in the stream. Those of
    /// what it is a stream on.
    ///
    /// # Cancellation
    /// What was read of the line stays in the stream.
    #[doc(alias = "readline")]
    pub async fn read_line(&mut self) -> Result<Vec<u8>> {
        let len = self.buffer_line().await?;
        Ok(self.buffer.take(len))
    }

    /// As [`Stream::read_line`], into a vector whose contents are replaced. Returns how long the line is; 0 at the
    /// end of the stream.
    ///
    /// ```no_run
    /// # async fn example(mut stream: curio::io::SocketStream) -> curio::Result<()> {
    /// let mut line = Vec::new();
    /// while stream.read_line_into(&mut line).await? > 0 {
    ///     println!("{}", line.escape_ascii());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Stream::read_line`]. The vector is empty then.
    ///
    /// # Cancellation
    /// As [`Stream::read_line`].
    pub async fn read_line_into(&mut self, line: &mut Vec<u8>) -> Result<usize> {
        line.clear();
        let len = self.buffer_line().await?;
        line.extend_from_slice(&self.buffer.as_slice()[..len]);
        self.buffer.consume(len);
        Ok(len)
    }

    /// Reads all lines up to the end of the stream, with their ends.
    ///
    /// # Errors
    /// As [`Stream::read_line`]. All that was read stays in the stream, and `moved()` says how many bytes that are.
    ///
    /// # Cancellation
    /// As after an error: nothing is lost. What lines have come can be read one by one.
    #[doc(alias = "readlines")]
    #[doc(alias = "lines_read")]
    pub async fn read_lines(&mut self) -> Result<Vec<Vec<u8>>> {
        self.buffer_up_to(usize::MAX).await?;
        let all = self.buffer.as_slice();
        if let Some(line) = lines_of(all).find(|line| line.len() > self.max_line) {
            return Err(self.too_long(line.len()).with_moved(all.len()));
        }
        let lines = lines_of(all).map(<[u8]>::to_vec).collect();
        self.buffer.consume(usize::MAX);
        Ok(lines)
    }

    /// The lines that come, one after the other.
    pub fn lines(&mut self) -> Lines<'_, T> {
        Lines::new(self)
    }

    /// Reads on, unless so much was read in advance already, and returns whether it is there; if not, the stream ends
    /// before.
    ///
    /// # Errors
    /// Those of what it is a stream on; `moved()` says how much is there.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn buffer_up_to(&mut self, count: usize) -> Result<bool> {
        while self.buffer.len() < count {
            match self.fill(count - self.buffer.len()).await {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => return Err(error.with_moved(self.buffer.len())),
            }
        }
        Ok(true)
    }

    /// Reads what is there at once, into the buffer. What can't be read any more has nothing to add.
    pub(crate) fn buffer_what_is_there(&mut self) {
        while let Ok(Some(data)) = self.io.try_recv(READ_SIZE) {
            if data.is_empty() {
                break;
            }
            self.buffer.push(data);
        }
    }

    /// Reads until there is a line, and returns how long it is.
    async fn buffer_line(&mut self) -> Result<usize> {
        loop {
            if let Some(line) = self.line_here()? {
                return Ok(line);
            }
            if !self.fill(0).await? {
                return Ok(self.buffer.len());
            }
        }
    }

    /// How long the line is that is there, if one is.
    pub(super) fn line_here(&mut self) -> Result<Option<usize>> {
        let line = self.buffer.line_len();
        let len = line.unwrap_or(self.buffer.len());
        if len > self.max_line {
            return Err(self.too_long(len));
        }
        Ok(line)
    }

    fn too_long(&self, len: usize) -> Error {
        let max = self.max_line;
        Error::Limit(format!(
            "a line of {len} bytes or more; Stream::set_max_line allows {max}"
        ))
    }

    /// Reads once, and returns whether anything came; if not, the stream ends. So much is wanted.
    async fn fill(&mut self, wanted: usize) -> Result<bool> {
        let max = wanted.max(self.io.read_size()).clamp(1, MAX_READ);
        loop {
            if let Some(data) = self.io.try_recv(max)? {
                let any = !data.is_empty();
                self.buffer.push(data);
                return Ok(any);
            }
            self.give_up();
            self.io.read_wait().await?;
        }
    }
}

fn lines_of(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split_inclusive(|byte| *byte == b'\n')
}
