//! `run`: loads a component, runs it to its end, and says how that was.

use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::args::RunArgs;
use super::command::Command;
use super::failure::Failure;
use super::{activation, log, settings, usage, worker};
use crate::host::{Exit, Host, Options, Termination};
use crate::limits::descriptors;
use crate::loader::{Component, Engine, EngineOptions};
use crate::selector::reserve_descriptors;
use crate::signals::{self, Signals};
use crate::{Error, InheritedSockets, Stdio};

/// A process that a signal ended has this and the signal's number as its status, in every shell.
const SIGNAL_BASE: i32 = 128;

/// How soon a signal is noticed while a component is being compiled.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// Runs a component, and returns the status to exit with.
///
/// # Errors
/// If it can't be run, faults or passes a limit.
pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let handed = activation::take();
    let words = args.component_and_args.split_first();
    let Some((component, guest_args)) = words.filter(|(component, _)| !component.is_empty()) else {
        return Err(usage::no_component(Command::Run));
    };
    let name = name(component);
    let mut options = Options {
        permissions: settings::permissions(&args.permissions)?,
        limits: settings::limits(&args.limits)?,
        args: settings::arguments(&name, guest_args)?,
        stdio: Stdio::Inherit,
        sockets: InheritedSockets::new(),
        worker_program: Some(worker::program(&args.other)),
    };
    log::start(&args.other)?;
    options.sockets = activation::for_guest(handed, &options.permissions)?;

    let mut signals = Taken {
        ending: Termination::take()?,
        watched: Signals::take(&options.permissions)?,
    };
    raise_descriptor_limit();
    descriptors::run_one_application();
    let loading = Loading {
        component: component.clone(),
        engine: settings::engine(&args.other),
        precompiled: args.other.allow_precompiled,
    };
    let (engine, component) = match load(loading, &mut signals)? {
        Loaded::Ready(engine, component) => (engine, component),
        Loaded::Interrupted(signal) => return Ok(signal_status(signal)),
    };
    let mut host = Host::new(&engine)?;
    host.watch_signals(signals.watched)?;
    let instance = host.start(&component, options)?;
    host.end_on(signals.ending, instance)?;
    let exit = host.run(instance)?;
    status(name, exit, host.termination_signal())
}

/// What the guest is called: by custom, its file's name.
fn name(component: &OsString) -> String {
    let path = Path::new(component);
    let name = path.file_name().unwrap_or(component);
    name.to_string_lossy().into_owned()
}

/// What is to be loaded.
struct Loading {
    component: OsString,
    engine: EngineOptions,
    precompiled: bool,
}

/// The signals that this process takes.
struct Taken {
    ending: Termination,
    watched: Signals,
}

impl Taken {
    /// Sees to the signals that have come while nobody can watch them. Returns the number of one that is to end the
    /// program.
    fn poll(&mut self) -> Option<i32> {
        while let Some(signal) = self.watched.read() {
            if !self.ending.take_notice(signal) {
                signals::deliver(signal);
            }
        }
        self.ending.poll()
    }
}

/// How loading ended.
enum Loaded {
    Ready(Engine, Component),
    /// By a signal.
    Interrupted(i32),
}

/// Loads a component on a thread of its own: the compiler may take long and can't be interrupted, but
/// the program can.
#[expect(
    clippy::disallowed_methods,
    reason = "the thread that loads the component"
)]
fn load(loading: Loading, signals: &mut Taken) -> Result<Loaded, Error> {
    let (sender, receiver) = mpsc::channel();
    let load = move || {
        let engine = Engine::new(&loading.engine)?;
        let component = if loading.precompiled {
            Component::load_precompiled(&engine, &loading.component)?
        } else {
            Component::load(&engine, &loading.component)?
        };
        Ok(Loaded::Ready(engine, component))
    };
    let thread = std::thread::Builder::new()
        .name("curio-loader".to_owned())
        .spawn(move || drop(sender.send(load())))
        .map_err(|source| Error::Setup {
            what: "the loader's thread",
            source,
        })?;
    loop {
        match receiver.recv_timeout(SIGNAL_CHECK) {
            Ok(loaded) => return loaded,
            Err(RecvTimeoutError::Timeout) => {
                if let Some(signal) = signals.poll() {
                    return Ok(Loaded::Interrupted(signal));
                }
            }
            // It has said why: a panic is our mistake, and not to be made less of.
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Ok(()) => unreachable!("the loader sends before it ends"),
                Err(panic) => std::panic::resume_unwind(panic),
            },
        }
    }
}

/// Lets the process have as many descriptors as it may; the soft limit is for programs that use `select(2)`.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::info!("the limit of descriptors stays as it is: {error}");
    }
    reserve_descriptors();
}

/// The status for a guest's end. A guest that a signal cancelled and that made nothing else of it
/// has ended by that signal.
fn status(name: String, exit: Exit, signal: Option<i32>) -> Result<u8, Failure> {
    match (exit, signal) {
        (Exit::Code(0), _) => Ok(0),
        (Exit::Code(_) | Exit::Stopped, Some(signal)) => Ok(signal_status(signal)),
        (Exit::Code(code), None) => Ok(u8::try_from(code).unwrap_or(1)),
        (Exit::Stopped, None) => Ok(1),
        (Exit::Limit(limit), _) => Err(Failure::Limit { name, limit }),
        (Exit::Fault(text), _) => Err(Failure::Fault { name, text }),
    }
}

fn signal_status(signal: i32) -> u8 {
    u8::try_from(SIGNAL_BASE + signal).unwrap_or(u8::MAX)
}
