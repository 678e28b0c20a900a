//! A child process: watched from its start, and reaped as soon as it has ended.
//!
//! The system keeps what a child ended with until somebody asks, and its number until then. So a signal is sent, and the
//! status asked for, under one lock: a number that was given to somebody else is never signalled.

use std::io;
use std::ops::DerefMut;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};

use super::spawn::Started;
use super::{ChildError, Command, Pipe};
use crate::kernel::{Direction, Duty, InstanceKey, Kernel, Readiness, SourceKey};

/// How long the end of an instance waits for its children, which were killed. The kernel looks after those that take
/// longer; the system may keep one that uses a disk.
const PATIENCE: Duration = Duration::from_millis(50);

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// By itself, with a number.
    Exited(i32),
    /// By the signal of this number.
    Killed(i32),
}

/// What is known of a child.
#[derive(Clone, Copy, Debug)]
enum State {
    Runs,
    Ended(ExitStatus),
    /// It has ended, and somebody else has taken its status.
    Lost,
}

/// A child, as a guest has it. Whoever drops it calls [`Child::abandon`] before.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Child {
    process: Arc<Process>,
    source: SourceKey,
    readiness: Arc<Readiness>,
}

/// A process that is our child until it is reaped.
#[derive(Debug)]
struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    /// Whether signals are for its group, and what is left of that ends with it.
    kill_group: bool,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: State,
    /// Nobody has a handle of it any more.
    abandoned: bool,
    /// It counts as one of the instance's processes.
    counted: bool,
}

/// The children of an instance, those that it has dropped among them.
#[derive(Debug, Default)]
pub(crate) struct Children(Vec<(SourceKey, Arc<Process>)>);

/// A child that was started, and the other ends of its pipes.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) pipes: [Option<Pipe>; 3],
}

