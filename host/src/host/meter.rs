//! How much CPU time an instance has used, measured in ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::LimitExceeded;

/// The CPU time that an application has used with all its instances, in nanoseconds, but for their present turns.
/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct CpuTime(Arc<AtomicU64>);

/// The CPU time of one instance. Written by whoever gives it the thread, read by the
/// callback that interrupts it; both are on the same thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// What the ticker showed when the instance got the thread, in nanoseconds.
    since: AtomicU64,
    /// What its application used before.
    used: CpuTime,
}

impl Meter {
    /// A meter of one of an application's instances.
    pub(super) fn new(used: CpuTime) -> Self {
        Self {
            since: AtomicU64::new(0),
            used,
        }
    }

    /// The instance gets the thread.
    pub(super) fn start(&self, now: Duration) {
        self.since.store(nanos(now), Ordering::Relaxed);
    }

    /// The instance gives the thread back.
    pub(super) fn stop(&self, now: Duration) {
        let turn = nanos(self.turn(now));
        self.used.0.fetch_add(turn, Ordering::Relaxed);
        self.start(now);
    }

    /// How long the instance has had the thread.
    pub(super) fn turn(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.since.load(Ordering::Relaxed)))
    }

    /// Checks what was used against a limit.
    pub(super) fn check(
        &self,
        now: Duration,
        limit: Option<Duration>,
    ) -> Result<(), LimitExceeded> {
        let used = Duration::from_nanos(self.used.0.load(Ordering::Relaxed)) + self.turn(now);
        match limit {
            Some(limit) if used > limit => Err(LimitExceeded::CpuTime { limit }),
            _ => Ok(()),
        }
    }
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_instance_s_own_turns_count() {
        let meter = Meter::default();
        let limit = Some(Duration::from_millis(10));
        let at = Duration::from_millis;
        meter.start(at(100));
        meter.stop(at(106));
        meter.start(at(500));
        assert!(meter.check(at(504), limit).is_ok());
        assert_eq!(
            meter.check(at(505), limit),
            Err(LimitExceeded::CpuTime {
                limit: Duration::from_millis(10)
            })
        );
        assert!(meter.check(at(100_000), None).is_ok());
    }
}
