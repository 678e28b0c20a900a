//! What is known of a file.

use std::time::UNIX_EPOCH;

use cap_std::fs::{FileType, Metadata as Native};
use cap_std::time::SystemTime;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    SymbolicLink,
    Other,
}

/// What is known of a file. Times are nanoseconds since 1970 began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) kind: Kind,
    pub(crate) length: u64,
    pub(crate) modified: Option<i64>,
    pub(crate) accessed: Option<i64>,
    pub(crate) created: Option<i64>,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_symlink() {
            Self::SymbolicLink
        } else {
            Self::Other
        }
    }
}

impl From<Native> for Metadata {
    fn from(native: Native) -> Self {
        Self {
            kind: native.file_type().into(),
            length: native.len(),
            modified: native.modified().ok().and_then(nanos),
            accessed: native.accessed().ok().and_then(nanos),
            created: native.created().ok().and_then(nanos),
        }
    }
}

/// Nanoseconds since 1970 began, if that is not centuries away.
fn nanos(time: SystemTime) -> Option<i64> {
    match time.into_std().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos())
            .ok()
            .map(|nanos| -nanos),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_may_be_before_1970_and_may_be_too_far_away() {
        let at = |time| nanos(SystemTime::from_std(time));
        assert_eq!(at(UNIX_EPOCH + Duration::from_nanos(5)), Some(5));
        assert_eq!(at(UNIX_EPOCH - Duration::from_nanos(5)), Some(-5));
        let far = Duration::from_hours(300 * 366 * 24);
        assert_eq!(at(UNIX_EPOCH + far), None);
        assert_eq!(at(UNIX_EPOCH - far), None);
    }
}
