//! Jobs that fail.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bindings::workers::{Loss, LossReason};
use crate::error::Error;

/// Why a job did not return a value. `source()` leads to the causes, as the worker told them.
#[derive(Debug)]
pub struct JobError {
    kind: JobErrorKind,
    message: String,
    cause: Option<Box<Cause>>,
}

/// What sort of end a job has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobErrorKind {
    /// It returned an error.
    Failed,
    /// It panicked.
    Panicked,
    /// It broke off by another fault of the program: its stack overflowed, for example.
    Faulted,
    /// It ended the program that it was in, by `std::process::exit`.
    Exited,
    /// It passed a limit.
    Limit,
    /// Its process was killed, or died.
    Died,
    /// Its worker was stopped.
    Stopped,
}

/// One of the causes of an error, of which only the text has come here.
#[derive(Debug)]
struct Cause {
    message: String,
    cause: Option<Box<Cause>>,
}

impl JobError {
    /// What sort of end the job has come to.
    pub fn kind(&self) -> JobErrorKind {
        self.kind
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            JobErrorKind::Failed => "the job failed",
            JobErrorKind::Panicked => "the job panicked",
            JobErrorKind::Faulted => "the job faulted",
            JobErrorKind::Exited => "the job ended its worker",
            JobErrorKind::Limit => "the job was ended",
            JobErrorKind::Died => "the worker died",
            JobErrorKind::Stopped => "the worker was stopped",
        };
        write!(f, "{what}: {}", self.message)
    }
}

impl StdError for JobError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&**self.cause.as_ref()?)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&**self.cause.as_ref()?)
    }
}

/// An error as it travels: its text, and those of its causes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    message: String,
    causes: Vec<String>,
    /// Whether the job was interrupted, and passed that on.
    pub(super) cancelled: bool,
}

impl Failure {
    pub(super) fn new(error: &Error) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self {
            message: error.to_string(),
            causes,
            cancelled: error.is_cancellation(),
        }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        let cause = |cause, message| Some(Box::new(Cause { message, cause }));
        Self {
            kind: JobErrorKind::Failed,
            message: failure.message,
            cause: failure.causes.into_iter().rev().fold(None, cause),
        }
    }
}

impl From<Loss> for JobError {
    fn from(loss: Loss) -> Self {
        let kind = match loss.reason {
            LossReason::Panicked => JobErrorKind::Panicked,
            LossReason::Faulted => JobErrorKind::Faulted,
            LossReason::Exited => JobErrorKind::Exited,
            LossReason::Limit => JobErrorKind::Limit,
            LossReason::Died => JobErrorKind::Died,
            LossReason::Stopped => JobErrorKind::Stopped,
        };
        Self {
            kind,
            message: loss.message,
            cause: None,
        }
    }
}
