//! What comes of a job.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::limits::Allowance;

/// How a job ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With what `jobs.run` returned.
    Returned(Payload),
    /// The worker ended before that.
    Lost(Loss),
}

/// Why a worker ended in the middle of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    /// In one word.
    pub(crate) reason: LossReason,
    /// What happened.
    pub(crate) message: String,
}

/// What ended a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LossReason {
    /// A panic of the guest's.
    Panicked,
    /// Another fault.
    Faulted,
    /// The guest exited.
    Exited,
    /// A limit.
    Limit,
    /// Its process was killed, or died.
    Died,
    /// It was stopped.
    Stopped,
}

impl Outcome {
    /// What came of a job that returned: the bytes, unless the application may not have so many.
    pub(crate) fn returned(bytes: Vec<u8>, allowance: &Allowance) -> Self {
        match Payload::new(bytes, allowance) {
            Ok(payload) => Self::Returned(payload),
            Err(limit) => Self::Lost(Loss::new(LossReason::Limit, limit.to_string())),
        }
    }
}

impl Loss {
    /// What ended a worker, and what is to be said of that.
    pub(crate) fn new(reason: LossReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
