//! What a directory holds.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use super::FileKind;
use super::path::text;
use crate::bindings::files as kernel;
use crate::bindings::types;
use crate::error::Result;
use crate::traps::wait_for;

/// The entries of a directory, one after the other. Made by [`list_dir`].
pub struct ReadDir {
    handle: kernel::Directory,
    /// Those that have come, and were not asked for yet.
    entries: VecDeque<kernel::Entry>,
}

/// One of the things that are in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    name: String,
    kind: FileKind,
}

/// Opens a directory, to see what it holds. `.` and `..` are left out; the others come in no order.
///
/// # Errors
/// [`Error::Refused`](crate::Error::Refused) unless a `--dir` covers the path, [`Error::Io`](crate::Error::Io) if
/// there is no directory.
///
/// # Cancellation
/// Nothing is lost.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let mut folder = curio::file::list_dir("/data").await?;
/// while let Some(entry) = folder.next().await? {
///     println!("{} {:?}", entry.name(), entry.kind());
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "listdir")]
#[doc(alias = "scandir")]
pub async fn list_dir(path: impl AsRef<Path>) -> Result<ReadDir> {
    let mut folder = ReadDir {
        handle: kernel::Directory::open(&text(path.as_ref())?)?,
        entries: VecDeque::new(),
    };
    folder.fill().await?;
    Ok(folder)
}

impl ReadDir {
    /// The next entry, or none at the end.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io). Another attempt may follow.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn next(&mut self) -> Result<Option<DirEntry>> {
        if self.entries.is_empty() {
            self.fill().await?;
        }
        Ok(self.entries.pop_front().map(|entry| DirEntry {
            name: entry.name,
            kind: entry.kind.into(),
        }))
    }

    async fn fill(&mut self) -> Result<()> {
        loop {
            match self.handle.next() {
                Err(types::Error::WouldBlock) => wait_for(|by| self.handle.wait(by)).await?,
                result => {
                    self.entries = result?.into();
                    return Ok(());
                }
            }
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

impl DirEntry {
    /// Its name, without the directory's. What is no UTF-8 in it is replaced by U+FFFD.
    #[doc(alias = "file_name")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> FileKind {
        self.kind
    }
}
