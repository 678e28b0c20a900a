//! Timeout blocks: a task's deadlines, nested as its code is.
//!
//! Every block has a timer of its own, so that an outer deadline stays in force whatever happens to an
//! inner one. A block fires once: one trap inside it ends as timed out. What that timeout leaves as
//! when it crosses the borders of blocks is for the guest to work out; it knows all the deadlines.
//!
//! One firing tells every block around the trap that has expired, since one interruption at a
//! time is what cleanup code can cope with. When the block in which that happened closes, the outer
//! ones fire again at the next blocking trap inside them: the interruption may have been handled there.

use super::{Instant, ScopeKey, TaskKey};

/// An open timeout block.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The task that is in it.
    pub(crate) task: TaskKey,
    /// The block around it.
    pub(crate) parent: Option<ScopeKey>,
    /// Counts the blocks of an instance: a greater number was opened later.
    pub(crate) serial: u64,
    /// When it expires.
    pub(crate) deadline: Instant,
    /// The guest's number for it.
    pub(crate) cookie: u32,
    /// How far that has come.
    pub(crate) state: ScopeState,
}

/// How far the expiry of a timeout block has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeState {
    /// Its timer is running.
    Armed,
    /// It has expired, and the next blocking trap inside it will end as timed out.
    Expired,
    /// It has expired, and a trap made in the given block, its own or an inner one, was told.
    Told(ScopeKey),
}
