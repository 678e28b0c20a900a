//! The ticker: a thread that says every few milliseconds that time has passed, so that
//! a guest which never traps is interrupted. It also is the measure of CPU time.
//!
//! It rests while no kernel does anything, so that an idle host uses no CPU. A kernel says that it is active
//! once a pass; a guest that is being interrupted makes its kernel pass with every tick.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

use crate::error::Error;

/// How long a guest may run before others get their turn.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// After how many ticks without activity the ticker rests.
const REST_AFTER: u32 = 50;

/// The ticker of an engine.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How long it has ticked, in nanoseconds; what passes while it rests does not count.
    time: AtomicU64,
    /// Grows while kernels are active.
    activity: AtomicU64,
    resting: AtomicBool,
    stopped: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Ticker {
    /// Starts to tick for an engine.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ticker is the thread that measures time for all others"
    )]
    pub(crate) fn start(engine: &Engine) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let (engine, of_thread) = (engine.weak(), shared.clone());
        let thread = std::thread::Builder::new()
            .name("curio-ticker".to_owned())
            .spawn(move || {
                let (mut seen, mut idle) = (0, 0);
                let mut last = Instant::now();
                while !of_thread.stopped.load(Ordering::Relaxed) {
                    std::thread::park_timeout(TICK);
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    let now = Instant::now();
                    let passed = now.duration_since(std::mem::replace(&mut last, now));
                    let passed = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
                    of_thread.time.fetch_add(passed, Ordering::Relaxed);
                    engine.increment_epoch();
                    drop(engine);
                    let activity = of_thread.activity.load(Ordering::SeqCst);
                    idle = if activity == seen { idle + 1 } else { 0 };
                    seen = activity;
                    if idle >= REST_AFTER {
                        of_thread.rest(seen);
                        idle = 0;
                        last = Instant::now();
                    }
                }
            })
            .map_err(|source| Error::Setup {
                what: "the ticker's thread",
                source,
            })?;
        shared.thread.get_or_init(|| thread.thread().clone());
        Ok(Self { shared })
    }

    /// Says that a kernel is active. Costs next to nothing while the ticker ticks.
    pub(crate) fn touch(&self) {
        self.shared.activity.fetch_add(1, Ordering::SeqCst);
        if self.shared.resting.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// How long it has ticked. Moves by a tick at a time.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.shared.time.load(Ordering::Relaxed))
    }

    fn wake(&self) {
        if let Some(thread) = self.shared.thread.get() {
            thread.unpark();
        }
    }
}

impl Shared {
    /// Rests until there is activity beyond `seen`.
    fn rest(&self, seen: u64) {
        self.resting.store(true, Ordering::SeqCst);
        while self.activity.load(Ordering::SeqCst) == seen && !self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.resting.store(false, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.wake();
    }
}
