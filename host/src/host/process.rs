//! Workers in processes of their own: how one is started, and what it does.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::worker::Launcher;
use super::{Application, Host, Opened, Options, open_outputs};
use crate::background::Background;
use crate::error::Error;
use crate::isolation::{self, Begun};
use crate::kernel::Direction;
use crate::limits::Allowance;
use crate::limits::descriptors;
use crate::loader::{Cache, Component, Engine, EngineOptions, Pool};
use crate::traps::{Streams, lock};
use crate::workers::process::{Answer, Child, Ending, Link, Order, Reaper, Setup, Started};
use crate::workers::{Call, Interruption, Outcome, Payload, Report, StartError};

/// How long a process that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// Why a worker process has no worker processes.
const NOT_NESTED: &str =
    "a worker process can't start others; have the job done by the program itself";

/// The program that worker processes run: one that calls [`WorkerProcess::begin`] before anything else.
///
/// ```no_run
/// use curio_host::{Options, WorkerProgram};
///
/// // In main, before anything else:
/// if std::env::args().nth(1).as_deref() == Some("work") {
///     let process = curio_host::WorkerProcess::begin()?;
///     return process.run();
/// }
/// // And when an instance is started:
/// let mut options = Options::default();
/// options.worker_program = Some(WorkerProgram::new("/proc/self/exe", ["work"]));
/// # Ok::<(), curio_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerProgram {
    path: PathBuf,
    args: Vec<OsString>,
}

impl WorkerProgram {
    /// A program, with these arguments.
    pub fn new<A: Into<OsString>>(
        path: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            path: path.into(),
            args: args.into_iter().map(Into::into).collect(),
        }
    }
}

impl Launcher {
    /// Starts a worker process. It gets a clean environment, and of the descriptors only what is meant for it.
    pub(super) fn start_process(&self) -> Result<Started, StartError> {
        let application = &self.application;
        let program = application.worker_program.as_ref();
        let program = program.map_err(|text| StartError::Refused((*text).to_owned()))?;
        let (images, component) = (&application.images, &application.component);
        let (component, interruption) = if self.may_be_uninterrupted() {
            images.complete(component, &self.engine, &self.background);
            images.get(component)?
        } else {
            (images.interrupted(component)?, Interruption::Ticks)
        };
        let setup = Setup {
            interruption,
            starter: std::process::id(),
            permissions: (*application.permissions).clone(),
            limits: application.limits,
            args: application.args.to_vec(),
            has_streams: application.streams.is_some(),
            component: application.component.path().to_owned(),
            pool: self.engine.pool().map(|pool| (pool.instances, pool.memory)),
        };
        let setup = postcard::to_stdvec(&setup).map_err(io::Error::other)?;
        let (socket, of_child) = UnixStream::pair()?;
        let stream = || {
            if application.streams.is_some() {
                Stdio::inherit()
            } else {
                Stdio::null()
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "it is the host's own program, and no power of the guest's"
        )]
        let process = Command::new(&program.path)
            .args(&program.args)
            .env_clear()
            .stdin(OwnedFd::from(of_child))
            .stdout(stream())
            .stderr(stream())
            .spawn()?;
        Ok(Started {
            child: Child::new(process, Arc::new(self.background.clone())),
            socket,
            setup,
            component,
            interruption,
        })
    }

    /// Whether processes that were started before can be replaced by faster ones.
    pub(super) fn has_faster(&self) -> bool {
        self.may_be_uninterrupted() && self.application.images.are_complete()
    }

    /// Whether nothing depends on a worker process's being interrupted: its CPU time is measured by that, and
    /// it ends its own programs when it is told to end.
    fn may_be_uninterrupted(&self) -> bool {
        let Application {
            limits,
            permissions,
            ..
        } = &self.application;
        limits.cpu_time().is_none() && !permissions.allows_any_program()
    }
}

impl Reaper for Background {
    fn reap(&self, ending: Ending) {
        let pid = Pid::from_raw(ending.pid().as_raw());
        let ended = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok());
        self.handle().spawn(async move {
            // Without a descriptor that tells of its end, it is killed at once.
            if let Some(ended) = ended.and_then(watch) {
                drop(timeout(GRACE, ended.readable()).await);
            }
            drop(ending);
        });
    }
}

/// Waits for a process's end by its descriptor.
fn watch(process: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    #[expect(unsafe_code, reason = "what is watched is to stay what it is")]
    // SAFETY: the descriptor is owned, so that it stays open, and the same, until it is no longer watched.
    let watched = unsafe { AsyncFd::register(process) };
    watched.ok()
}

/// A worker process, from the inside: see [`WorkerProgram`].
///
/// It is a wall around the sandbox. It starts with a clean environment; once it has begun, it has no descriptors but its
/// own, ends with the process that started it, and leaves no image of its memory. When it runs, the system holds
/// it to the rights that it works under, as far as it can tell them apart: by Landlock, by seccomp, and by taking away
/// all further privileges. What the running system does not have is told to the log.
#[derive(Debug)]
pub struct WorkerProcess {
    link: Link,
    setup: Setup,
    code: Vec<u8>,
    begun: Begun,
}

impl WorkerProcess {
    /// Begins. Its standard input leads to the process that it works for. To be called before the process has a second
    /// thread, and before it opens anything: whatever else is open is closed.
    ///
    /// # Errors
    /// If it was started by somebody else, or who started it is gone.
    pub fn begin() -> Result<Self, Error> {
        Self::try_begin().map_err(|source| Error::Setup {
            what: "the worker process, which only curio-host itself can start",
            source,
        })
    }

