//! A file: its position, and what is under way with it.
//!
//! The position is the handle's own, and reads and writes name it. So what a cancelled read has read can wait for the
//! next one, or be forgotten: the position is where it was. One thing is under way at a time.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use nix::libc::{O_NOCTTY, O_NONBLOCK};

use super::{Answer, FileError, Metadata, Owner, Spot, lost, settle};
use crate::background::{Brought, Errand, Lane};
use crate::kernel::SourceKey;

/// How much is read or written at a time.
pub(crate) const MAX_BLOCK: usize = 256 * 1024;

/// How a file is opened.
#[expect(clippy::struct_excessive_bools, reason = "they are independent flags")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenFlags {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    pub(crate) truncate: bool,
    pub(crate) create: bool,
    pub(crate) create_new: bool,
}

impl OpenFlags {
    /// Whether it changes anything, or lets anything be changed.
    pub(crate) fn changes(self) -> bool {
        self.write || self.append || self.truncate || self.create || self.create_new
    }

    /// Checks that the flags go together.
    pub(crate) fn check(self) -> Result<(), FileError> {
        let writes = self.write || self.append;
        if !self.read && !writes {
            return Err(FileError::Argument(
                "a file is opened for reading, writing or appending",
            ));
        }
        if self.truncate && (!self.write || self.append) {
            return Err(FileError::Argument(
                "a file is only cut when it is opened for writing, not for appending",
            ));
        }
        if (self.create || self.create_new) && !writes {
            return Err(FileError::Argument(
                "a file is only made when it is opened for writing or appending",
            ));
        }
        Ok(())
    }
}

/// A file, or one that is to be.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct File {
    /// Nothing until it is opened.
    open: Option<Arc<fs::File>>,
    append: bool,
    position: u64,
    errand: Errand<Done>,
    /// How the last thing that was begun has ended, until that is told.
    end: Option<io::Result<Answer>>,
    /// What was read, and not asked for yet.
    ahead: Option<Ahead>,
    /// How much memory is taken for what is under way, or was read.
    held: usize,
}

/// What was read at a position.
#[derive(Debug)]
struct Ahead {
    at: u64,
    read: io::Result<Vec<u8>>,
}

/// What an errand brings.
#[derive(Debug)]
enum Done {
    Opened(io::Result<Arc<fs::File>>),
    Read(Ahead),
    /// How much was written, and the position behind it.
    Written(io::Result<(usize, u64)>),
    Other(io::Result<Answer>),
}

impl File {
    /// Begins to open a file.
    pub(crate) fn open(owner: &mut Owner<'_>, lane: &Lane, at: Spot, flags: OpenFlags) -> Self {
        let errand = owner.errand(lane);
        errand.send(move || Done::Opened(settle(open(&at, flags)).map(Arc::new)));
        Self {
            open: None,
            append: flags.append,
            position: 0,
            errand,
            end: None,
            ahead: None,
            held: 0,
        }
    }

