//! How a child has ended.

use std::fmt;

use crate::bindings::subprocess as kernel;

/// How a child has ended: by itself, with a number, or by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExitStatus(Ended);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Ended {
    Exited(i32),
    Killed(i32),
}

impl ExitStatus {
    pub(super) fn new(status: kernel::ExitStatus) -> Self {
        Self(match status {
            kernel::ExitStatus::Exited(code) => Ended::Exited(code),
            kernel::ExitStatus::Killed(signal) => Ended::Killed(signal),
        })
    }

    /// Whether it has ended by itself, with 0.
    pub fn success(self) -> bool {
        self.0 == Ended::Exited(0)
    }

    /// The number with which it has ended by itself.
    pub fn code(self) -> Option<i32> {
        match self.0 {
            Ended::Exited(code) => Some(code),
            Ended::Killed(_) => None,
        }
    }

    /// The number of the signal that has ended it.
    pub fn signal(self) -> Option<i32> {
        match self.0 {
            Ended::Exited(_) => None,
            Ended::Killed(signal) => Some(signal),
        }
    }

    /// As Python has it: the number with which it has ended, or that of the signal, below zero.
    pub fn returncode(self) -> i32 {
        match self.0 {
            Ended::Exited(code) => code,
            Ended::Killed(signal) => -signal,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ended::Exited(code) => write!(f, "exit status {code}"),
            Ended::Killed(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_or_a_signal() {
        let exited = |code| ExitStatus::new(kernel::ExitStatus::Exited(code));
        let killed = ExitStatus::new(kernel::ExitStatus::Killed(9));
        assert!(exited(0).success() && !exited(1).success() && !killed.success());
        assert_eq!((exited(3).code(), exited(3).signal()), (Some(3), None));
        assert_eq!((killed.code(), killed.signal()), (None, Some(9)));
        assert_eq!((exited(3).returncode(), killed.returncode()), (3, -9));
        assert_eq!(exited(3).to_string(), "exit status 3");
        assert_eq!(killed.to_string(), "killed by signal 9");
    }
}
