//! TLS connections as what carries bytes.

use std::rc::Rc;
use std::task::{Context, Poll};

use super::TlsStream;
use super::stream::MAX_SEND;
use crate::error::{Result, tried};
use crate::io::{RawIo, Stream};
use crate::traps::PollWait;

/// As long as the handshake is not done, nothing can be received or sent, and who waits makes it.
impl RawIo for TlsStream {
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
        if !self.handshake.is_done() {
            return Ok(None);
        }
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        tried(self.handle().recv(max))
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        if !self.handshake.is_done() {
            return Ok(None);
        }
        let data = &data[..data.len().min(MAX_SEND)];
        let Some(taken) = tried(self.handle().send(data))? else {
            return Ok(None);
        };
        self.keeps.set(taken.kept);
        Ok(Some(taken.bytes as usize))
    }

    fn try_flush(&self) -> Result<Option<()>> {
        if !self.handshake.is_done() {
            // Nothing was sent.
            return Ok(Some(()));
        }
        let flushed = tried(self.handle().flush())?;
        self.keeps.set(flushed.is_none());
        Ok(flushed)
    }

    fn try_end(&self) -> Result<Option<()>> {
        if !self.handshake.is_done() {
            return Ok(None);
        }
        tried(self.handle().close_notify())
    }

    fn wants_flush(&self) -> bool {
        self.keeps.get()
    }

    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !self.handshake.is_done() {
            return self.poll_handshake(cx);
        }
        if !std::ptr::eq(wait, self.reading()) {
            self.reading.give_up_own();
        }
        wait.poll(cx, |by| self.handle().read_wait(by))
    }

    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !self.handshake.is_done() {
            return self.poll_handshake(cx);
        }
        if !std::ptr::eq(wait, self.writing()) {
            self.writing.give_up_own();
        }
        wait.poll(cx, |by| self.handle().write_wait(by))
    }

    async fn read_wait(&self) -> Result<()> {
        if self.handshake.is_done() {
            self.wait_to_read().await
        } else {
            self.do_handshake().await
        }
    }

    async fn write_wait(&self) -> Result<()> {
        if self.handshake.is_done() {
            self.wait_to_write().await
        } else {
            self.do_handshake().await
        }
    }
}

impl TlsStream {
    /// Polls the handshake, which all who poll share.
    fn poll_handshake(&self, cx: &Context<'_>) -> Poll<Result<()>> {
        let handshake = self.handshake.clone();
        (self.polled).poll(cx, || async move { handshake.make().await })
    }

    /// The wait of those who read by polling.
    pub(crate) fn reading(&self) -> &PollWait {
        &self.reading
    }

    /// The wait of those who write by polling.
    pub(crate) fn writing(&self) -> &PollWait {
        &self.writing
    }

    /// A stream on the connection, which it takes. [`Stream::end`] tells the peer that no more comes.
    ///
    /// ```no_run
    /// # async fn example(context: &curio::ssl::ClientContext) -> curio::Result<()> {
    /// use curio::ssl;
    ///
    /// let tls = ssl::open_tls_connection(("example.org", 443), None, context).await?;
    /// let mut stream = tls.into_stream();
    /// stream.write(b"HEAD / HTTP/1.0\r\nHost: example.org\r\n\r\n").await?;
    /// for line in stream.read_lines().await? {
    ///     println!("{}", line.escape_ascii());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "makefile")]
    pub fn into_stream(self) -> Stream<Self> {
        Stream::new(self)
    }

    /// A stream on the connection, which stays the program's. What the stream has read and not given is lost when it
    /// is dropped: see [`Stream::into_parts`].
    pub fn as_stream(&self) -> Stream<&Self> {
        Stream::new(self)
    }

    /// Two streams on the connection, for a task that reads and one that writes. It is closed when both are dropped.
    pub fn make_streams(self) -> (Stream<Rc<Self>>, Stream<Rc<Self>>) {
        let connection = Rc::new(self);
        (Stream::new(connection.clone()), Stream::new(connection))
    }
}
