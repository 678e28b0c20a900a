//! What comes of a job.

use serde::{Deserialize, Serialize};

use super::Payload;

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

impl Loss {
    /// What ended a worker, and what is to be said of that.
    pub(crate) fn new(reason: LossReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