    /// Reads from the position on, or brings what was read there.
    pub(crate) fn read(&mut self, owner: &mut Owner<'_>, max: usize) -> Result<Vec<u8>, FileError> {
        self.collect(owner)?;
        self.check_end()?;
        let file = self.file()?;
        if let Some(ahead) = self.ahead.take_if(|ahead| ahead.at == self.position) {
            let mut bytes = match ahead.read {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.let_go(owner);
                    return Err(error.into());
                }
            };
            if bytes.len() > max {
                let rest = bytes.split_off(max);
                self.ahead = Some(Ahead {
                    at: self.position + max as u64,
                    read: Ok(rest),
                });
            } else {
                self.let_go(owner);
            }
            self.position += bytes.len() as u64;
            return Ok(bytes);
        }
        let max = max.min(MAX_BLOCK);
        if max == 0 {
            return Ok(Vec::new());
        }
        self.hold(owner, max)?;
        let at = self.position;
        self.errand.send(move || {
            let read = settle(read(&file, at, max));
            Done::Read(Ahead { at, read })
        });
        Err(FileError::NotYet)
    }

    /// Checks that nothing is under way.
    pub(crate) fn check_idle(&mut self, owner: &mut Owner<'_>) -> Result<(), FileError> {
        self.collect(owner)
    }

    /// Begins to write.
    pub(crate) fn write(
        &mut self,
        owner: &mut Owner<'_>,
        mut data: Vec<u8>,
    ) -> Result<(), FileError> {
        let file = self.begin(owner)?;
        data.truncate(MAX_BLOCK);
        self.hold(owner, data.len())?;
        let (append, at) = (self.append, self.position);
        self.errand.send(move || {
            Done::Written(settle(if append {
                append_to(&file, &data)
            } else {
                retry(|| file.write_at(&data, at)).map(|written| (written, at + written as u64))
            }))
        });
        Ok(())
    }

    /// Begins to set the length.
    pub(crate) fn set_length(
        &mut self,
        owner: &mut Owner<'_>,
        length: u64,
    ) -> Result<(), FileError> {
        let file = self.begin(owner)?;
        self.send(move || file.set_len(length).map(|()| Answer::Done));
        Ok(())
    }

    /// Begins to wait until everything is on the disk.
    pub(crate) fn sync(&mut self, owner: &mut Owner<'_>, data_only: bool) -> Result<(), FileError> {
        let file = self.begin(owner)?;
        self.send(move || {
            let synced = if data_only {
                file.sync_data()
            } else {
                file.sync_all()
            };
            synced.map(|()| Answer::Done)
        });
        Ok(())
    }

    /// Begins to ask for the metadata.
    pub(crate) fn metadata(&mut self, owner: &mut Owner<'_>) -> Result<(), FileError> {
        let file = self.begin(owner)?;
        self.send(move || {
            let metadata = cap_std::fs::Metadata::from_file(&file)?;
            Ok(Answer::Metadata(Metadata::from(metadata)))
        });
        Ok(())
    }

    /// How the last thing that was begun has ended.
    pub(crate) fn finish(&mut self, owner: &mut Owner<'_>) -> Result<Answer, FileError> {
        self.collect(owner)?;
        match self.end.take() {
            Some(end) => Ok(end?),
            None => Err(FileError::State(
                "nothing was begun, or its end was told already",
            )),
        }
    }

    /// The position.
    pub(crate) fn position(&mut self, owner: &mut Owner<'_>) -> Result<u64, FileError> {
        self.collect(owner)?;
        Ok(self.position)
    }

    /// Sets the position.
    pub(crate) fn set_position(
        &mut self,
        owner: &mut Owner<'_>,
        position: u64,
    ) -> Result<(), FileError> {
        self.collect(owner)?;
        if i64::try_from(position).is_err() {
            return Err(FileError::Argument("a position is less than 2^63"));
        }
        self.position = position;
        Ok(())
    }

    /// What a task waits for until nothing is under way.
    pub(crate) fn source(&self) -> SourceKey {
        self.errand.source()
    }

    /// Gives a descriptor of it away, to a program of the host's that goes on from the position.
    pub(crate) fn give_away(&mut self, owner: &mut Owner<'_>) -> Result<OwnedFd, FileError> {
        if matches!(self.collect(owner), Err(FileError::NotYet)) {
            return Err(FileError::State("something is under way with the file"));
        }
        self.check_end()?;
        let file = self.file()?;
        (&*file).seek(SeekFrom::Start(self.position))?;
        let given = file.as_fd().try_clone_to_owned()?;
        rustix::io::ioctl_fionbio(&given, false).map_err(io::Error::from)?;
        Ok(given)
    }

    /// To be called when it is dropped. Closing can take long, if it removes the file from the disk.
    pub(crate) fn close(mut self, owner: &mut Owner<'_>, lane: &Lane) {
        self.let_go(owner);
        self.errand.close(owner.kernel);
        if let Some(file) = self.open.take() {
            lane.send(Box::new(move || drop(file)));
        }
    }

    /// Takes what was brought; nothing is under way then.
    fn collect(&mut self, owner: &mut Owner<'_>) -> Result<(), FileError> {
        let done = match self.errand.bring() {
            Brought::Nothing => return Ok(()),
            Brought::NotYet => return Err(FileError::NotYet),
            Brought::Lost => Done::Other(Err(lost())),
            Brought::Result(done) => done,
        };
        match done {
            Done::Read(ahead) => {
                // Only what was read counts from now on.
                let read = ahead.read.as_ref().map_or(0, Vec::len);
                owner.give_memory(self.held.saturating_sub(read));
                self.held = self.held.min(read);
                self.ahead = Some(ahead);
                return Ok(());
            }
            Done::Opened(opened) => {
                self.end = Some(opened.map(|file| {
                    self.open = Some(file);
                    Answer::Done
                }));
            }
            Done::Written(written) => {
                self.end = Some(written.map(|(written, position)| {
                    self.position = position;
                    Answer::Written(written)
                }));
            }
            Done::Other(end) => self.end = Some(end),
        }
        self.let_go(owner);
        Ok(())
    }

    /// Checks that what was begun last has not failed without anybody asking about it.
    fn check_end(&mut self) -> Result<(), FileError> {
        match self.end.take() {
            Some(Err(error)) => Err(error.into()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Sees to it that something else can be begun. What was read ahead may be no longer true after that.
    fn begin(&mut self, owner: &mut Owner<'_>) -> Result<Arc<fs::File>, FileError> {
        self.collect(owner)?;
        self.check_end()?;
        self.ahead = None;
        self.let_go(owner);
        self.file()
    }

    fn send(&self, work: impl FnOnce() -> io::Result<Answer> + Send + 'static) {
        self.errand.send(move || Done::Other(settle(work())));
    }

    fn file(&self) -> Result<Arc<fs::File>, FileError> {
        let file = self.open.clone();
        file.ok_or(FileError::State("the file was not opened"))
    }

    /// Takes memory for what an errand will hold, in place of what the last one held.
    fn hold(&mut self, owner: &mut Owner<'_>, bytes: usize) -> Result<(), FileError> {
        self.ahead = None;
        self.let_go(owner);
        owner.take_memory(bytes)?;
        self.held = bytes;
        Ok(())
    }

    fn let_go(&mut self, owner: &mut Owner<'_>) {
        owner.give_memory(std::mem::take(&mut self.held));
    }
}

/// Opens a file that can be read at any position. Opening a pipe, or reading a terminal, might never end.
fn open(at: &Spot, flags: OpenFlags) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options
        .read(flags.read)
        .write(flags.write)
        .append(flags.append)
        .truncate(flags.truncate)
        .create(flags.create)
        .create_new(flags.create_new)
        .custom_flags(O_NONBLOCK | O_NOCTTY);
    let file = at.directory.open_with(&at.path, &options)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = file.into_std();
    if !kind.is_file() && file.stream_position().is_err() {
        let what = "it is a pipe, socket or terminal, none of which can be opened as a file";
        return Err(io::Error::new(io::ErrorKind::Unsupported, what));
    }
    Ok(file)
}

/// Reads what the system gives at once; nothing at the end.
fn read(file: &fs::File, at: u64, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; max];
    let read = retry(|| file.read_at(&mut bytes, at))?;
    bytes.truncate(read);
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Writes at the end; returns how much, and where the end is then.
fn append_to(mut file: &fs::File, data: &[u8]) -> io::Result<(usize, u64)> {
    let written = retry(|| file.write(data))?;
    Ok((written, file.stream_position()?))
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
