//! A worker's process, from its start until the system has forgotten it.

use std::fmt;
use std::io;
use std::process::{self, ExitStatus};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::limits::Place;

/// Waits for processes that were asked to end, and ends those that don't.
pub(crate) trait Reaper: fmt::Debug + Send + Sync {
    /// Sees to the end of a process. What `then` holds is dropped when it has come.
    fn reap(&self, ending: Ending);
}

/// A process. Unless it has ended before, [`Child::retire`] ends it.
#[derive(Debug)]
pub(crate) struct Child {
    process: Option<process::Child>,
    reaper: Arc<dyn Reaper>,
}

/// A process that was asked to end. When this is dropped, it has.
#[derive(Debug)]
pub(crate) struct Ending {
    process: process::Child,
    _place: Arc<Place>,
}

impl Child {
    /// A process that was just started.
    pub(crate) fn new(process: process::Child, reaper: Arc<dyn Reaper>) -> Self {
        Self {
            process: Some(process),
            reaper,
        }
    }

    /// Ends it at once, if it has not ended, and says how it did.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        let mut process = self.process.take().ok_or(io::ErrorKind::NotFound)?;
        // Its socket is closed, so it is about to be gone, however it came to that.
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        process.kill()?;
        process.wait()
    }

    /// Asks it to end, and leaves it to those who see to that.
    pub(super) fn retire(&mut self, place: Arc<Place>) {
        if let Some(process) = self.process.take() {
            let ending = Ending {
                process,
                _place: place,
            };
            // It may have ended by itself, but the number is its own until somebody has waited for it.
            let _ = kill(ending.pid(), Signal::SIGTERM);
            self.reaper.reap(ending);
        }
    }
}

impl Ending {
    /// The process's number.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().cast_signed())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Both fail only if it was waited for.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