impl Children {
    /// Starts a program.
    pub(crate) fn spawn(
        &mut self,
        command: Command,
        kill_group: bool,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<Spawned, ChildError> {
        self.make_room(kernel, owner)?;
        let begun = begin(command, kill_group, kernel, owner);
        let (child, ends) = begun.inspect_err(|_| kernel.give_process(owner))?;
        let (source, watched) = (child.source, child.process.clone());
        self.0.push((source, watched.clone()));
        let duty = move |kernel: &mut Kernel| watched.settle(kernel, source, owner);
        kernel.set_duty(source, Duty::new(duty));
        let mut spawned = Spawned {
            child,
            pipes: [None, None, None],
        };
        for (number, end) in ends.into_iter().enumerate() {
            let direction = if number == 0 {
                Direction::Write
            } else {
                Direction::Read
            };
            let pipe = end.map(|end| Pipe::new(end, direction, kernel, owner));
            match pipe.transpose() {
                Ok(pipe) => spawned.pipes[number] = pipe,
                Err(error) => {
                    spawned.undo(kernel);
                    return Err(error);
                }
            }
        }
        Ok(spawned)
    }

    /// Takes a process from the budget. Before that is refused, it looks whether some have just ended.
    fn make_room(&mut self, kernel: &mut Kernel, owner: InstanceKey) -> Result<(), ChildError> {
        self.0.retain(|(_, process)| process.runs());
        if kernel.instance(owner).budget().take_process().is_ok() {
            return Ok(());
        }
        for (_, process) in &self.0 {
            process.look(kernel, owner);
        }
        Ok(kernel.instance(owner).budget().take_process()?)
    }

    /// Kills one whose handle the guest can't be given.
    pub(crate) fn give_up(&mut self, source: SourceKey, kernel: &mut Kernel) {
        for (_, process) in self.0.iter().filter(|(known, _)| *known == source) {
            process.shared().abandoned = true;
            process.kill();
            kernel.tell_closed(source);
        }
    }

    /// Kills those that still run, and waits a little for their end.
    ///
    /// The kernel is locked for moments only: its thread may have other things to do meanwhile.
    pub(crate) fn end<K: DerefMut<Target = Kernel>>(&mut self, kernel: impl Fn() -> K) {
        let mut left = std::mem::take(&mut self.0);
        left.retain(|(_, process)| process.kill());
        let mut patience = PATIENCE;
        for (source, process) in left {
            let begun = kernel().clock();
            if process.wait(patience) {
                process.reap();
            } else {
                kernel().disown(source);
                process.shared().abandoned = true;
            }
            patience = patience.saturating_sub(kernel().clock().since(begun));
        }
    }
}

/// Starts a program, and has the kernel watch it.
fn begin(
    command: Command,
    kill_group: bool,
    kernel: &mut Kernel,
    owner: InstanceKey,
) -> Result<(Child, [Option<OwnedFd>; 3]), ChildError> {
    let (pid, ends): Started = command.start()?;
    let process = Arc::new(Process::new(pid, kill_group)?);
    let (source, readiness) = kernel.watch(Some(owner), process.pidfd.as_fd())?;
    let child = Child {
        process,
        source,
        readiness,
    };
    Ok((child, ends))
}

impl Spawned {
    /// Does away with it, since the guest can't be given all of it.
    pub(crate) fn undo(self, kernel: &mut Kernel) {
        for mut pipe in self.pipes.into_iter().flatten() {
            pipe.close(kernel);
        }
        self.child.process.kill();
        self.child.abandon(kernel);
    }
}

impl Child {
    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// How it has ended, if it has.
    pub(crate) fn try_wait(
        &self,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<ExitStatus, ChildError> {
        match self.process.look(kernel, owner) {
            State::Ended(status) => Ok(status),
            State::Lost => {
                let what = "somebody else has taken the status of this process";
                Err(io::Error::other(what).into())
            }
            State::Runs => {
                self.readiness.clear(Direction::Read);
                Err(io::Error::from(io::ErrorKind::WouldBlock).into())
            }
        }
    }

    /// Sends it a signal. Returns false if it has ended.
    pub(crate) fn send_signal(&self, number: i32) -> Result<bool, ChildError> {
        let signal = Signal::from_named_raw(number);
        let signal = signal.ok_or(ChildError::Argument(
            "there is no such signal; real-time ones can't be sent",
        ))?;
        Ok(self.process.signal(signal)?)
    }

    /// The kernel's entry, for a task to wait on.
    pub(crate) fn source(&self) -> SourceKey {
        self.source
    }

    /// Leaves it to the kernel.
    pub(crate) fn abandon(self, kernel: &mut Kernel) {
        let mut shared = self.process.shared();
        shared.abandoned = true;
        let runs = matches!(shared.state, State::Runs);
        drop(shared);
        if runs {
            // A task that waits for it is told that it is closed, by a source that nobody waits on any more.
            kernel.tell_closed(self.source);
        } else {
            kernel.unwatch(self.source, self.process.pidfd.as_fd());
        }
    }
}

impl Process {
    /// A process that was just started. It is killed if it can't be watched.
    fn new(pid: nix::unistd::Pid, kill_group: bool) -> io::Result<Self> {
        let pid = Pid::from_raw(pid.as_raw()).expect("a child has a number");
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| {
            // It is our child and not reaped, so the number is its own.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
        })?;
        let shared = Shared {
            state: State::Runs,
            abandoned: false,
            counted: true,
        };
        Ok(Self {
            pid,
            pidfd,
            kill_group,
            shared: Mutex::new(shared),
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self) -> bool {
        matches!(self.shared().state, State::Runs)
    }

    /// Asks the system whether it has ended, and lets it forget the process then.
    fn reap(&self) -> State {
        let mut shared = self.shared();
        if !matches!(shared.state, State::Runs) {
            return shared.state;
        }
        let id = || WaitId::PidFd(self.pidfd.as_fd());
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if self.kill_group && matches!(waitid(id(), look | WaitIdOptions::NOWAIT), Ok(Some(_))) {
            // It is not reaped, so the group's number is its own.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        shared.state = match waitid(id(), look) {
            Ok(None) | Err(rustix::io::Errno::INTR) => State::Runs,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => State::Ended(ExitStatus::Exited(code)),
                (None, Some(signal)) => State::Ended(ExitStatus::Killed(signal)),
                (None, None) => State::Lost,
            },
            Err(_) => State::Lost,
        };
        shared.state
    }

    /// As [`Process::reap`], and gives its place in the budget back if it has ended.
    fn look(&self, kernel: &mut Kernel, owner: InstanceKey) -> State {
        let state = self.reap();
        if !matches!(state, State::Runs) && std::mem::take(&mut self.shared().counted) {
            kernel.give_process(owner);
        }
        state
    }

    /// Sends a signal to it, or its group. Returns false if it has ended.
    fn signal(&self, signal: Signal) -> io::Result<bool> {
        if !matches!(self.reap(), State::Runs) {
            return Ok(false);
        }
        let _shared = self.shared();
        let sent = if self.kill_group {
            kill_process_group(self.pid, signal)
        } else {
            pidfd_send_signal(&self.pidfd, signal)
        };
        match sent {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Kills it. Returns whether it has to be waited for.
    fn kill(&self) -> bool {
        // One that has become another user's is not ours to end. It goes on, and is reaped when it does end.
        drop(self.signal(Signal::KILL));
        self.runs()
    }

    /// Waits until it has ended, for a time at most. Returns whether it has.
    fn wait(&self, time: Duration) -> bool {
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO);
        let mut ready = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        poll(&mut ready, timeout).is_ok_and(|count| count > 0)
    }

    /// What the kernel does when it has ended. Returns whether it has.
    fn settle(&self, kernel: &mut Kernel, source: SourceKey, owner: InstanceKey) -> bool {
        if matches!(self.look(kernel, owner), State::Runs) {
            return false;
        }
        if self.shared().abandoned {
            kernel.unwatch(source, self.pidfd.as_fd());
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kill() && self.wait(PATIENCE) {
            self.reap();
        }
    }
}
