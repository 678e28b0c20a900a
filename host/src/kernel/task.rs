//! A task, as the kernel knows it. Its code and its result are the guest's.

use super::trap::List;
use super::{Instant, ScopeKey, TaskKey, TrapKey};

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
    /// How far its cancellation has come.
    pub(crate) cancellation: Cancellation,
    /// The cancellation is in the instance's list of undelivered interruptions.
    pub(crate) listed: bool,
    /// Timeout blocks with a smaller number are disarmed: they were open when it was cancelled.
    pub(crate) disarmed_before: u64,
    /// How often it was resumed.
    pub(crate) cycles: u64,
    /// How many resumptions are on the way to it.
    pub(crate) resumptions: u32,
    /// The pass in which it last ran.
    pub(crate) pass: u32,
    /// Its pending traps.
    pub(crate) traps: List,
    /// The traps that wait for its end.
    pub(crate) joiners: List,
}

/// How far a task's cancellation has come. It is requested once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancellation {
    /// It was not requested.
    None,
    /// It was requested, and the next blocking trap will end with it.
    Pending,
    /// The task was told.
    Told,
}

/// Who makes a blocking trap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The task.
    pub(crate) task: TaskKey,
    /// The innermost timeout block it is in.
    pub(crate) scope: Option<ScopeKey>,
    /// The guest's own number for what it begins.
    pub(crate) cookie: u32,
}

/// How a trap ended, or why a task is resumed without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The task's first cycle.
    Start,
    /// `wake` was called.
    Woken,
    /// The trap has its result.
    Done(u64),
    /// The task was cancelled. Without a trap: it can only be dropped.
    Cancelled,
    /// A timeout block expired, at that time.
    TimedOut(Instant),
    /// A timeout block expired, at that time, and no trap in it could be told.
    ScopeExpired(ScopeKey, Instant),
    /// Somebody else waits there already.
    Busy,
    /// What the task waited for was closed.
    Closed,
}

/// A task that may go on, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumption {
    /// The task.
    pub(crate) task: TaskKey,
    /// The trap that ended, if it was one.
    pub(crate) trap: Option<TrapKey>,
    /// The guest's number for that trap or timeout block, or 0.
    pub(crate) cookie: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
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
    /// What it does, or what it waits for.
    pub(crate) state: String,
    /// How often it was resumed.
    pub(crate) cycles: u64,
    /// Who spawned it, if that still lives.
    pub(crate) parent: Option<TaskKey>,
    /// Nobody is expected to join it.
    pub(crate) daemon: bool,
    /// Its cancellation was requested.
    pub(crate) cancelled: bool,
}
