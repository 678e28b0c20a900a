//! How a file is opened.

use std::path::Path;

use super::File;
use super::path::text;
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
/// make it, which must not be there. With a `+`, it can be both read and written. A `b` makes no difference: there
/// are bytes in files.
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
pub async fn aopen(path: impl AsRef<Path>, mode: &str) -> Result<File> {
    let Some(options) = options(mode) else {
        return Err(Error::InvalidArgument(format!(
            "{mode:?} is no mode to open a file in; give r, w, a or x, perhaps with b and +"
        )));
    };
    options.open(path).await
}

/// What a mode of Python's means.
fn options(mode: &str) -> Option<OpenOptions> {
    let (kind, rest) = (mode.chars().next()?, mode.get(1..)?);
    let both = match rest {
        "" | "b" => false,
        "+" | "b+" | "+b" => true,
        _ => return None,
    };
    let options = OpenOptions::new();
    let options = match kind {
        'r' => return Some(options.read(true).write(both)),
        'w' => options.write(true).create(true).truncate(true),
        'a' => options.append(true).create(true),
        'x' => options.write(true).create_new(true),
        _ => return None,
    };
    Some(options.read(both))
}
