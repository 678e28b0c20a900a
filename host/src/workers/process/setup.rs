//! What a worker process is told before anything else.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::permissions::Permissions;
use crate::workers::Interruption;

/// What a worker process is to be: the same as the one that starts it, but for what is another one's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The number of the process that starts it.
    pub(crate) starter: u32,
    /// Whether its code is interrupted.
    pub(crate) interruption: Interruption,
    /// What it may do.
    pub(crate) permissions: Permissions,
    /// What it may use.
    pub(crate) limits: Limits,
    /// The arguments of the program that it works for.
    pub(crate) args: Vec<String>,
    /// Whether it has the host's standard output and error.
    pub(crate) has_streams: bool,
    /// What the component is called.
    pub(crate) component: PathBuf,
    /// The room that the engine's instances have, if it was set: what is compiled depends on it.
    pub(crate) pool: Option<(u32, usize)>,
}
