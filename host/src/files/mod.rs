//! Files and directories, under the directories that were granted. What takes time is an errand; nothing here waits.
//!
//! Invariant: every path is opened by `cap-std`, from the directory of the grant that covers it.
//!
//! - `directories`: those that were granted, open
//! - `file`, `directory`, `operation`: what stands behind a guest's handles
//! - `metadata`: what is known of a file

mod directories;
mod directory;
mod file;
mod metadata;
mod operation;

use std::io;

pub(crate) use self::directories::{Directories, NoSuchDirectory, Spot};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::directory::Directory;
pub(crate) use self::directory::Entry;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::file::File;
pub(crate) use self::file::{MAX_BLOCK, OpenFlags};
pub(crate) use self::metadata::{Kind, Metadata};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::operation::Operation;
pub(crate) use self::operation::Task;
use crate::background::{Errand, Lane};
use crate::kernel::{InstanceKey, Kernel};

/// Why something can't be done with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It is not done yet.
    #[error("not done yet")]
    NotYet,
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The handle is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(&'static str),
    /// There is no memory for what it brings.
    #[error(transparent)]
    Limit(#[from] crate::limits::LimitExceeded),
}

/// How something that was begun has ended well.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Written(usize),
    Metadata(Metadata),
    Target(String),
}

/// Whose handle it is, for as long as something is done with it.
pub(crate) struct Owner<'a> {
    pub(crate) kernel: &'a mut Kernel,
    pub(crate) key: InstanceKey,
}

impl Owner<'_> {
    fn errand<T: Send + 'static>(&mut self, lane: &Lane) -> Errand<T> {
        Errand::new(self.kernel, self.key, lane)
    }

    fn take_memory(&mut self, bytes: usize) -> Result<(), FileError> {
        let budget = self.kernel.instance(self.key).budget();
        Ok(budget.take_memory(bytes as u64)?)
    }

    fn give_memory(&mut self, bytes: usize) {
        let budget = self.kernel.instance(self.key).budget();
        budget.give_memory(bytes as u64);
    }
}

/// The host's own mistake, told to the guest that it hit.
fn lost() -> io::Error {
    io::Error::other("the host failed to do this")
}

/// What an errand ends with. The system has its own reasons for saying that something would block, a lease say, but
/// a guest that waited would wait for ever.
fn settle<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::other("someone else keeps the file from being used")
        }
        _ => error,
    })
}
