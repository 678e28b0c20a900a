//! Workers: instances of a guest's own component, on other threads and in other processes.
//!
//! A guest hands a job to a worker and waits for what comes of it, as it waits for a socket. How a worker comes to be
//! is for the driver to know: see [`Launch`].
//!
//! - `job`: a job, as the guest that handed it out knows it
//! - `crew`: the workers of one instance, those that have nothing to do among them
//! - `call`, `outcome`: what a worker is asked, and what comes of it
//! - `inbox`, `report`: how that travels to a thread, and back
//! - `process`: how it travels to a process, and back

mod call;
mod crew;
mod inbox;
mod job;
mod outcome;
pub(crate) mod process;
mod report;

use std::fmt;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::Place;

pub(crate) use self::call::{Call, Payload};
pub(crate) use self::crew::Crew;
pub(crate) use self::inbox::{Inbox, Request};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::job::Job;
pub(crate) use self::job::{StartError, Told};
pub(crate) use self::outcome::{Loss, LossReason, Outcome};
use self::process::Started;
pub(crate) use self::report::Report;

/// Whether guests can be interrupted while they compute. That costs a function that does little half as much again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Interruption {
    /// With every tick.
    Ticks,
    /// Not at all: for a process that has nothing else to do, and can be killed.
    Never,
}

/// How workers come to be.
pub(crate) trait Launch: fmt::Debug + Send + Sync {
    /// Starts a thread that serves an inbox, and keeps its place until it ends.
    ///
    /// # Errors
    /// If the system gives none.
    fn thread(self: Arc<Self>, inbox: Arc<Inbox>, place: Arc<Place>) -> io::Result<()>;

    /// Whether processes that can be interrupted should be replaced by others, which can't and are faster.
    fn has_faster(&self) -> bool;

    /// Starts a process that works.
    ///
    /// # Errors
    /// If the system gives none, or nobody has said how.
    fn process(&self) -> Result<Started, StartError>;
}
