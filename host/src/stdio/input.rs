//! Standard input, for one instance.
//!
//! Invariant: a thread that reads is never left behind. What may have nothing to read is watched by the kernel, and read
//! when there is something; what can't be watched, a file or `/dev/null`, always answers soon, on another thread.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::Arc;

use nix::libc::{O_NOCTTY, O_NONBLOCK};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};

use crate::background::{Brought, Errand, Lane};
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};

/// An instance's standard input.
#[derive(Debug)]
pub(crate) struct Input {
    file: Arc<File>,
    way: Way,
}

/// How it is read.
#[derive(Debug)]
enum Way {
    /// The kernel watches it.
    Watched {
        how: How,
        source: SourceKey,
        readiness: Arc<Readiness>,
    },
    /// It is read on another thread.
    Errand {
        errand: Errand<io::Result<Vec<u8>>>,
        /// What was read, and not asked for yet.
        ahead: Vec<u8>,
    },
}

/// How reading is kept from blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The descriptor is in non-blocking mode, and our own.
    Own,
    /// Each call says so.
    Socket,
    /// The system is asked first. If another process reads from the same pipe, it may have got in between.
    Asked,
}

impl Input {
    /// What a descriptor leads to.
    ///
    /// # Errors
    /// If the process has no descriptor left, or the kernel can't watch it.
    pub(crate) fn new(
        fd: BorrowedFd<'_>,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
    ) -> io::Result<Self> {
        let shared = File::from(fd.try_clone_to_owned()?);
        let kind = shared.metadata()?.file_type();
        if kind.is_file() || kind.is_dir() {
            return Ok(Self::by_errands(shared, kernel, owner, lane));
        }
        let (file, how) = if kind.is_socket() {
            (shared, How::Socket)
        } else {
            match reopen(&shared) {
                Ok(own) if kind.is_fifo() || kind.is_char_device() => (own, How::Own),
                Ok(_) | Err(_) => (shared, How::Asked),
            }
        };
        match kernel.watch(Some(owner), file.as_fd()) {
            Ok((source, readiness)) => Ok(Self {
                file: Arc::new(file),
                way: Way::Watched {
                    how,
                    source,
                    readiness,
                },
            }),
            // As with a file: there is always something to read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(Self::by_errands(file, kernel, owner, lane))
            }
            Err(error) => Err(error),
        }
    }

    fn by_errands(file: File, kernel: &mut Kernel, owner: InstanceKey, lane: &Lane) -> Self {
        Self {
            file: Arc::new(file),
            way: Way::Errand {
                errand: Errand::new(kernel, owner, lane),
                ahead: Vec::new(),
            },
        }
    }

    /// Reads what is there; nothing at the end.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing is there, and whatever the system says.
    pub(crate) fn read(&mut self, max: usize) -> io::Result<Vec<u8>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        match &mut self.way {
            Way::Watched { how, readiness, .. } => {
                if !readiness.get(Direction::Read) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                let mut bytes = vec![0; max];
                let read = read(&self.file, *how, &mut bytes);
                if let Err(error) = &read
                    && error.kind() == io::ErrorKind::WouldBlock
                {
                    readiness.clear(Direction::Read);
                }
                bytes.truncate(read?);
                Ok(bytes)
            }
            Way::Errand { errand, ahead } => {
                if ahead.is_empty() {
                    match errand.bring() {
                        Brought::Result(read) => *ahead = read?,
                        Brought::Lost => return Err(io::Error::other("the host failed to read")),
                        Brought::NotYet => return Err(io::ErrorKind::WouldBlock.into()),
                        Brought::Nothing => {
                            let file = self.file.clone();
                            errand.send(move || {
                                let mut bytes = vec![0; max];
                                let read = retry(|| (&*file).read(&mut bytes))?;
                                bytes.truncate(read);
                                Ok(bytes)
                            });
                            return Err(io::ErrorKind::WouldBlock.into());
                        }
                    }
                }
                let rest = ahead.split_off(ahead.len().min(max));
                Ok(std::mem::replace(ahead, rest))
            }
        }
    }

    /// What a task waits for.
    pub(crate) fn source(&self) -> SourceKey {
        match &self.way {
            Way::Watched { source, .. } => *source,
            Way::Errand { errand, .. } => errand.source(),
        }
    }

    /// To be called when the instance ends: a descriptor that others share stays watched otherwise.
    pub(crate) fn close(self, kernel: &mut Kernel) {
        match self.way {
            Way::Watched { source, .. } => kernel.unwatch(source, self.file.as_fd()),
            Way::Errand { errand, .. } => errand.close(kernel),
        }
    }
}

