//! The driver: gives the thread to instances, as the kernel says.
//!
//! - `application`: what an application's instances have in common
//! - `running`: an instance's fiber, and what wakes it
//! - `worker`: instances that do jobs for others; `process`: those in processes of their own,
//!   and `image`: their code
//! - `meter`: how much CPU time an instance has used; `watchdog`: that no turn takes too long, in debug builds
//! - `exit`: how an instance ended
//! - `signalled`: signals; `termination`: SIGINT and SIGTERM among them

mod application;
mod exit;
mod image;
mod meter;
mod process;
mod running;
mod signalled;
mod termination;
#[cfg(test)]
mod tests;
mod watchdog;
mod worker;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use slotmap::SecondaryMap;

use self::application::{Application, Opened};
pub use self::exit::Exit;
use self::meter::CpuTime;
pub(crate) use self::meter::Meter;
pub use self::process::{WorkerProcess, WorkerProgram};
use self::running::Running;
pub use self::termination::Termination;
use self::watchdog::Watchdog;
use self::worker::Launcher;
use crate::background::{Background, reap};
use crate::error::Error;
use crate::kernel::{Door, InstanceKey, Kernel, Message, MonotonicClock};
use crate::limits::{LimitExceeded, Limits};
use crate::loader::{Active, Component, Engine};
use crate::permissions::Permissions;
use crate::selector::MioSelector;
use crate::shared::Registry;
use crate::signals::{self, SharedWatchers};
use crate::sockets::InheritedSockets;
use crate::stdio::Outputs;
use crate::tls::SystemAuthorities;
use crate::traps::{SharedKernel, Stdio, Streams, lock};

/// How long others may keep interrupted instances from having a turn.
const PREEMPTED_WAIT: Duration = Duration::from_millis(20);

/// What an instance is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What it may do: nothing, by default.
    pub permissions: Permissions,
    /// What it may use.
    pub limits: Limits,
    /// Its arguments. By custom the first one is the program's name.
    pub args: Vec<String>,
    /// Where its standard streams lead.
    pub stdio: Stdio,
    /// Sockets that it may take, if the permissions say so.
    pub sockets: InheritedSockets,
    /// What its worker processes run. Without one, it can have none.
    pub worker_program: Option<WorkerProgram>,
}

/// An instance on a [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance(InstanceKey);

/// A kernel and the instances it runs: one thread, one event loop.
///
/// ```no_run
/// use curio_host::{Component, Engine, EngineOptions, Exit, Host, Options};
///
/// # fn main() -> Result<(), curio_host::Error> {
/// let engine = Engine::new(&EngineOptions::default())?;
/// let component = Component::load(&engine, "app.wasm")?;
/// let mut host = Host::new(&engine)?;
/// let mut options = Options::default();
/// options.args = vec!["app".to_owned()];
/// let app = host.start(&component, options)?;
/// assert_eq!(host.run(app)?, Exit::Code(0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Host {
    engine: Engine,
    kernel: SharedKernel,
    /// How other threads reach the kernel.
    door: Arc<Door>,
    running: SecondaryMap<InstanceKey, Running>,
    /// How instances ended that another thread is releasing.
    ending: SecondaryMap<InstanceKey, Exit>,
    /// How instances ended that nobody has asked about yet.
    ended: Vec<(InstanceKey, Exit)>,
    termination: Option<(Termination, InstanceKey)>,
    /// Who watches which signals.
    watchers: SharedWatchers,
    /// When an interrupted instance last had a turn, on the ticker's clock.
    last_preempted: Duration,
    /// The process's own standard streams, once an instance has them.
    outputs: Option<Outputs>,
    /// Where `wasi:*` does what would block this thread.
    background: Background,
    /// Whom the system trusts, once an instance has asked for that.
    authorities: SystemAuthorities,
    /// Where its instances find what they share.
    registry: Registry,
    watchdog: Watchdog,
}

impl Host {
    /// A host without instances.
    ///
    /// # Errors
    /// If the system gives no event queue or no thread.
    pub fn new(engine: &Engine) -> Result<Self, Error> {
        Self::on_system(engine, background()?)
    }

