//! Standard output and error, written to without ever making the kernel's thread wait.
//!
//! Whoever reads them may stop to, and what a guest writes must not stop the kernel then.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;
use nix::libc::{O_NOCTTY, O_NONBLOCK, PIPE_BUF};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The host's own standard output and error.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) stdout: Arc<Output>,
    pub(crate) stderr: Arc<Output>,
}

impl Outputs {
    /// Looks how each can be written to.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            stdout: Arc::new(Output::new(io::stdout().as_fd())?),
            stderr: Arc::new(Output::stderr()?),
        })
    }
}

/// One of the two, as something to write to.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    way: Way,
    is_terminal: bool,
    /// By which the background threads tell when it can be written to. Made when it first can't.
    waiter: OnceLock<AsyncFd<OwnedFd>>,
}

/// How a write is kept from blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It can't, as with a file on a disk, or the descriptor is in non-blocking mode and our own.
    ByItself,
    /// Each call says so.
    Socket,
    /// The system is asked first. If another process writes to the same pipe, it may have got in between; and a
    /// terminal may take less than it is given. Only where the pipe or terminal is another user's.
    Asked,
}

impl Output {
    /// Standard error.
    ///
    /// # Errors
    /// If the process has no descriptor left.
    pub(crate) fn stderr() -> io::Result<Self> {
        Self::new(io::stderr().as_fd())
    }

    /// What a descriptor leads to.
    pub(crate) fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let file = File::from(fd.try_clone_to_owned()?);
        let kind = file.metadata()?.file_type();
        let (file, way) = if kind.is_file() {
            (file, Way::ByItself)
        } else if kind.is_socket() {
            (file, Way::Socket)
        } else {
            match reopen(&file) {
                Ok(own) => (own, Way::ByItself),
                Err(_) => (file, Way::Asked),
            }
        };
        Ok(Self {
            is_terminal: file.is_terminal(),
            file,
            way,
            waiter: OnceLock::new(),
        })
    }

    /// Whether it is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes as much as is taken at once; returns how much that was.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing is, and whatever the system says.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = match self.way {
                Way::ByItself => (&self.file).write(bytes),
                Way::Socket => {
                    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                    send(self.file.as_raw_fd(), bytes, flags).map_err(io::Error::from)
                }
                Way::Asked if is_writable(self.file.as_fd(), PollTimeout::ZERO)? => {
                    // A pipe that takes anything takes as much as this.
                    (&self.file).write(&bytes[..bytes.len().min(PIPE_BUF)])
                }
                Way::Asked => Err(io::ErrorKind::WouldBlock.into()),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) if !bytes.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
                written => return written,
            }
        }
    }

    /// Writes everything, and makes the thread wait if it has to, but not for longer than a time in which
    /// nothing is taken. What is left then is lost.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(crate) fn write_all_within(
        &self,
        mut bytes: &[u8],
        patience: PollTimeout,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !is_writable(self.file.as_fd(), patience)? {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does something that writes, as often as is needed until it no longer would block. Waits in
    /// between, without the thread. Needs the background threads' runtime around it.
    ///
    /// # Errors
    /// If the system can't tell when it would no longer block, and whatever `attempt` fails with.
    pub(crate) async fn retry<T>(
        &self,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let waiter = if let Some(waiter) = self.waiter.get() {
            waiter
        } else {
            // Of its own, since the descriptor itself may be waited for elsewhere in the process.
            let own = self.file.as_fd().try_clone_to_owned()?;
            #[expect(
                unsafe_code,
                reason = "the only way in tokio to wait for any descriptor"
            )]
            // SAFETY: an `OwnedFd` is one open descriptor for as long as it lives.
            let waiter = unsafe { AsyncFd::register_with_interest(own, Interest::WRITABLE) }?;
            self.waiter.get_or_init(|| waiter)
        };
        waiter.async_io(Interest::WRITABLE, |_| attempt()).await
    }
}

/// Opens a pipe or terminal anew, so that non-blocking mode is this process's alone.
#[expect(
    clippy::disallowed_methods,
    reason = "the file is open already, the operator gave it"
)]
fn reopen(file: &File) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Whether a write would not block, or fail without blocking; waits for that.
fn is_writable(fd: BorrowedFd<'_>, patience: PollTimeout) -> io::Result<bool> {
    let mut polled = [PollFd::new(fd, PollFlags::POLLOUT)];
    loop {
        match poll(&mut polled, patience) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;

    fn open(fd: impl AsFd, way: Way) -> Output {
        let output = Output::new(fd.as_fd()).unwrap();
        assert_eq!(output.way, way);
        output
    }

    /// Writes until nothing more is taken; returns how much was.
    fn fill(output: &Output) -> usize {
        let mut filled = 0;
        loop {
            match output.write(&[b'x'; 10_000]) {
                Ok(written) => filled += written,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    return filled;
                }
            }
        }
    }

    fn check(output: &Output, mut reader: impl Read) {
        let filled = fill(output);
        assert!(filled >= 4096);
        let late = output.write_all_within(b"more", PollTimeout::from(10_u8));
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let retry = || output.retry(|| output.write(b"y"));
        let patience = Duration::from_millis(20);
        let late = runtime.block_on(async { tokio::time::timeout(patience, retry()).await });
        assert!(late.is_err());
        reader.read_exact(&mut vec![0; filled]).unwrap();
        assert_eq!(runtime.block_on(retry()).unwrap(), 1);

        drop(reader);
        let error = output.write(b"z").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_full_pipe_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let output = open(&writer, Way::ByItself);
        drop(writer);
        check(&output, reader);
    }

    #[test]
    fn a_full_pipe_that_can_t_be_opened_anew_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let mut output = open(&writer, Way::ByItself);
        output.file = File::from(OwnedFd::from(writer));
        output.way = Way::Asked;
        check(&output, reader);
    }

    #[test]
    fn a_full_socket_is_not_waited_for() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let output = open(&writer, Way::Socket);
        drop(writer);
        check(&output, reader);
    }

    #[test]
    fn a_file_is_written_where_it_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one ").unwrap();
        let output = open(&file, Way::ByItself);
        let patience = PollTimeout::ZERO;
        output.write_all_within(b"two ", patience).unwrap();
        file.write_all(b"three").unwrap();
        let mut text = String::new();
        io::Seek::rewind(&mut file).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two three");
    }
}
