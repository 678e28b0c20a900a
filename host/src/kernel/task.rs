//! A task, as the kernel knows it. Its code and its result are the guest's.

use super::trap::List;
use super::{Instant, TaskKey};

/// A living task.
#[derive(Debug)]
pub(crate) struct Task {
    /// Counts the tasks of an instance, from 1: a greater number is a newer task.
    pub(crate) serial: u64,
    /// Who spawned it.
    pub(crate) parent: Option<TaskKey>,
    /// Index of its name and place in the source.
    pub(crate) label: u32,
    /// Nobody is expected to join it.
    pub(crate) daemon: bool,
    /// Its pending traps.
    pub(crate) traps: List,
}

/// Who makes a blocking trap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The task.
    pub(crate) task: TaskKey,
    /// The guest's own number for what it begins. Not 0.
    pub(crate) cookie: u64,
}

/// How a trap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With its result.
    Done(u64),
    /// Somebody else waits there already.
    Busy,
    /// What the task waited for was closed.
    Closed,
    /// No trap ended: the host asks that the program end.
    EndRequested,
    /// What the task wanted to wait for is not in a state in which that can come.
    InvalidState,
}

/// That a trap has ended, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumption {
    /// The guest's number for the trap; 0 if it was none.
    pub(crate) cookie: u64,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// What a guest's `wait` brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The time. No value in a resumption is later.
    pub(crate) now: Instant,
    /// How traps ended, in that order.
    pub(crate) resumptions: Vec<Resumption>,
}

/// What can be said of a task from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskInfo {
    /// Counts the tasks of the instance.
    pub(crate) serial: u64,
    /// The name its label gives it.
    pub(crate) name: String,
    /// Where in the source it was spawned, as `file:line`.
    pub(crate) spawned_at: String,
    /// The name of the trap that has been pending for longest, or nothing.
    pub(crate) waits_for: &'static str,
    /// Who spawned it, if that still lives.
    pub(crate) parent: Option<TaskKey>,
    /// Nobody is expected to join it.
    pub(crate) daemon: bool,
}
