//! Reading of files that the operator names, by a flag, in a file or in the environment.
//!
//! Such a file is a regular one, so that opening and reading it soon come to an end: a named pipe or a device could keep
//! the host waiting, or never end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

/// The size of a permissions file at the most, in bytes.
pub(crate) const MAX_PERMISSIONS: u64 = 1 << 20;

/// The size of a certificate chain or key at the most, in bytes.
pub(crate) const MAX_PEM: u64 = 1 << 20;

/// Opens a regular file for reading, without waiting for anything.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it is of another kind, with a text that says so, and whatever the system says.
#[expect(clippy::disallowed_methods, reason = "the operator names the file")]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // In this mode, a pipe is opened without a writer, and a device without a carrier.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        let text = "this is no regular file; give a file, not a pipe, socket or device";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(file)
}

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// As [`open`], and [`io::ErrorKind::FileTooLarge`] if it has more, with a text that says so.
pub(crate) fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    read_rest(&open(path)?, max)
}

/// Reads what is left of a file, at most `max` bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_rest(file: &File, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let text = format!("the file has more than {max} bytes, which is too large");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test makes its own files")]
mod tests {
    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "12345").unwrap();
        assert_eq!(read(&at("file"), 5).unwrap(), b"12345");
        let error = read(&at("file"), 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        for path in [at("fifo"), "/dev/zero".into(), "/dev/tty".into()] {
            let error = read(&path, 5).unwrap_err();
            assert_ne!(error.kind(), io::ErrorKind::FileTooLarge, "{error}");
        }
        let error = read(folder.path(), 5).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
