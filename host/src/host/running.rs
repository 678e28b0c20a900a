//! A running instance: its fiber, and what wakes that.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};

use super::worker::{Launcher, do_jobs};
use super::{Exit, Meter};
use crate::background::{ERRANDS, Lane};
use crate::error::Error;
use crate::kernel::{Door, InstanceKey, Message};
use crate::limits::Descriptors;
use crate::loader::{Active, Engine, TICK};
use crate::signals::SharedWatchers;
use crate::sockets::{InheritedSockets, Names};
use crate::subprocess::Children;
use crate::traps::{Guest, Passing, SharedKernel, Tasks, lock};
use crate::workers::{Crew, Inbox};

/// How many handles an instance may have beyond its limit: what its language's standard library holds without
/// being asked to. Measured with Rust's: two in a program that prints, eleven in one that also reads,
/// sleeps, opens a file and lists a directory.
const FREE_HANDLES: usize = 64;

/// How many bytes a guest may pass with one call. The host copies them, and does nothing else meanwhile.
const MAX_PASSED: usize = 16 << 20;

/// How an instance's turn ended.
pub(super) enum Turn {
    /// It waits for something.
    Waits,
    /// It was interrupted, and would go on.
    Interrupted,
    /// It ended.
    Ended(Exit),
}

/// What an instance does from its start to its end, when it returns how it ended, and its store: dropping that may take
/// long.
type Fiber = Pin<Box<dyn Future<Output = (Exit, Store<Guest>)> + Send>>;

/// A running instance.
pub(super) struct Running {
    fiber: Fiber,
    /// The store, once the instance has ended by itself.
    store: Option<Store<Guest>>,
    meter: Arc<Meter>,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Running {
    /// Prepares an application's first instance. It begins with its first turn.
    pub(super) fn first(
        kernel: &SharedKernel,
        key: InstanceKey,
        launcher: Arc<Launcher>,
        sockets: InheritedSockets,
        watchers: SharedWatchers,
    ) -> Result<Self, Error> {
        Self::new(
            kernel,
            key,
            launcher,
            sockets,
            watchers,
            |store, launcher| Box::pin(run(store, launcher)),
        )
    }

    /// Prepares a worker's instance.
    pub(super) fn worker(
        kernel: &SharedKernel,
        key: InstanceKey,
        launcher: Arc<Launcher>,
        inbox: Arc<Inbox>,
    ) -> Result<Self, Error> {
        let sockets = InheritedSockets::new();
        // What a signal says is for the program itself.
        let watchers = SharedWatchers::default();
        Self::new(
            kernel,
            key,
            launcher,
            sockets,
            watchers,
            |store, launcher| Box::pin(do_jobs(store, launcher, inbox)),
        )
    }

    fn new(
        kernel: &SharedKernel,
        key: InstanceKey,
        launcher: Arc<Launcher>,
        inherited: InheritedSockets,
        watchers: SharedWatchers,
        begin: impl FnOnce(Store<Guest>, Arc<Launcher>) -> Fiber,
    ) -> Result<Self, Error> {
        let Launcher {
            engine,
            application,
            background,
        } = &*launcher;
        let handles = application.limits.handles().min(Descriptors::new().most());
        let handles = FREE_HANDLES.saturating_add(handles as usize);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let for_workers = Launcher {
            engine: engine.clone(),
            background: background.clone(),
            application: application.of_worker(),
        };
        let guest = Guest {
            key,
            kernel: kernel.clone(),
            door: lock(kernel).door(),
            permissions: application.permissions.clone(),
            directories: application.directories.clone(),
            lane: Lane::new(ERRANDS),
            wasi: application.wasi()?,
            streams: application.streams.clone(),
            tasks: Tasks::default(),
            tls: application.tls(),
            table,
            names: Names::new(),
            passing: Passing::default(),
            children: Children::default(),
            inherited,
            registry: application.registry.clone(),
            crew: Crew::new(Arc::new(for_workers), application.allowance.clone()),
            watchers,
            refused: None,
            panic: None,
        };
        let meter = Arc::new(Meter::new(
            application.cpu_time.clone(),
            application.limits.cpu_time(),
        ));
        let bell = Arc::new(Bell {
            door: lock(kernel).door(),
            key,
            rung: AtomicBool::new(false),
            in_turn: AtomicBool::new(false),
        });
        let mut store = store(engine, guest, &meter);
        // Those that are lent for one call count here, and those of the component's own making, which take a few
        // bytes each that nobody else counts.
        store.set_max_component_handles(handles.saturating_mul(2));
        Ok(Self {
            fiber: begin(store, launcher),
            store: None,
            meter,
            waker: Waker::from(bell.clone()),
            bell,
        })
    }

    /// Lets the instance run until it waits, is interrupted or ends. While `active` exists, the ticker interrupts it.
    pub(super) fn poll(&mut self, active: &Active) -> Turn {
        self.meter.start(active.time());
        self.bell.in_turn.store(true, Ordering::SeqCst);
        let polled = self
            .fiber
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker));
        self.bell.in_turn.store(false, Ordering::SeqCst);
        self.meter.stop();
        match polled {
            Poll::Ready((exit, store)) => {
                self.store = Some(store);
                Turn::Ended(exit)
            }
            Poll::Pending if self.bell.rung.swap(false, Ordering::SeqCst) => Turn::Interrupted,
            Poll::Pending => Turn::Waits,
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("meter", &self.meter)
            .finish_non_exhaustive()
    }
}

/// Runs a component from its start to its end.
async fn run(mut store: Store<Guest>, launcher: Arc<Launcher>) -> (Exit, Store<Guest>) {
    let application = &launcher.application;
    let result = async {
        let command = application.component.ready();
        let command = command.instantiate_async(&mut store).await?;
        command.wasi_cli_run().call_run(&mut store).await
    }
    .await;
    // What it wrote last may be on its way still.
    if let Some(streams) = &application.streams {
        streams.written().await;
    }
    let refused = store.data_mut().refused.take();
    let exit = Exit::new(result, refused, &application.limits);
    (exit, store)
}

/// A store whose guest is interrupted every tick, and held to its limits.
fn store(engine: &Engine, guest: Guest, meter: &Arc<Meter>) -> Store<Guest> {
    let mut store = Store::new(engine.wasmtime(), guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(MAX_PASSED);
    store.set_epoch_deadline(1);
    let (engine, meter) = (engine.clone(), meter.clone());
    store.epoch_deadline_callback(move |_| {
        meter.check()?;
        // The deadline may have passed while it waited; then this is the beginning of its turn.
        if meter.turn(engine.ticker().time()) < TICK {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Wakes an instance's fiber: at once, if it is its own turn that is interrupted, or through the kernel's
/// door, if another thread has done what it waited for.
#[derive(Debug)]
struct Bell {
    door: Arc<Door>,
    key: InstanceKey,
    rung: AtomicBool,
    in_turn: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.in_turn.load(Ordering::SeqCst) {
            self.rung.store(true, Ordering::SeqCst);
            // The turn may have ended just now, without seeing that.
            if self.in_turn.load(Ordering::SeqCst) {
                return;
            }
        }
        self.door.send(Message::Poll(self.key));
    }
}
