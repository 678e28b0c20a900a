//! How a file is opened.

use std::path::Path;

use super::path::text;
use super::{File, FileStream};
use crate::bindings::files::{self as kernel, OpenFlags};
use crate::error::{Error, Result};

/// How a file is opened: step by step, as in the standard library.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// use curio::file::OpenOptions;
///
/// let file = OpenOptions::new().read(true).write(true).create(true).open("state").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    flags: OpenFlags,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OpenOptions {
    /// Nothing is chosen yet.
    pub fn new() -> Self {
        Self {
            flags: OpenFlags::empty(),
        }
    }

    /// Whether it can be read.
    #[must_use]
    pub fn read(self, on: bool) -> Self {
        self.with(OpenFlags::READ, on)
    }

    /// Whether it can be written to.
    #[must_use]
    pub fn write(self, on: bool) -> Self {
        self.with(OpenFlags::WRITE, on)
    }

    /// Whether it can be written to, each time at its end.
    #[must_use]
    pub fn append(self, on: bool) -> Self {
        self.with(OpenFlags::APPEND, on)
    }

    /// Whether it is cut to nothing. Needs [`write`](Self::write).
    #[must_use]
    pub fn truncate(self, on: bool) -> Self {
        self.with(OpenFlags::TRUNCATE, on)
    }

    /// Whether it is made if it is not there. Needs [`write`](Self::write) or [`append`](Self::append).
    #[must_use]
    pub fn create(self, on: bool) -> Self {
        self.with(OpenFlags::CREATE, on)
    }

    /// Whether it is made, and must not be there. Needs [`write`](Self::write) or [`append`](Self::append).
    #[must_use]
    pub fn create_new(self, on: bool) -> Self {
        self.with(OpenFlags::CREATE_NEW, on)
    }

    fn with(self, flag: OpenFlags, on: bool) -> Self {
        let with = self.flags | flag;
        Self {
            flags: if on { with } else { with ^ flag },
        }
    }

    /// Opens a file.
    ///
    /// Pipes, sockets and terminals can't be opened: that might never end.
    ///
    /// # Errors
    /// - [`Error::Refused`] unless a `--dir` covers the path, and lets it be changed if that is asked for
    /// - [`Error::InvalidArgument`] if the options contradict each other
    /// - [`Error::Limit`] if the program may not have another handle
    /// - [`Error::Io`] if it is not there, is a directory, …
    ///
    /// # Cancellation
    /// The file may have been made, or cut.
    pub async fn open(&self, path: impl AsRef<Path>) -> Result<File> {
        let handle = kernel::File::open(&text(path.as_ref())?, self.flags)?;
        File::opened(handle).await
    }
}

/// Opens a file in one of Python's modes: `r` to read it, `w` to write it anew, `a` to write at its end, `x` to
/// make it, which must not be there. With a `+`, it can be both read and written. A `b` or a `t` makes no
/// difference: there are bytes in files, and [`Stream::read_to_string`](crate::io::Stream::read_to_string) makes text
/// of them.
///
/// # Errors
/// As [`OpenOptions::open`]; [`Error::InvalidArgument`] also for another mode.
///
/// # Cancellation
/// As [`OpenOptions::open`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let text = curio::aopen("poem", "r").await?.read_to_string().await?;
/// # Ok(())
/// # }
/// ```
pub async fn aopen(path: impl AsRef<Path>, mode: &str) -> Result<FileStream> {
    let Some(options) = options(mode) else {
        return Err(Error::InvalidArgument(format!(
            "{mode:?} is no mode to open a file in; give r, w, a or x, perhaps with + and b or t"
        )));
    };
    Ok(options.open(path).await?.into_stream())
}

/// What a mode of Python's means: its letters stand in any order, and each once.
fn options(mode: &str) -> Option<OpenOptions> {
    let (mut kind, mut both, mut content) = (None, false, None);
    for letter in mode.chars() {
        let was_there = match letter {
            'r' | 'w' | 'a' | 'x' => kind.replace(letter).is_some(),
            'b' | 't' => content.replace(letter).is_some(),
            '+' => std::mem::replace(&mut both, true),
            _ => true,
        };
        if was_there {
            return None;
        }
    }
    let options = OpenOptions::new();
    Some(match kind? {
        'r' => options.read(true).write(both),
        'w' => options.write(true).create(true).truncate(true).read(both),
        'a' => options.append(true).create(true).read(both),
        _ => options.write(true).create_new(true).read(both),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_those_of_python() {
        let flags = |mode| options(mode).map(|options| options.flags);
        for (mode, same) in [("r", "rb"), ("r+", "+r"), ("w+b", "+tw"), ("bx", "tx")] {
            assert!(flags(mode).is_some());
            assert_eq!(flags(mode), flags(same), "{mode} {same}");
        }
        let kinds = ["r", "r+", "w", "w+", "a", "a+", "x", "x+"].map(flags);
        for (n, kind) in kinds.iter().enumerate() {
            assert!(!kinds[..n].contains(kind));
        }
        for wrong in [
            "", "b", "+", "rw", "rr", "r++", "rbt", "rbb", "R", "é", " r", "U",
        ] {
            assert!(options(wrong).is_none(), "{wrong}");
        }
    }
}
