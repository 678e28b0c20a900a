//! A child.

use std::cell::Cell;
use std::fmt;

use super::communicate::Talk;
use super::{ExitStatus, Output, PipeStream};
use crate::bindings::subprocess as kernel;
use crate::bindings::types;
use crate::error::Result;
use crate::traps::wait_for;

/// SIGTERM.
const TERM: i32 = 15;

/// SIGKILL.
const KILL: i32 = 9;

/// A program that was started: see [`Command::spawn`](super::Command::spawn). Dropping it leaves the program running,
/// unless [`kill_on_drop`](super::Command::kill_on_drop) was set.
///
/// To signal it in one task while another one waits for it, put it into an `Rc`.
pub struct Popen {
    /// Where it reads from, if that is a pipe. Dropping this tells it that nothing more will come.
    pub stdin: Option<PipeStream>,
    /// What it writes to standard output, if that is a pipe.
    pub stdout: Option<PipeStream>,
    /// What it writes to standard error, if that is a pipe.
    pub stderr: Option<PipeStream>,
    handle: kernel::Child,
    args: Vec<String>,
    status: Cell<Option<ExitStatus>>,
    kill_on_drop: bool,
    pub(super) talk: Talk,
}

impl Popen {
    pub(super) fn new(
        handle: kernel::Child,
        [stdin, stdout, stderr]: [Option<PipeStream>; 3],
        args: Vec<String>,
        kill_on_drop: bool,
    ) -> Self {
        Self {
            stdin,
            stdout,
            stderr,
            handle,
            args,
            status: Cell::new(None),
            kill_on_drop,
            talk: Talk::default(),
        }
    }

    /// The program, and what it was given.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// The number of its process.
    #[doc(alias = "id")]
    pub fn pid(&self) -> u32 {
        self.handle.id()
    }

    /// How it has ended, if it has. Never blocks.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if another part of the host's process has taken its status.
    #[doc(alias = "try_wait")]
    pub fn poll(&self) -> Result<Option<ExitStatus>> {
        if self.status.get().is_none() {
            match self.handle.try_wait() {
                Ok(status) => self.status.set(Some(ExitStatus::new(status))),
                Err(types::Error::WouldBlock) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.status.get())
    }

    /// As Python has it: the number with which it has ended, or that of the signal, below zero; none until that was
    /// found out by [`poll`](Popen::poll) or [`wait`](Popen::wait).
    pub fn returncode(&self) -> Option<i32> {
        self.status.get().map(ExitStatus::returncode)
    }

    /// Waits for its end. One that reads its input to the end needs to be told that by dropping [`stdin`](Popen::stdin);
    /// one that writes much into a pipe needs somebody who reads it: [`communicate`](Popen::communicate) does both.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`](crate::Error::ResourceBusy) if another task waits for it; as [`Popen::poll`].
    ///
    /// # Cancellation
    /// It runs on.
    pub async fn wait(&self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            wait_for(|by| self.handle.wait(by)).await?;
        }
    }

    /// Writes `input` to its standard input and closes that, reads all that it writes into pipes, all at once, and waits
    /// for its end. What leads elsewhere gives nothing.
    ///
    /// A child that does not read all of the input is no error.
    ///
    /// ```no_run
    /// use curio::subprocess::{Command, Stdio};
    ///
    /// # async fn example() -> curio::Result<()> {
    /// let sort = Command::new("sort").stdin(Stdio::pipe()).stdout(Stdio::pipe());
    /// let output = sort.spawn()?.communicate(b"b\na\n").await?;
    /// assert_eq!(output.stdout, b"a\nb\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidState`](crate::Error::InvalidState) if there is input and an earlier call has not written all of its
    /// own; those of the pipes and of [`Popen::wait`].
    ///
    /// # Cancellation
    /// The child runs on. What it has written stays in [`stdout`](Popen::stdout) and [`stderr`](Popen::stderr), where
    /// `buffered()` shows it, and [`Error::moved`](crate::Error::moved) says how much both are. Another call, without
    /// input, goes on with everything.
    pub async fn communicate(&mut self, input: impl AsRef<[u8]>) -> Result<Output> {
        super::communicate::communicate(self, input.as_ref()).await
    }

    /// Sends it a signal, by its number on Linux. Returns false, and does nothing, if it has ended. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if there is no such signal;
    /// [`Error::Io`](crate::Error::Io) if the process is another user's by now.
    pub fn send_signal(&self, signal: impl Into<i32>) -> Result<bool> {
        Ok(self.handle.send_signal(signal.into())?)
    }

    /// Asks it to end, by SIGTERM: see [`Popen::send_signal`].
    ///
    /// # Errors
    /// As [`Popen::send_signal`].
    pub fn terminate(&self) -> Result<bool> {
        self.send_signal(TERM)
    }

    /// Ends it, by SIGKILL: see [`Popen::send_signal`].
    ///
    /// # Errors
    /// As [`Popen::send_signal`].
    pub fn kill(&self) -> Result<bool> {
        self.send_signal(KILL)
    }
}

impl Drop for Popen {
    fn drop(&mut self) {
        if self.kill_on_drop && self.status.get().is_none() {
            // One that has become another user's can't be.
            drop(self.kill());
        }
    }
}

impl fmt::Debug for Popen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Popen")
            .field("args", &self.args)
            .field("pid", &self.pid())
            .field("status", &self.status.get())
            .finish_non_exhaustive()
    }
}
