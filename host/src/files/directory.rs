//! A directory that is being read, some entries at a time.

use std::io;

use cap_std::fs::ReadDir;

use super::{FileError, Kind, Owner, Spot, lost, settle};
use crate::background::{Brought, Errand, Lane};
use crate::kernel::SourceKey;

/// How many entries come at a time.
const BATCH: usize = 64;

/// What they take at the most: the name, which is 255 bytes of a Linux file system's, each perhaps replaced by three.
const BATCH_MEMORY: usize = BATCH * (3 * 255 + size_of::<Entry>());

/// What a directory holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What an errand brings: what is to be read next, and what was read, or why not.
type Read = (Option<ReadDir>, io::Result<Vec<Entry>>);

/// A directory that is being read.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Directory {
    errand: Errand<Read>,
    /// What is to be read next; nothing while an errand has it, and at the end.
    rest: Option<ReadDir>,
}

impl Directory {
    /// Begins to open a directory and to read it.
    pub(crate) fn open(owner: &mut Owner<'_>, lane: &Lane, at: Spot) -> Result<Self, FileError> {
        owner.take_memory(BATCH_MEMORY)?;
        let errand = owner.errand(lane);
        errand.send(move || match settle(at.directory.read_dir(&at.path)) {
            Ok(rest) => read(rest),
            Err(error) => (None, Err(error)),
        });
        Ok(Self { errand, rest: None })
    }

    /// What was read, and has more read if there is nothing.
    pub(crate) fn next(&mut self) -> Result<Vec<Entry>, FileError> {
        match self.errand.bring() {
            Brought::Result((rest, result)) => {
                self.rest = rest;
                Ok(result?)
            }
            Brought::NotYet => Err(FileError::NotYet),
            Brought::Lost => Err(lost().into()),
            Brought::Nothing => {
                let Some(rest) = self.rest.take() else {
                    return Ok(Vec::new());
                };
                self.errand.send(move || read(rest));
                Err(FileError::NotYet)
            }
        }
    }

    /// What a task waits for until something was read.
    pub(crate) fn source(&self) -> SourceKey {
        self.errand.source()
    }

    /// To be called when it is dropped.
    pub(crate) fn close(self, owner: &mut Owner<'_>) {
        self.errand.close(owner.kernel);
        owner.give_memory(BATCH_MEMORY);
    }
}

/// Reads the next entries.
fn read(mut rest: ReadDir) -> Read {
    let mut entries = Vec::with_capacity(BATCH);
    while entries.len() < BATCH {
        match rest.next() {
            None => return (None, Ok(entries)),
            Some(Ok(entry)) => entries.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                kind: entry.file_type().map_or(Kind::Other, Kind::from),
            }),
            // What was read before it comes first; then the error does, once more.
            Some(Err(_)) if !entries.is_empty() => break,
            Some(Err(error)) => return (None, settle(Err(error))),
        }
    }
    (Some(rest), Ok(entries))
}
