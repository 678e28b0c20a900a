//! What is done with a path, and brings no handle.

use std::io;

use super::{Answer, FileError, Owner, Spot, lost, settle};
use crate::background::{Brought, Errand, Lane};
use crate::kernel::SourceKey;

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Telling what is known of it; of a symbolic link itself unless that is to be followed.
    Metadata { of: Spot, follow: bool },
    /// Making a directory, perhaps with those above it.
    CreateDirectory { at: Spot, parents: bool },
    /// Removing a file or link.
    RemoveFile { at: Spot },
    /// Removing an empty directory.
    RemoveDirectory { at: Spot },
    /// Giving it another name.
    Rename { from: Spot, to: Spot },
    /// Telling where a symbolic link leads.
    ReadLink { at: Spot },
}

/// Something that is being done with a path.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Operation {
    errand: Errand<io::Result<Answer>>,
}

impl Operation {
    /// Begins it.
    pub(crate) fn begin(owner: &mut Owner<'_>, lane: &Lane, task: Task) -> Self {
        let errand = owner.errand(lane);
        errand.send(move || settle(perform(task)));
        Self { errand }
    }

    /// How it has ended.
    pub(crate) fn finish(&self) -> Result<Answer, FileError> {
        match self.errand.bring() {
            Brought::Result(result) => Ok(result?),
            Brought::NotYet => Err(FileError::NotYet),
            Brought::Lost => Err(lost().into()),
            Brought::Nothing => Err(FileError::State("its end was told already")),
        }
    }

    /// What a task waits for until it is done.
    pub(crate) fn source(&self) -> SourceKey {
        self.errand.source()
    }

    /// To be called when it is dropped.
    pub(crate) fn close(self, owner: &mut Owner<'_>) {
        self.errand.close(owner.kernel);
    }
}

/// Does it.
fn perform(task: Task) -> io::Result<Answer> {
    match task {
        Task::Metadata { of, follow: true } => {
            let metadata = of.directory.metadata(&of.path)?;
            Ok(Answer::Metadata(metadata.into()))
        }
        Task::Metadata { of, follow: false } => {
            let metadata = of.directory.symlink_metadata(&of.path)?;
            Ok(Answer::Metadata(metadata.into()))
        }
        Task::CreateDirectory { at, parents } => {
            if parents {
                at.directory.create_dir_all(&at.path)?;
            } else {
                at.directory.create_dir(&at.path)?;
            }
            Ok(Answer::Done)
        }
        Task::RemoveFile { at } => {
            at.directory.remove_file(&at.path)?;
            Ok(Answer::Done)
        }
        Task::RemoveDirectory { at } => {
            at.directory.remove_dir(&at.path)?;
            Ok(Answer::Done)
        }
        Task::Rename { from, to } => {
            from.directory.rename(&from.path, &to.directory, &to.path)?;
            Ok(Answer::Done)
        }
        Task::ReadLink { at } => {
            let target = at.directory.read_link(&at.path)?;
            let target = target.into_os_string().into_string();
            let target = target.map_err(|_| io::Error::other("the link's target is not UTF-8"))?;
            Ok(Answer::Target(target))
        }
    }
}