/// Opens a pipe or terminal anew, so that non-blocking mode is this process's alone.
#[expect(
    clippy::disallowed_methods,
    reason = "the file is open already, the operator gave it"
)]
fn reopen(file: &File) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn read(mut file: &File, how: How, bytes: &mut [u8]) -> io::Result<usize> {
    retry(|| match how {
        How::Own => file.read(bytes),
        How::Socket => Ok(recv(file.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT)?),
        How::Asked => {
            let mut polled = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
            if poll(&mut polled, PollTimeout::ZERO)? == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            file.read(bytes)
        }
    })
}

/// Tries a system call again that a signal interrupted.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::background::Background;
    use crate::background::ERRANDS;
    use crate::kernel::MonotonicClock;
    use crate::limits::Limits;
    use crate::selector::MioSelector;

    struct Test {
        kernel: Kernel,
        input: Input,
    }

    fn test(fd: &impl AsFd) -> Test {
        let selector = Box::new(MioSelector::new().unwrap());
        let mut kernel = Kernel::new(selector, Box::new(MonotonicClock::new()));
        let owner = kernel.add_instance(Limits::default());
        let input = Input::new(fd.as_fd(), &mut kernel, owner, &Lane::new(ERRANDS)).unwrap();
        Test { kernel, input }
    }

    impl Test {
        fn how(&self) -> Option<How> {
            match self.input.way {
                Way::Watched { how, .. } => Some(how),
                Way::Errand { .. } => None,
            }
        }

        #[track_caller]
        fn would_block(&mut self) {
            let error = self.input.read(10).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        }

        /// What is read as soon as there is something.
        fn read(&mut self, max: usize) -> Vec<u8> {
            loop {
                match self.input.read(max) {
                    Ok(bytes) => return bytes,
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
                self.kernel.select(false).unwrap();
            }
        }

        fn check(mut self, mut writer: impl Write) {
            self.would_block();
            self.would_block();
            writer.write_all(b"one two").unwrap();
            assert_eq!(self.read(4), b"one ");
            assert_eq!(self.read(4), b"two");
            self.would_block();
            writer.write_all(b"last").unwrap();
            drop(writer);
            assert_eq!(self.read(9), b"last");
            assert_eq!(self.read(9), b"");
            assert_eq!(self.read(9), b"");
            self.input.close(&mut self.kernel);
        }
    }

    #[test]
    fn an_empty_pipe_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let test = test(&reader);
        assert_eq!(test.how(), Some(How::Own));
        test.check(writer);
    }

    #[test]
    fn a_pipe_that_can_t_be_opened_anew_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let mut test = test(&reader);
        let source = test.input.source();
        test.kernel.unwatch(source, test.input.file.as_fd());
        let file = File::from(reader.as_fd().try_clone_to_owned().unwrap());
        let owner = test.kernel.add_instance(Limits::default());
        let (source, readiness) = test.kernel.watch(Some(owner), file.as_fd()).unwrap();
        test.input.file = Arc::new(file);
        test.input.way = Way::Watched {
            how: How::Asked,
            source,
            readiness,
        };
        drop(reader);
        test.check(writer);
    }

    #[test]
    fn an_empty_socket_is_not_waited_for() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let test = test(&reader);
        assert_eq!(test.how(), Some(How::Socket));
        drop(reader);
        test.check(writer);
    }

    #[test]
    fn a_file_is_read_from_where_it_stands_on_another_thread() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before after").unwrap();
        file.seek(io::SeekFrom::Start(7)).unwrap();
        let mut test = test(&file);
        assert_eq!(test.how(), None);
        assert_eq!(test.read(9), b"after");
        assert_eq!(test.read(9), b"");
        file.seek(io::SeekFrom::Start(0)).unwrap();
        test.would_block();
        // What was asked for is there even if less is wanted then.
        assert_eq!(test.read(3), b"bef");
        assert_eq!(test.read(100), b"ore aft");
    }

    #[test]
    fn the_null_device_ends_at_once() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        #[expect(clippy::disallowed_methods, reason = "a test may open it")]
        let null = File::open("/dev/null").unwrap();
        let mut test = test(&null);
        assert_eq!(test.read(9), b"");
    }
}
