//! What a program and its worker process say to each other.
//!
//! A message is a header and bytes behind it.

use serde::{Deserialize, Serialize};

use crate::workers::Loss;

/// To the worker: what to do. The input is behind it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// A number of the guest's own.
    pub(crate) entry: u32,
}

/// From the worker: how that ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The output is behind it.
    Returned,
    /// The worker ends.
    Lost(Loss),
}
