//! Jobs that fail.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bindings::workers::{Loss, LossReason};
use crate::error::Error;
use crate::told::{Told, causes};

/// Why a job did not return a value. `source()` leads to the causes, as the worker told them.
#[derive(Debug)]
pub struct JobError {
    kind: JobErrorKind,
    message: String,
    cause: Option<Box<Told>>,
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
        Self {
            message: error.to_string(),
            causes: causes(error),
            cancelled: error.is_cancellation(),
        }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        Self {
            kind: JobErrorKind::Failed,
            message: failure.message,
            cause: Told::chain(failure.causes),
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
