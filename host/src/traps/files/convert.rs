//! From what a guest says of files to what the host does, and back.

use crate::bindings::files::{Answer, Entry, Kind, Metadata, OpenFlags};
use crate::bindings::types;
use crate::files::{self as native, FileError};
use crate::traps::TrapError;

impl From<FileError> for TrapError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotYet => Self::Told(types::Error::WouldBlock),
            FileError::Io(error) => error.into(),
            FileError::State(what) => Self::invalid_state(what),
            FileError::Argument(what) => Self::invalid_argument(what),
            FileError::Limit(limit) => limit.into(),
        }
    }
}

impl From<OpenFlags> for native::OpenFlags {
    fn from(flags: OpenFlags) -> Self {
        Self {
            read: flags.contains(OpenFlags::READ),
            write: flags.contains(OpenFlags::WRITE),
            append: flags.contains(OpenFlags::APPEND),
            truncate: flags.contains(OpenFlags::TRUNCATE),
            create: flags.contains(OpenFlags::CREATE),
            create_new: flags.contains(OpenFlags::CREATE_NEW),
        }
    }
}

impl From<native::Kind> for Kind {
    fn from(kind: native::Kind) -> Self {
        match kind {
            native::Kind::File => Self::File,
            native::Kind::Directory => Self::Directory,
            native::Kind::SymbolicLink => Self::SymbolicLink,
            native::Kind::Other => Self::Other,
        }
    }
}

impl From<native::Metadata> for Metadata {
    fn from(metadata: native::Metadata) -> Self {
        Self {
            kind: metadata.kind.into(),
            length: metadata.length,
            modified: metadata.modified,
            accessed: metadata.accessed,
            created: metadata.created,
        }
    }
}

impl From<native::Entry> for Entry {
    fn from(entry: native::Entry) -> Self {
        Self {
            name: entry.name,
            kind: entry.kind.into(),
        }
    }
}

impl From<native::Answer> for Answer {
    fn from(answer: native::Answer) -> Self {
        match answer {
            native::Answer::Done => Self::Done,
            native::Answer::Written(count) => {
                Self::Written(u32::try_from(count).expect("a block is small"))
            }
            native::Answer::Metadata(metadata) => Self::Metadata(metadata.into()),
            native::Answer::Target(target) => Self::Target(target),
        }
    }
}
