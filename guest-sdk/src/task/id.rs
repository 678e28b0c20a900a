//! A task's number.

use std::fmt;

/// A task's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId {
    pub(super) number: u64,
    pub(super) serial: u64,
}

impl TaskId {
    /// The kernel's number for it.
    pub(crate) fn number(self) -> u64 {
        self.number
    }

    /// Counts the tasks of the program, from 1: a greater number is a newer task.
    pub fn serial(self) -> u64 {
        self.serial
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.serial)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serial.fmt(f)
    }
}

impl PartialOrd for TaskId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TaskId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.serial.cmp(&other.serial)
    }
}
