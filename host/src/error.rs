//! What the host itself can fail with. An instance's end is not an error of the host's: see [`Exit`].
//!
//! [`Exit`]: crate::Exit

use std::io;
use std::path::PathBuf;

/// A failure of the host's. Its text is one line that names the thing and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {}", path.display(), advice(source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not a component, or not one that this host can run.
    #[error("{}: {reason}", path.display())]
    Component {
        /// The file, or what the embedder called it.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A granted directory could not be opened.
    #[error("{0}")]
    Directory(String),
    /// A TLS identity can't be used.
    #[error("{0}")]
    TlsIdentity(String),
    /// A socket that was to be handed over can't be.
    #[error("{0}")]
    InheritedSocket(String),
    /// The system gave no event queue, thread or the like.
    #[error("can't set up {what}: {source}")]
    Setup {
        /// What could not be set up.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The engine could not be set up.
    #[error("can't set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The system's event queue failed, so that nothing can go on.
    #[error("the event queue failed: {0}")]
    Select(#[source] io::Error),
}

/// An I/O error in words that say what to do, as far as that is known.
pub(crate) fn advice(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory; check the path".to_owned(),
        io::ErrorKind::IsADirectory => "this is a directory; give a file".to_owned(),
        io::ErrorKind::NotADirectory => {
            "a part of the path is no directory; check the path".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "no permission to open it; check its owner and mode".to_owned()
        }
        _ => error.to_string(),
    }
}
