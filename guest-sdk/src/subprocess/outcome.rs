//! What becomes of a program that is run.

use std::fmt;
use std::time::Duration;

use super::ExitStatus;
use crate::error::Result;

/// What a program has written, as far as that was not led elsewhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// To standard output.
    pub stdout: Vec<u8>,
    /// To standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// How many bytes both are together.
    pub fn len(&self) -> usize {
        self.stdout.len() + self.stderr.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = [&self.stdout, &self.stderr].map(|bytes| bytes.escape_ascii().to_string());
        f.debug_struct("Output")
            .field("stdout", &texts[0])
            .field("stderr", &texts[1])
            .finish()
    }
}

/// A program that was run, and has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedProcess {
    /// The program, and what it was given.
    pub args: Vec<String>,
    /// How it has ended.
    pub status: ExitStatus,
    /// What it has written to standard output; nothing unless that was a pipe.
    pub stdout: Vec<u8>,
    /// What it has written to standard error; nothing unless that was a pipe.
    pub stderr: Vec<u8>,
}

impl CompletedProcess {
    /// As Python has it: the number with which it has ended, or that of the signal, below zero.
    pub fn returncode(&self) -> i32 {
        self.status.returncode()
    }

    /// Makes an error of a program that has failed.
    ///
    /// # Errors
    /// [`CalledProcessError`], unless it has ended with 0.
    #[doc(alias = "check_returncode")]
    pub fn check(self) -> Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        let output = Output {
            stdout: self.stdout,
            stderr: self.stderr,
        };
        Err(CalledProcessError {
            args: self.args,
            status: self.status,
            output,
        }
        .into())
    }
}

/// A program has failed: it has ended with another number than 0, or by a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledProcessError {
    args: Vec<String>,
    status: ExitStatus,
    output: Output,
}

impl CalledProcessError {
    /// The program, and what it was given.
    #[doc(alias = "cmd")]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// How it has ended.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// As Python has it: the number with which it has ended, or that of the signal, below zero.
    pub fn returncode(&self) -> i32 {
        self.status.returncode()
    }

    /// What it has written.
    #[doc(alias = "stdout")]
    #[doc(alias = "stderr")]
    pub fn output(&self) -> &Output {
        &self.output
    }
}

impl fmt::Display for CalledProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", program(&self.args), self.status)
    }
}

impl std::error::Error for CalledProcessError {}

/// A program took longer than it had time for, and was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeoutExpired {
    pub(super) args: Vec<String>,
    pub(super) timeout: Duration,
    pub(super) output: Output,
}

impl TimeoutExpired {
    /// The program, and what it was given.
    #[doc(alias = "cmd")]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// How much time it had.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What it had written until then.
    #[doc(alias = "stdout")]
    #[doc(alias = "stderr")]
    pub fn output(&self) -> &Output {
        &self.output
    }
}

impl fmt::Display for TimeoutExpired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, timeout) = (program(&self.args), self.timeout);
        write!(f, "{program} was killed: it took more than {timeout:?}")
    }
}

impl std::error::Error for TimeoutExpired {}

fn program(args: &[String]) -> &str {
    args.first().map_or("", String::as_str)
}
