//! The ticker: a thread that advances the engine's epoch every few milliseconds, so that a guest that never traps is
//! interrupted.
//!
//! Invariant: it ticks while any kernel that uses the engine may run guest code. A kernel shows that by holding an
//! [`Active`], without which no instance can be polled; it gives that up only while it waits in its selector. When no
//! kernel has held one for a while, the ticker rests, so that an idle host uses no CPU.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

use crate::error::Error;

/// How long a guest may run before others get their turn.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// After how many ticks without an active kernel the ticker rests.
const REST_AFTER: u32 = 50;

/// One more active kernel, and one more time that a kernel became active: see [`Shared::activity`].
const ACTIVATION: u64 = (1 << 32) + 1;

/// The ticker of an engine.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

/// The right to run guest code: while it exists, the ticker ticks.
#[derive(Debug)]
pub(crate) struct Active {
    shared: Arc<Shared>,
}

/// An [`Active`] that does not count until this is dropped.
#[derive(Debug)]
pub(crate) struct Paused<'a>(&'a Shared);

#[derive(Debug, Default)]
struct Shared {
    /// How long it has ticked, in nanoseconds; what passes while it rests does not count.
    time: AtomicU64,
    /// How many kernels are active, in the low 32 bits; how often one became active, in the high ones.
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
                    let is_idle = activity == seen && active(activity) == 0;
                    idle = if is_idle { idle + 1 } else { 0 };
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

    /// Counts a kernel as active, until what this returns is dropped.
    pub(crate) fn activate(&self) -> Active {
        self.shared.activate();
        Active {
            shared: self.shared.clone(),
        }
    }
}

impl Active {
    /// Does not count the kernel as active until what this returns is dropped. Meanwhile no instance can be polled.
    pub(crate) fn pause(&mut self) -> Paused<'_> {
        self.shared.deactivate();
        Paused(&self.shared)
    }

    /// How long the ticker has ticked. Moves by a tick at a time.
    pub(crate) fn time(&self) -> Duration {
        self.shared.time()
    }
}

impl Ticker {
    /// How long it has ticked. Moves by a tick at a time.
    pub(crate) fn time(&self) -> Duration {
        self.shared.time()
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.shared.deactivate();
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.activate();
    }
}

impl Shared {
    fn time(&self) -> Duration {
        Duration::from_nanos(self.time.load(Ordering::Relaxed))
    }

    /// Sequential consistency: either this sees the ticker resting, or the ticker, about to rest, sees the activity.
    fn activate(&self) {
        self.activity.fetch_add(ACTIVATION, Ordering::SeqCst);
        if self.resting.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    fn deactivate(&self) {
        self.activity.fetch_sub(1, Ordering::SeqCst);
    }

    /// Rests until there is activity beyond `seen`, in which no kernel was active.
    fn rest(&self, seen: u64) {
        self.resting.store(true, Ordering::SeqCst);
        while self.activity.load(Ordering::SeqCst) == seen && !self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.resting.store(false, Ordering::SeqCst);
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// How many kernels are active.
fn active(activity: u64) -> u64 {
    activity & u64::from(u32::MAX)
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the ticker comes to tick, or to rest, within some time.
    #[expect(clippy::disallowed_methods, reason = "the ticker's thread is watched")]
    fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
        (0..10_000).any(|_| {
            std::thread::sleep(TICK);
            is_so()
        })
    }

    #[test]
    fn the_ticker_rests_only_while_no_kernel_is_active() {
        let engine = Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let rests = || ticker.shared.resting.load(Ordering::SeqCst);
        assert!(eventually(rests));
        let (mut one, other) = (ticker.activate(), ticker.activate());
        let begun = ticker.time();
        let for_long = TICK * (REST_AFTER * 3);
        assert!(eventually(|| ticker.time() > begun + for_long));
        assert!(!rests(), "two are active");
        let paused = one.pause();
        let begun = ticker.time();
        assert!(eventually(|| ticker.time() > begun + for_long));
        assert!(!rests(), "one is active");
        drop(other);
        assert!(eventually(rests));
        let rested = ticker.time();
        drop(paused);
        assert!(eventually(|| ticker.time() > rested + for_long));
        assert!(!rests(), "one is active again");
        drop(one);
        assert!(eventually(rests));
    }
}
