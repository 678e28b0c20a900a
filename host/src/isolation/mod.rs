//! Confining a process of its own, so that what breaks out of the sandbox finds another one around it.
//!
//! A worker process runs an instance under the same permissions as the one that has started it. That instance is held to
//! them by the sandbox and by the traps; here the operating system is asked to hold the whole process to them as well,
//! as far as it can tell. It is a second wall, so what the system does not have is told to the log and is no error.
//!
//! A process comes here twice: with [`begin`] as the first thing that it does, and with [`Begun::confine`] when it has
//! opened what it needs, before it has a second thread.
//!
//! - `process`: what a process can do without, whatever is granted
//! - `reach`: files, ports and other processes, by Landlock
//! - `calls`: system calls, by seccomp; `unneeded`: those that only a process with programs of its own needs
//! - `report`: what of all that is in force

mod calls;
mod process;
mod reach;
mod report;
#[cfg(test)]
mod tests;
mod unneeded;

use std::os::fd::RawFd;

use nix::unistd::Pid;

pub(crate) use self::report::{Force, Measure, Report};
use crate::limits::Limits;
use crate::permissions::Permissions;

/// Whoever has started this process is gone, and with it what this one is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the process that has started this one is gone")]
pub(crate) struct Orphaned;

/// A process that is about to be confined.
#[derive(Debug)]
#[must_use = "it is not confined yet"]
pub(crate) struct Begun {
    report: Report,
}

/// Begins: from here on the process ends with its starter, leaves no image of its memory, can't be looked into by others
/// of its user's, and has only the standard streams and `keep` open.
///
/// To be called first: whatever else is open is closed, whoever owns it. `parent` is the process that has started this one,
/// by whose number it can be told whether that still lives. By the system's rules this process ends when the *thread*
/// ends that has started it, so that has to be one that lasts.
///
/// # Errors
/// If the starter is gone by now: then this process should end.
pub(crate) fn begin(parent: Pid, keep: &[RawFd]) -> Result<Begun, Orphaned> {
    let mut report = Report::default();
    report.note(Measure::ParentDeath, process::end_with(parent)?);
    report.note(Measure::Descriptors, process::close_all_but(keep));
    report.note(Measure::CoreDumps, process::leave_no_core());
    report.note(Measure::Tracing, process::hide_memory());
    Ok(Begun { report })
}

impl Begun {
    /// Confines this thread, and all that it starts from now on, to what permissions and limits allow. There is no way
    /// back. To be called when all is open that the permissions do not name: the component, the keys of TLS identities,
    /// the standard streams.
    ///
    /// `runs_programs` says that this process itself may start others, by `--allow-run`. They would be confined as it is,
    /// and do not work so: a program needs its libraries, its settings and whatever it is for. So files, ports and other processes
    /// are not closed off then; but neither it nor they ever get further privileges, by `sudo` say, or make a
    /// system call that is never needed here.
    pub(crate) fn confine(
        self,
        permissions: &Permissions,
        limits: &Limits,
        runs_programs: bool,
    ) -> Report {
        let mut report = self.report;
        report.note(Measure::Privileges, process::give_up_privileges());
        let count = process::limit_descriptors(limits.handles());
        report.note(Measure::DescriptorLimit, count);
        if runs_programs {
            for measure in [Measure::Files, Measure::Ports, Measure::Processes] {
                report.note(measure, Force::Unwanted("it may run programs"));
            }
        } else {
            for (measure, force) in reach::restrict(permissions) {
                report.note(measure, force);
            }
        }
        let calls = calls::restrict(permissions, runs_programs);
        report.note(Measure::Calls, calls);
        report.log();
        report
    }
}
