//! Time, as the kernel sees it: nanoseconds since it began, on a clock that only goes forward.

use std::fmt;
use std::time::Duration;

/// A point in time: nanoseconds on the kernel's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(u64);

impl Instant {
    /// The end of time, which does not come.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the clock's start.
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// How many nanoseconds after the clock's start this is.
    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The instant `length` later; the end of time if that is too far.
    #[must_use]
    pub(crate) fn after(self, length: Duration) -> Self {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// A monotonic clock.
pub(crate) trait Clock: Send + fmt::Debug {
    /// The time now.
    fn now(&self) -> Instant;
}

/// The operating system's monotonic clock, counted from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MonotonicClock(std::time::Instant);

impl MonotonicClock {
    /// A clock that starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock all others ask"
    )]
    pub(crate) fn new() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Instant {
        Instant::default().after(self.0.elapsed())
    }
}

/// A clock that tests move by hand.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedClock(std::sync::Arc<std::sync::atomic::AtomicU64>);

#[cfg(test)]
impl SimulatedClock {
    /// Moves the clock forward.
    pub(crate) fn advance(&self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).expect("a test waits for less than 584 years");
        self.0
            .fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        Instant(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}
