//! `curio:kernel/subprocess`: programs of the host's, under the permissions.

use wasmtime::component::Resource;

use super::sockets::at_most;
use super::{Guest, TrapError, lock};
use crate::bindings::subprocess::{self, Command, ExitStatus, Spawned, Stdio};
use crate::bindings::traps::Caller;
use crate::closer::ClosedLater;
use crate::files::{File, Owner};
use crate::kernel::{Direction, Outcome};
use crate::permissions::{Access, DEFAULT_PATH, Denied, Program, find_program};
use crate::sockets::Socket;
use crate::subprocess::{
    self as native, Child, ChildError, Command as Native, Pipe, Stream, can_be_changed,
};

/// How much of a pipe is read at a time: what Linux keeps in one.
const MAX_READ: usize = 64 * 1024;

impl From<ChildError> for TrapError {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::Io(error) => error.into(),
            ChildError::State(what) => Self::invalid_state(what),
            ChildError::Argument(what) => Self::invalid_argument(what),
            ChildError::Limit(limit) => limit.into(),
        }
    }
}

impl From<native::ExitStatus> for ExitStatus {
    fn from(status: native::ExitStatus) -> Self {
        match status {
            native::ExitStatus::Exited(code) => Self::Exited(code),
            native::ExitStatus::Killed(signal) => Self::Killed(signal),
        }
    }
}

impl Guest {
    /// Finds out where a stream of a child's leads. What was given for it is the guest's no more, however that goes.
    fn stream(&mut self, stdio: Stdio, number: usize) -> Result<Stream, TrapError> {
        Ok(match stdio {
            Stdio::Inherit if self.streams.is_some() => Stream::Inherit,
            Stdio::Inherit | Stdio::Null => Stream::Null,
            Stdio::Pipe => Stream::Pipe,
            Stdio::Stdout => Stream::Stdout,
            Stdio::PipeEnd(pipe) => Stream::Given(self.take_pipe(pipe, number)?),
            Stdio::Socket(socket) => Stream::Given(self.take_socket(socket)?),
            Stdio::File(file) => Stream::Given(self.take_file(file)?),
        })
    }

    fn take_pipe(&mut self, pipe: Resource<Pipe>, number: usize) -> Result<ClosedLater, TrapError> {
        let mut pipe = self.table.delete(pipe)?;
        let direction = if number == 0 {
            Direction::Read
        } else {
            Direction::Write
        };
        let mut kernel = lock(&self.kernel);
        let given = pipe.give_away(&mut kernel, direction);
        pipe.close(&mut kernel);
        let closer = kernel.instance(self.key).closer();
        kernel.instance(self.key).budget().give_handle();
        Ok(ClosedLater::new(given?, closer))
    }