    /// A host without instances, whose blocking work is done on the threads of another one.
    fn on_system(engine: &Engine, background: Background) -> Result<Self, Error> {
        let selector = MioSelector::new().map_err(|source| Error::Setup {
            what: "the event queue",
            source,
        })?;
        let kernel = Kernel::new(Box::new(selector), Box::new(MonotonicClock::new()));
        Ok(Self::on_kernel(engine, kernel, background))
    }

    /// A host on a kernel that has no instances.
    #[cfg(test)]
    fn with_kernel(engine: &Engine, kernel: Kernel) -> Result<Self, Error> {
        Ok(Self::on_kernel(engine, kernel, background()?))
    }

    fn on_kernel(engine: &Engine, kernel: Kernel, background: Background) -> Self {
        Self {
            engine: engine.clone(),
            door: kernel.door(),
            kernel: Arc::new(Mutex::new(kernel)),
            running: SecondaryMap::new(),
            ending: SecondaryMap::new(),
            ended: Vec::new(),
            termination: None,
            watchers: SharedWatchers::default(),
            last_preempted: Duration::ZERO,
            outputs: None,
            background,
            authorities: SystemAuthorities::default(),
            registry: Registry::default(),
            watchdog: Watchdog::default(),
        }
    }

    /// Starts an instance of a component. It runs while [`Host::run`] does.
    ///
    /// # Errors
    /// If a granted directory or the files of a TLS identity can't be opened or used, or the process has no descriptor
    /// left.
    pub fn start(&mut self, component: &Component, options: Options) -> Result<Instance, Error> {
        let streams = match options.stdio {
            Stdio::Inherit => Some(self.streams()?),
            Stdio::Null => None,
        };
        let sockets = options.sockets.clone();
        let authorities = self.authorities.clone();
        let opened = Opened::new(&options.permissions)?;
        let application = Application::new(
            component,
            options,
            opened,
            streams,
            authorities,
            self.registry.clone(),
        );
        let key = lock(&self.kernel)
            .add_instance_sharing(application.limits, application.allowance.clone());
        let launcher = Launcher {
            engine: self.engine.clone(),
            background: self.background.clone(),
            application,
        };
        let running = Running::first(
            &self.kernel,
            key,
            Arc::new(launcher),
            sockets,
            self.watchers.clone(),
        );
        match running {
            Ok(running) => {
                self.running.insert(key, running);
                Ok(Instance(key))
            }
            Err(error) => {
                drop(lock(&self.kernel).remove_instance(key));
                Err(error)
            }
        }
    }

    /// Runs all instances until the given one ends, and says how it did.
    /// The others stop where they are, and go on with the next call.
    ///
    /// # Errors
    /// If the system's event queue fails.
    ///
    /// # Panics
    /// If the instance's end was reported before, or it is another host's.
    pub fn run(&mut self, instance: Instance) -> Result<Exit, Error> {
        let runtime = self.background.handle();
        let _entered = runtime.enter();
        let mut active = self.activate();
        loop {
            let ended = self.ended.iter().position(|(key, _)| *key == instance.0);
            if let Some(index) = ended {
                return Ok(self.ended.swap_remove(index).1);
            }
            assert!(
                self.running.contains_key(instance.0) || self.ending.contains_key(instance.0),
                "the instance is not on this host, or its end was reported before"
            );
            self.pass(&mut active)?;
        }
    }

    /// Asks an instance to end: its program is to cancel its main task, which may clean up.
    /// Returns false if it has none, because it has not come that far or is no program of tasks.
    pub fn cancel(&mut self, instance: Instance) -> bool {
        lock(&self.kernel).request_end(instance.0)
    }

    /// Ends an instance at once, wherever it is.
    pub fn stop(&mut self, instance: Instance) {
        self.end(instance.0, Exit::Stopped);
    }

    /// Begins to use the thread. While this exists, the ticker interrupts instances.
    fn activate(&mut self) -> Active {
        self.watchdog.begin_turn();
        self.engine.ticker().activate()
    }

