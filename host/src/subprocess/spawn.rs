//! Starting a program: by the system's `posix_spawn`, which copies nothing of this process for it.
//!
//! The standard library's way would pass on this thread's signal mask, and with it that the signals are blocked which
//! the host reads from a descriptor.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use super::ChildError;
use crate::closer::ClosedLater;

/// Where one of a child's standard streams leads.
#[derive(Debug)]
pub(crate) enum Stream {
    /// To the host's own.
    Inherit,
    /// Nowhere.
    Null,
    /// Into a pipe, whose other end is to be given back.
    Pipe,
    /// Where standard output leads.
    Stdout,
    /// To this.
    Given(ClosedLater),
}

/// What is to be run, and how.
#[derive(Debug)]
pub(crate) struct Command {
    /// An absolute path.
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: Option<OwnedFd>,
    pub(crate) streams: [Stream; 3],
    /// Whether it leads a process group of its own.
    pub(crate) own_group: bool,
}

/// What was started: its number, and the other ends of its pipes.
pub(super) type Started = (Pid, [Option<OwnedFd>; 3]);

impl Command {
    /// How many pipes it needs.
    pub(crate) fn pipes(&self) -> u32 {
        let streams = self.streams.iter();
        let pipes = streams.filter(|stream| matches!(stream, Stream::Pipe));
        u32::try_from(pipes.count()).expect("there are three streams")
    }

    /// Checks that its words can be passed to a program.
    pub(crate) fn check(&self) -> Result<(), ChildError> {
        for (name, _) in &self.environment {
            if name.is_empty() || name.contains('=') {
                return Err(ChildError::Argument(
                    "the name of a variable is not empty, and has no = in it",
                ));
            }
        }
        if matches!(self.streams[..2], [Stream::Stdout, _] | [_, Stream::Stdout]) {
            return Err(ChildError::Argument(
                "only standard error can lead where standard output does",
            ));
        }
        Ok(())
    }

    /// Starts it. What was given to it is closed here, however that goes.
    pub(super) fn start(self) -> Result<Started, ChildError> {
        let program = text(self.program.into_os_string().into_vec())?;
        let args = self
            .args
            .into_iter()
            .map(text)
            .collect::<Result<Vec<_>, _>>()?;
        let variables = self.environment.into_iter();
        let variables = variables.map(|(name, value)| text(format!("{name}={value}")));
        let environment = variables.collect::<Result<Vec<_>, _>>()?;

        let mut actions = PosixSpawnFileActions::init().map_err(io::Error::from)?;
        // They have to stay open until the program is started.
        let mut theirs = Vec::new();
        let mut given = Vec::new();
        let mut ours = [None, None, None];
        for (number, stream) in (0..).zip(self.streams) {
            let end = match stream {
                Stream::Inherit => continue,
                Stream::Stdout => {
                    actions.add_dup2(1, number).map_err(io::Error::from)?;
                    continue;
                }
                Stream::Null => NULL.as_ref().map_err(copy)?.as_fd().try_clone_to_owned()?,
                Stream::Given(end) => {
                    actions
                        .add_dup2(end.as_fd().as_raw_fd(), number)
                        .map_err(io::Error::from)?;
                    given.push(end);
                    continue;
                }
                Stream::Pipe => {
                    let (reader, writer) = io::pipe()?;
                    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
                    let (theirs, own) = if number == 0 {
                        (reader, writer)
                    } else {
                        (writer, reader)
                    };
                    rustix::io::ioctl_fionbio(&own, true)?;
                    ours[usize::try_from(number).expect("there are three")] = Some(own);
                    theirs
                }
            };
            actions
                .add_dup2(end.as_raw_fd(), number)
                .map_err(io::Error::from)?;
            theirs.push(end);
        }
        let directory = self.directory.as_ref().map(AsFd::as_fd);
        enter_and_close(&mut actions, directory)?;

        let attributes = attributes(self.own_group).map_err(io::Error::from)?;
        let started = posix_spawn(&*program, &actions, &attributes, &args, &environment);
        Ok((started.map_err(io::Error::from)?, ours))
    }
}

/// `/dev/null`, opened once.
#[expect(clippy::disallowed_methods, reason = "it is no file of anybody's")]
static NULL: LazyLock<io::Result<File>> =
    LazyLock::new(|| File::options().read(true).write(true).open("/dev/null"));

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("/dev/null: {error}"))
}

fn text(bytes: impl Into<Vec<u8>>) -> Result<CString, ChildError> {
    CString::new(bytes).map_err(|_| ChildError::Argument("a text has a NUL in it"))
}

/// No signal is blocked and none ignored, whatever that is like here.
fn attributes(own_group: bool) -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    let mut flags =
        PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::all())?;
    if own_group {
        flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
        attributes.set_pgroup(Pid::from_raw(0))?;
    }
    attributes.set_flags(flags)?;
    Ok(attributes)
}

/// The descriptors that a child may have: its standard streams.
const FIRST_STRAY: RawFd = 3;

/// Has the child enter a directory, and close everything but its streams: some of what this process was started with
/// may not be marked to be closed.
#[expect(unsafe_code, reason = "nix has no names for these two")]
fn enter_and_close(
    actions: &mut PosixSpawnFileActions,
    directory: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let actions = (&raw mut *actions).cast::<libc::posix_spawn_file_actions_t>();
    let mut failed = 0;
    if let Some(directory) = directory {
        // SAFETY: `PosixSpawnFileActions` is a transparent wrapper of the type that it is cast to, and initialised;
        // the call adds a number to it.
        failed =
            unsafe { libc::posix_spawn_file_actions_addfchdir_np(actions, directory.as_raw_fd()) };
    }
    if failed == 0 {
        // SAFETY: as above.
        failed = unsafe { libc::posix_spawn_file_actions_addclosefrom_np(actions, FIRST_STRAY) };
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(failed))
    }
}
