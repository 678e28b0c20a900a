//! Where a child's standard streams lead.

use std::fmt;

use crate::bindings::subprocess as kernel;
use crate::error::{Error, Result};
use crate::file::File;
use crate::socket::Socket;

/// Where one of a child's standard streams leads.
///
/// Besides what has a function here, that can be another child's pipe, a connected [`Socket`] or an open [`File`]:
/// `Stdio::from` takes it.
///
/// ```no_run
/// use curio::subprocess::{Command, Stdio};
///
/// # async fn example() -> curio::Result<()> {
/// let mut sort = Command::new("sort").arg("words").stdout(Stdio::pipe()).spawn()?;
/// let sorted = sort.stdout.take().expect("it is a pipe");
/// let counted = Command::new("uniq").arg("-c").stdin(sorted).check_output().await?;
/// sort.wait().await?;
/// # Ok(())
/// # }
/// ```
pub struct Stdio(To);

enum To {
    Kernel(kernel::Stdio),
    /// It can't lead there. Spawning says so.
    Wrong(Error),
}

impl Stdio {
    /// To the stream of this program that has the same number; nowhere, if that leads nowhere.
    pub fn inherit() -> Self {
        Self::given(kernel::Stdio::Inherit)
    }

    /// Nowhere: there is nothing to read, and what is written vanishes.
    #[doc(alias = "DEVNULL")]
    pub fn null() -> Self {
        Self::given(kernel::Stdio::Null)
    }

    /// Into a pipe, whose other end [`Popen`](super::Popen) has.
    #[doc(alias = "PIPE")]
    #[doc(alias = "piped")]
    pub fn pipe() -> Self {
        Self::given(kernel::Stdio::Pipe)
    }

    /// Where standard output leads: for standard error alone.
    #[doc(alias = "STDOUT")]
    pub fn stdout() -> Self {
        Self::given(kernel::Stdio::Stdout)
    }

    pub(super) fn given(to: kernel::Stdio) -> Self {
        Self(To::Kernel(to))
    }

    pub(super) fn wrong(error: Error) -> Self {
        Self(To::Wrong(error))
    }

    pub(super) fn is_inherited(&self) -> bool {
        matches!(self.0, To::Kernel(kernel::Stdio::Inherit))
    }

    pub(super) fn into_kernel(self) -> Result<kernel::Stdio> {
        match self.0 {
            To::Kernel(to) => Ok(to),
            To::Wrong(error) => Err(error),
        }
    }
}

/// The child has it alone from then on. It must be connected.
impl From<Socket> for Stdio {
    fn from(socket: Socket) -> Self {
        Self::given(kernel::Stdio::Socket(socket.into_handle()))
    }
}

/// The child goes on from the file's position.
impl From<File> for Stdio {
    fn from(file: File) -> Self {
        Self::given(kernel::Stdio::File(file.into_handle()))
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            To::Kernel(kernel::Stdio::Inherit) => "Stdio::inherit()",
            To::Kernel(kernel::Stdio::Null) => "Stdio::null()",
            To::Kernel(kernel::Stdio::Pipe) => "Stdio::pipe()",
            To::Kernel(kernel::Stdio::Stdout) => "Stdio::stdout()",
            To::Kernel(kernel::Stdio::PipeEnd(_)) => "Stdio::from(Pipe)",
            To::Kernel(kernel::Stdio::Socket(_)) => "Stdio::from(Socket)",
            To::Kernel(kernel::Stdio::File(_)) => "Stdio::from(File)",
            To::Wrong(_) => "Stdio::from(PipeStream)",
        })
    }
}
