//! Errors that come from another instance: of those, only the text has come here.

use std::error::Error;
use std::fmt;

/// An error's text, and those of its causes.
#[derive(Debug)]
pub(crate) struct Told {
    message: String,
    cause: Option<Box<Told>>,
}

impl Told {
    /// An error, and what its causes said: the nearest one first.
    pub(crate) fn new(message: String, causes: Vec<String>) -> Self {
        let cause = Self::chain(causes);
        Self { message, cause }
    }

    /// Causes alone: the nearest one first.
    pub(crate) fn chain(causes: Vec<String>) -> Option<Box<Self>> {
        let add = |cause, message| Some(Box::new(Self { message, cause }));
        causes.into_iter().rev().fold(None, add)
    }
}

/// What an error's causes say: the nearest one first.
pub(crate) fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.cause.as_ref()?)
    }
}
