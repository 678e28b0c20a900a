//! What is known of a file.

use std::time::{Duration, SystemTime};

use crate::bindings::files as kernel;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link that was not followed.
    SymbolicLink,
    /// Something else: a pipe, a socket, a device.
    Other,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    kind: FileKind,
    length: u64,
    modified: Option<SystemTime>,
    accessed: Option<SystemTime>,
    created: Option<SystemTime>,
}

impl Metadata {
    /// What it is.
    #[doc(alias = "st_mode")]
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether it is a symbolic link; only [`symlink_metadata`](super::symlink_metadata) tells of those.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::SymbolicLink
    }

    /// Its length in bytes.
    #[doc(alias = "st_size")]
    #[expect(
        clippy::len_without_is_empty,
        reason = "as in the standard library: it is no collection"
    )]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// When it was last written to, if the file system knows.
    #[doc(alias = "st_mtime")]
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// When it was last read, if the file system knows.
    #[doc(alias = "st_atime")]
    pub fn accessed(&self) -> Option<SystemTime> {
        self.accessed
    }

    /// When it was made, if the file system knows.
    #[doc(alias = "st_birthtime")]
    pub fn created(&self) -> Option<SystemTime> {
        self.created
    }
}

impl From<kernel::Kind> for FileKind {
    fn from(kind: kernel::Kind) -> Self {
        match kind {
            kernel::Kind::File => Self::File,
            kernel::Kind::Directory => Self::Directory,
            kernel::Kind::SymbolicLink => Self::SymbolicLink,
            kernel::Kind::Other => Self::Other,
        }
    }
}

impl From<kernel::Metadata> for Metadata {
    fn from(metadata: kernel::Metadata) -> Self {
        Self {
            kind: metadata.kind.into(),
            length: metadata.length,
            modified: metadata.modified.and_then(time),
            accessed: metadata.accessed.and_then(time),
            created: metadata.created.and_then(time),
        }
    }
}

fn time(nanos: i64) -> Option<SystemTime> {
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    if nanos >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    }
}
