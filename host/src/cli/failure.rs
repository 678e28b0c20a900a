//! Why a command failed, and with which status the program ends.

use std::fmt;

use crate::Error;
use crate::limits::LimitExceeded;
use crate::printable;

/// Why a command failed. Its text is one line, but for a fault's backtrace, and holds nothing that a
/// terminal would take for a command.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The words make no sense; the text says which, and what would.
    Usage(String),
    /// The host could not do it.
    Host(Error),
    /// The guest faulted.
    Fault {
        /// The guest's name.
        name: String,
        /// What happened, and where.
        text: String,
    },
    /// The guest passed a limit.
    Limit {
        /// The guest's name.
        name: String,
        /// The limit.
        limit: LimitExceeded,
    },
}

impl Failure {
    /// The status to exit with.
    pub fn status(&self) -> u8 {
        match self {
            Self::Host(_) => 1,
            Self::Usage(_) => 2,
            Self::Limit { .. } => 124,
            Self::Fault { .. } => 134,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(&escape(text)),
            Self::Host(error) => f.write_str(&escape(&error.to_string())),
            Self::Limit { name, limit } => write!(f, "{}: {limit}", escape(name)),
            Self::Fault { name, text } => {
                write!(f, "{} faulted: ", escape(name))?;
                let mut lines = text.lines().map(escape);
                f.write_str(&lines.next().unwrap_or_default())?;
                lines.try_for_each(|line| write!(f, "\n{line}"))
            }
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Host(error) => error.source(),
            Self::Usage(_) | Self::Fault { .. } | Self::Limit { .. } => None,
        }
    }
}

/// Makes visible what is not printable: a file's or a function's name may hold any character.
fn escape(text: &str) -> String {
    printable::escape(text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        let name = || "a\n\u{1b}[2Jb.wasm".to_owned();
        let fault = Failure::Fault {
            name: name(),
            text: "unreachable\n  0: f\u{7}\r".to_owned(),
        };
        assert_eq!(
            fault.to_string(),
            "a\\n\\u{1b}[2Jb.wasm faulted: unreachable\n  0: f\\u{7}\\r"
        );
        let usage = Failure::Usage(name());
        assert_eq!(usage.to_string(), "a\\n\\u{1b}[2Jb.wasm");
    }
}
