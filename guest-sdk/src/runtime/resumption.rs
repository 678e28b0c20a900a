//! What the kernel says of a task that may go on: see `resumption-part` in `wit/traps.wit`.

use super::tasks::index_of;
use crate::bindings::traps::Outcome;

/// A task that may go on, and why.
#[derive(Clone, Copy)]
pub(super) struct Resumption {
    /// The task.
    pub(super) task: u64,
    /// The cookie of the trap that ended, or 0.
    pub(super) cookie: u32,
    /// How it ended.
    pub(super) outcome: Outcome,
    /// What it ended with.
    pub(super) value: u64,
}

/// How many parts a resumption has.
pub(super) const PARTS: usize = 3;

/// The resumptions in a list of their parts.
pub(super) fn all(parts: &[u64]) -> impl Iterator<Item = Resumption> {
    let (resumptions, _) = parts.as_chunks();
    resumptions.iter().map(from_parts)
}

/// The first resumption in a list of their parts.
pub(super) fn first(parts: &[u64]) -> Option<Resumption> {
    parts.first_chunk().map(from_parts)
}

fn from_parts(&[task, why, value]: &[u64; PARTS]) -> Resumption {
    Resumption {
        task,
        cookie: index_of(why),
        outcome: outcome(why >> 32),
        value,
    }
}

fn outcome(place: u64) -> Outcome {
    match place {
        0 => Outcome::Start,
        1 => Outcome::Woken,
        2 => Outcome::Done,
        3 => Outcome::Cancelled,
        4 => Outcome::TimedOut,
        5 => Outcome::ScopeExpired,
        6 => Outcome::Busy,
        _ => Outcome::Closed,
    }
}