    /// One pass: finds out what has happened, then gives every instance that may go on a turn.
    fn pass(&mut self, active: &mut Active) -> Result<(), Error> {
        let watchdog = &mut self.watchdog;
        let selected = lock(&self.kernel).select_or_wait(|| watchdog.pause(active.pause()));
        selected.map_err(Error::Select)?;
        self.give_way();
        self.see_to_what_came_up();
        self.watchdog.end_turn("handling events");
        let runnable = lock(&self.kernel).runnable();
        for _ in 0..runnable {
            let Some(key) = lock(&self.kernel).next_instance() else {
                break;
            };
            self.poll(key, active);
        }
        // Those that had to be interrupted share what the others leave, but not less than a little.
        let now = active.time();
        let idle = lock(&self.kernel).runnable() == 0;
        if idle || now.saturating_sub(self.last_preempted) >= PREEMPTED_WAIT {
            self.last_preempted = now;
            let preempted = lock(&self.kernel).next_preempted();
            if let Some(key) = preempted {
                self.poll(key, active);
            }
        }
        Ok(())
    }

    /// Lets another thread have the kernel's lock that wants it.
    fn give_way(&self) {
        if self.door.has_visitors() {
            std::thread::yield_now();
        }
    }

    /// Gives an instance the thread.
    fn poll(&mut self, key: InstanceKey, active: &Active) {
        let Some(running) = self.running.get_mut(key) else {
            return;
        };
        match running.poll(active) {
            running::Turn::Waits => {}
            running::Turn::Interrupted => lock(&self.kernel).preempt(key),
            running::Turn::Ended(exit) => self.end(key, exit),
        }
        self.watchdog.end_turn(key);
    }

    /// Streams to the process's own standard output and error.
    fn streams(&mut self) -> Result<Streams, Error> {
        let outputs = match self.outputs.take() {
            Some(outputs) => outputs,
            None => open_outputs()?,
        };
        Ok(Streams::new(self.outputs.insert(outputs)))
    }

    fn end(&mut self, key: InstanceKey, exit: Exit) {
        let Some(running) = self.running.remove(key) else {
            return;
        };
        signals::lock(&self.watchers).remove_instance(key);
        if self.running.is_empty() {
            // Nobody waits for this thread.
            drop(running);
            self.forget(key, exit);
            self.watchdog.begin_turn();
            return;
        }
        // To close thousands of descriptors and give back gigabytes of memory takes long.
        self.ending.insert(key, exit);
        let (runtime, door) = (self.background.handle(), self.door.clone());
        reap(move || {
            let _entered = runtime.enter();
            drop(running);
            door.send(Message::Released(key));
        });
    }

    /// Forgets an instance whose store is dropped, with all its handles: they may have needed the kernel's entries.
    fn forget(&mut self, key: InstanceKey, exit: Exit) {
        let rest = lock(&self.kernel).remove_instance(key);
        if self.running.is_empty() {
            drop(rest);
        } else {
            reap(move || drop(rest));
        }
        self.ended.push((key, exit));
    }

    /// Sees to instances whose time is over, and to signals.
    fn see_to_what_came_up(&mut self) {
        let overdue = lock(&self.kernel).take_overdue();
        for (key, limit) in overdue {
            self.end(key, Exit::Limit(LimitExceeded::Time { limit }));
        }
        let released = lock(&self.kernel).take_released();
        for key in released {
            if let Some(exit) = self.ending.remove(key) {
                self.forget(key, exit);
            }
        }
        if !lock(&self.kernel).take_host_events().is_empty() {
            self.see_to_signals();
        }
    }
}

/// Starts the threads for what would block the kernel's.
fn background() -> Result<Background, Error> {
    Background::start().map_err(|source| Error::Setup {
        what: "the background threads",
        source,
    })
}

/// Opens the process's own standard output and error.
fn open_outputs() -> Result<Outputs, Error> {
    Outputs::open().map_err(|source| Error::Setup {
        what: "the standard streams",
        source,
    })
}
