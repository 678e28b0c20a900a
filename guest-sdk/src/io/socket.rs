//! Sockets as what carries bytes.

use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{RawIo, SocketStream, Stream};
use crate::bindings::types;
use crate::error::{Error, Result};
use crate::socket::{MAX_SEND, Socket};
use crate::traps::PollWait;

/// `None` of what would block.
fn tried<T>(socket: &Socket, result: Result<T, types::Error>) -> Result<Option<T>> {
    match result {
        Err(types::Error::WouldBlock) => Ok(None),
        result => socket.told(result).map(Some),
    }
}

impl RawIo for Socket {
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        tried(self, self.handle().recv(max))
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        let sent = tried(self, self.handle().send(&data[..data.len().min(MAX_SEND)]))?;
        Ok(sent.map(|sent| sent as usize))
    }

    fn try_end(&self) -> Result<Option<()>> {
        match self.shutdown(Shutdown::Write) {
            // The peer was quicker, and has hung up.
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(Some(())),
            ended => ended.map(Some),
        }
    }

    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !std::ptr::eq(wait, self.reading()) {
            self.reading().give_up_own();
        }
        wait.poll(cx, |by| self.handle().read_wait(by))
    }

    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !std::ptr::eq(wait, self.writing()) {
            self.writing().give_up_own();
        }
        wait.poll(cx, |by| self.handle().write_wait(by))
    }
}

impl Socket {
    /// A stream on the socket, which it takes.
    #[doc(alias = "makefile")]
    pub fn into_stream(self) -> SocketStream {
        Stream::new(self)
    }

    /// A stream on the socket, which stays the program's. What the stream has read and not given is lost when it
    /// is dropped: see [`Stream::into_parts`].
    pub fn as_stream(&self) -> Stream<&Self> {
        Stream::new(self)
    }

    /// Two streams on the socket, for a task that reads and one that writes. The socket is closed when both are
    /// dropped.
    ///
    /// ```no_run
    /// # async fn example(socket: curio::Socket) -> curio::Result<()> {
    /// let (mut reader, mut writer) = socket.make_streams();
    /// let answers = curio::spawn(async move { reader.read_lines().await });
    /// writer.write(b"one\ntwo\n").await?;
    /// writer.end().await?;
    /// println!("{} lines came back", answers.join().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn make_streams(self) -> (Stream<Rc<Self>>, Stream<Rc<Self>>) {
        let socket = Rc::new(self);
        (Stream::new(socket.clone()), Stream::new(socket))
    }
}