    fn try_begin() -> io::Result<Self> {
        // Who interrupts a program at its terminal means the program, which sees to its workers. What else the program
        // keeps from its own threads is not kept from this one.
        SigSet::from_iter([Signal::SIGINT]).thread_set_mask()?;
        let mut link = take_link()?;
        let (setup, image) = link.receive_first()?;
        let setup: Setup = postcard::from_bytes(&setup).map_err(io::Error::other)?;
        let code = read_image(image)?;
        let starter = nix::unistd::Pid::from_raw(setup.starter.cast_signed());
        let begun = isolation::begin(starter, &[link.as_fd().as_raw_fd()]);
        Ok(Self {
            link,
            setup,
            code,
            begun: begun.map_err(io::Error::other)?,
        })
    }

    /// Does jobs until the process that it works for is gone, or a job ends it.
    ///
    /// # Errors
    /// If what it may do can't be opened any more, or the system does not give what a kernel needs.
    pub fn run(self) -> Result<(), Error> {
        let Self {
            link,
            setup,
            code,
            begun,
        } = self;
        let opened = Opened::new(&setup.permissions)?;
        let outputs = setup.has_streams.then(open_outputs).transpose()?;
        let runs_programs = setup.permissions.allows_any_program();
        if runs_programs {
            // Their end is for this process to see to, which it comes to when its link is closed.
            let blocked = SigSet::from_iter([Signal::SIGTERM]).thread_block();
            blocked.map_err(|errno| Error::Setup {
                what: "the worker process",
                source: errno.into(),
            })?;
        }
        begun.confine(&setup.permissions, &setup.limits, runs_programs);
        let options = EngineOptions {
            cache: Cache::Off,
            pool: setup
                .pool
                .map(|(instances, memory)| Pool { instances, memory }),
        };
        let engine = Engine::with(&options, setup.interruption)?;
        let component = Component::from_serialized(&engine, &setup.component, &code)?;
        drop(code);
        let host = Host::new(&engine)?;
        let options = Options {
            permissions: setup.permissions,
            limits: setup.limits,
            args: setup.args,
            ..Options::default()
        };
        let mut application = Application::new(
            &component,
            options,
            opened,
            outputs.as_ref().map(Streams::new),
            host.authorities.clone(),
            host.registry.clone(),
        );
        application.worker_program = Err(NOT_NESTED);
        host.work(application, link)
    }
}

/// The compiled component. Others read the same file at the same time, so that its position says nothing.
fn read_image(image: OwnedFd) -> io::Result<Vec<u8>> {
    let image = File::from(image);
    let length = usize::try_from(image.metadata()?.len()).map_err(io::Error::other)?;
    let mut code = vec![0; length];
    image.read_exact_at(&mut code, 0)?;
    Ok(code)
}

/// The link to the one that this process works for: its standard input, which is empty from now on.
fn take_link() -> io::Result<Link> {
    let link = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    #[expect(clippy::disallowed_methods, reason = "standard input leads nowhere")]
    let null = File::open(Path::new("/dev/null"))?;
    rustix::stdio::dup2_stdin(null)?;
    Link::new(UnixStream::from(link))
}

impl Host {
    /// Does jobs for another process until that is gone, or a job ends the instance.
    fn work(mut self, application: Application, link: Link) -> Result<(), Error> {
        let allowance = application.allowance.clone();
        let (_, readiness) = lock(&self.kernel)
            .watch(None, link.as_fd())
            .map_err(|source| Error::Setup {
                what: "the worker process",
                source,
            })?;
        let launcher = Launcher {
            engine: self.engine.clone(),
            background: self.background.clone(),
            application,
        };
        let link = Arc::new(Mutex::new(link));
        descriptors::run_one_instance();
        self.serve(&Arc::new(launcher), &Arc::default(), |inbox| {
            while readiness.get(Direction::Read) {
                match next_order(&link, &allowance) {
                    Ok(Some((call, report))) => inbox.hand_over(call, report),
                    Ok(None) => readiness.clear(Direction::Read),
                    // Nobody is there any more for whom it could do anything.
                    Err(_) => return Ok(false),
                }
            }
            Ok(true)
        })
    }
}

/// What to do next, if that has come.
fn next_order(
    link: &Arc<Mutex<Link>>,
    allowance: &Allowance,
) -> io::Result<Option<(Call, Report)>> {
    let Some((order, input)) = locked(link).receive::<Order>()? else {
        return Ok(None);
    };
    let to = link.clone();
    let report = Report::new(move |outcome| {
        let (answer, output) = match &outcome {
            Outcome::Returned(output) => (Answer::Returned, output.bytes.as_slice()),
            Outcome::Lost(loss) => (Answer::Lost(loss.clone()), [].as_slice()),
        };
        let mut link = locked(&to);
        link.push(&answer, output);
        // It fails if nobody is there any more, which shows soon.
        drop(flush(&mut link));
    });
    let input = Payload::new(input, allowance).map_err(io::Error::other)?;
    let entry = order.entry;
    Ok(Some((Call { entry, input }, report)))
}

/// Sends what is to be sent, all of it.
fn flush(link: &mut Link) -> io::Result<()> {
    while !link.flush()? {
        let mut wait = [PollFd::new(link.as_fd(), PollFlags::POLLOUT)];
        poll(&mut wait, PollTimeout::NONE)?;
    }
    Ok(())
}

fn locked(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}