    fn take_socket(&mut self, socket: Resource<Socket>) -> Result<ClosedLater, TrapError> {
        let mut socket = self.table.delete(socket)?;
        let mut kernel = lock(&self.kernel);
        let given = socket.give_away(&mut kernel);
        let lingering = socket.close_and_linger(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        drop(kernel);
        self.note_lingering(lingering);
        Ok(given?)
    }

    fn take_file(&mut self, file: Resource<File>) -> Result<ClosedLater, TrapError> {
        let mut file = self.table.delete(file)?;
        let kernel = &mut lock(&self.kernel);
        let key = self.key;
        let given = file.give_away(&mut Owner { kernel, key });
        file.close(&mut Owner { kernel, key }, &self.lane);
        let closer = kernel.instance(key).closer();
        kernel.instance(key).budget().give_handle();
        Ok(ClosedLater::new(given?, closer))
    }

    /// Checks that the guest may do what it wants, and says what is to be done for that.
    fn to_spawn(&self, how: Command, streams: [Stream; 3]) -> Result<Native, TrapError> {
        let program = match self.permissions.check_run(&how.program)? {
            Program::Granted(path) => {
                let writable = self.directories.writable();
                if !self.permissions.is_all()
                    && let Some(change) = can_be_changed(&path, writable)?
                {
                    return Err(Denied::run_writable(&how.program, change.remedy()).into());
                }
                path
            }
            Program::Any => find_any(&how.program)?,
        };
        let mut environment = how.environment;
        let own = environment.len();
        if !environment.iter().any(|(name, _)| name == "PATH") {
            environment.push(("PATH".to_owned(), DEFAULT_PATH.to_owned()));
        }
        let directory = match how.directory {
            Some(path) => Some(self.find(&path, Access::Read)?.open_directory()?),
            None => None,
        };
        let command = Native {
            program,
            args: how.args,
            environment,
            directory,
            streams,
            own_group: how.own_group || how.kill_group,
        };
        command.check()?;
        for (name, value) in &command.environment[..own] {
            self.permissions.check_run_variable(name, value)?;
        }
        Ok(command)
    }

    /// Gives the guest the handles of a child, which were taken from the budget.
    fn give(&mut self, spawned: native::Spawned) -> Result<Spawned, TrapError> {
        let native::Spawned { child, pipes } = spawned;
        let source = child.source();
        let [stdin, stdout, stderr] = pipes.map(|pipe| pipe.map(|pipe| self.give_pipe(pipe)));
        let ends = [stdin, stdout, stderr].map(Option::transpose);
        match (self.push(child), ends) {
            (Ok(child), [Ok(stdin), Ok(stdout), Ok(stderr)]) => Ok(Spawned {
                child,
                stdin,
                stdout,
                stderr,
            }),
            (child, ends) => {
                // There is no room for all of it, so there is none of it.
                let kernel = &mut lock(&self.kernel);
                self.children.give_up(source, kernel);
                let mut failed = child.map(|child| self.table.delete(child)).err();
                for end in ends {
                    match end {
                        Ok(Some(pipe)) => self.table.delete(pipe)?.close(kernel),
                        Ok(None) => {}
                        Err(error) => failed = Some(error),
                    }
                }
                Err(failed.expect("something could not be given"))
            }
        }
    }

    fn give_pipe(&mut self, pipe: Pipe) -> Result<Resource<Pipe>, TrapError> {
        let source = pipe.source();
        self.push(pipe).inspect_err(|_| {
            // It is closed by now.
            if let Some(source) = source {
                lock(&self.kernel).remove_source(source);
            }
        })
    }

    fn wait_for_pipe(
        &mut self,
        this: &Resource<Pipe>,
        by: Caller,
        direction: Direction,
    ) -> wasmtime::Result<u64> {
        let key = self.key;
        let pipe = self.table.get(this)?;
        let source = pipe.source();
        let outcome = if pipe.is_for(direction) {
            Outcome::Closed
        } else {
            Outcome::InvalidState
        };
        self.pend(|kernel| match source {
            Some(source) if outcome == Outcome::Closed => {
                kernel.wait_for_source(key, by.into(), source, direction)
            }
            _ => kernel.end_at_once(key, by.into(), outcome),
        })
    }
}

/// What a word stands for if everything is allowed: the host looks it up for itself.
#[expect(clippy::disallowed_methods, reason = "the host's own PATH")]
fn find_any(word: &str) -> Result<std::path::PathBuf, TrapError> {
    let found = find_program(word, std::env::var_os("PATH"));
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    Ok(found.ok_or_else(missing)?)
}

impl subprocess::Host for Guest {
    fn spawn(&mut self, mut how: Command) -> Result<Spawned, TrapError> {
        trace_trap!(
            "subprocess.spawn",
            program = ?how.program,
            args = how.args.len(),
            directory = ?how.directory
        );
        let mut given = [&mut how.stdin, &mut how.stdout, &mut how.stderr]
            .map(|stdio| std::mem::replace(stdio, Stdio::Null))
            .into_iter()
            .enumerate()
            .map(|(number, stdio)| self.stream(stdio, number))
            // All of them, whatever comes of the first.
            .collect::<Vec<_>>()
            .into_iter();
        let mut next = || given.next().expect("there are three");
        let streams = [next()?, next()?, next()?];
        let kill_group = how.kill_group;
        let command = self.to_spawn(how, streams)?;
        let handles = 1 + command.pipes();
        self.take_handles(handles)?;
        let spawned = {
            let kernel = &mut lock(&self.kernel);
            self.children.spawn(command, kill_group, kernel, self.key)
        };
        let given = spawned
            .map_err(TrapError::from)
            .and_then(|spawned| self.give(spawned));
        if given.is_err() {
            self.give_handles(handles);
        }
        given
    }
}

impl subprocess::HostChild for Guest {
    fn id(&mut self, this: Resource<Child>) -> wasmtime::Result<u32> {
        trace_trap!("child.id", child = this.rep());
        Ok(self.table.get(&this)?.id())
    }

    fn try_wait(&mut self, this: Resource<Child>) -> Result<ExitStatus, TrapError> {
        trace_trap!("child.try-wait", child = this.rep());
        let child = self.table.get(&this)?;
        Ok(child.try_wait(&mut lock(&self.kernel), self.key)?.into())
    }

    fn send_signal(&mut self, this: Resource<Child>, signal: i32) -> Result<bool, TrapError> {
        trace_trap!("child.send-signal", child = this.rep(), signal);
        Ok(self.table.get(&this)?.send_signal(signal)?)
    }

    fn wait(&mut self, this: Resource<Child>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "child.wait",
            child = this.rep(),
            task = self.serial(by.task)
        );
        let key = self.key;
        let source = self.table.get(&this)?.source();
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, Direction::Read))
    }

    fn drop(&mut self, this: Resource<Child>) -> wasmtime::Result<()> {
        trace_trap!("child.drop", child = this.rep());
        let child = self.table.delete(this)?;
        let mut kernel = lock(&self.kernel);
        child.abandon(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}

impl subprocess::HostPipe for Guest {
    fn read(&mut self, this: Resource<Pipe>, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("pipe.read", pipe = this.rep(), max);
        let max = at_most(max).min(MAX_READ);
        Ok(self.table.get(&this)?.read(max)?)
    }

    fn write(&mut self, this: Resource<Pipe>, data: Vec<u8>) -> Result<u32, TrapError> {
        trace_trap!("pipe.write", pipe = this.rep(), bytes = data.len());
        let written = self.table.get(&this)?.write(&data)?;
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    fn close(&mut self, this: Resource<Pipe>) -> wasmtime::Result<()> {
        trace_trap!("pipe.close", pipe = this.rep());
        let kernel = self.kernel.clone();
        self.table.get_mut(&this)?.close(&mut lock(&kernel));
        Ok(())
    }

    fn read_wait(&mut self, this: Resource<Pipe>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "pipe.read-wait",
            pipe = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for_pipe(&this, by, Direction::Read)
    }

    fn write_wait(&mut self, this: Resource<Pipe>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "pipe.write-wait",
            pipe = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for_pipe(&this, by, Direction::Write)
    }

    fn drop(&mut self, this: Resource<Pipe>) -> wasmtime::Result<()> {
        trace_trap!("pipe.drop", pipe = this.rep());
        let mut pipe = self.table.delete(this)?;
        let mut kernel = lock(&self.kernel);
        pipe.close(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}
