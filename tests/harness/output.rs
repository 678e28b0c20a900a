//! What a run of `curio-host`'s has done.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

/// What a run has done. Every assertion that fails shows all of it.
#[derive(Debug)]
pub(crate) struct Output {
    command: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    pub(super) fn new(command: String, status: ExitStatus, stdout: String, stderr: String) -> Self {
        Self {
            command,
            status,
            stdout,
            stderr,
        }
    }

    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        if self.status.code() != Some(code) {
            self.fail(&format!("should exit with {code}"));
        }
        self
    }

    /// Asserts that a signal ended it.
    #[track_caller]
    pub(crate) fn ended_by(&self, signal: Signal) -> &Self {
        if self.status.signal() != Some(signal as i32) {
            self.fail(&format!("should be ended by {signal}"));
        }
        self
    }

    /// Asserts all that it wrote to standard output.
    #[track_caller]
    pub(crate) fn stdout(&self, text: &str) -> &Self {
        if self.stdout != text {
            self.fail(&format!("stdout should be {text:?}"));
        }
        self
    }

    /// Asserts that standard error has all of some texts.
    #[track_caller]
    pub(crate) fn stderr_has(&self, texts: &[&str]) -> &Self {
        for text in texts {
            if !self.stderr.contains(text) {
                self.fail(&format!("stderr should have {text:?}"));
            }
        }
        self
    }

    /// Asserts that it wrote nothing to standard error.
    #[track_caller]
    pub(crate) fn quiet(&self) -> &Self {
        if !self.stderr.is_empty() {
            self.fail("stderr should be empty");
        }
        self
    }

    /// Asserts that it ended with a status and one line of the host's own, which has all of some texts.
    #[track_caller]
    pub(crate) fn complains(&self, code: i32, texts: &[&str]) -> &Self {
        self.code(code);
        let line = self.stderr.strip_suffix('\n').unwrap_or(&self.stderr);
        if !line.starts_with("curio-host: ") || line.contains('\n') || !self.stdout.is_empty() {
            self.fail("should write one line of the host's own");
        }
        self.stderr_has(texts)
    }

    /// Fails, and shows everything.
    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!(
            "{}: {why}\n--- {}\n--- stdout\n{}--- stderr\n{}",
            self.command, self.status, self.stdout, self.stderr
        );
    }
}
