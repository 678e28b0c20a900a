//! How much CPU time an instance has used, by the clock of the thread that runs it: what it computes and what the host
//! does for it in its turns, but not the time in which the system runs something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::limits::LimitExceeded;

/// The CPU time that an application has used with all its instances, in nanoseconds, but for their present turns.
/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct CpuTime(Arc<AtomicU64>);

/// The turns of one instance, and the CPU time it uses in them. Written by whoever gives it the thread, read by the
/// callback that interrupts it; both are on the same thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// What the ticker showed when the instance got the thread, in nanoseconds.
    turn_began: AtomicU64,
    /// The thread's CPU time then, in nanoseconds.
    cpu_began: AtomicU64,
    /// What its application used before.
    used: CpuTime,
    /// What its application may use. Without a limit, nothing is measured: the clock is a system call.
    limit: Option<Duration>,
}

impl Meter {
    /// A meter of one of an application's instances.
    pub(super) fn new(used: CpuTime, limit: Option<Duration>) -> Self {
        Self {
            used,
            limit,
            ..Self::default()
        }
    }

    /// The instance gets the thread. `now` is the ticker's time.
    pub(super) fn start(&self, now: Duration) {
        self.turn_began.store(nanos(now), Ordering::Relaxed);
        if self.limit.is_some() {
            self.cpu_began.store(thread_cpu_time(), Ordering::Relaxed);
        }
    }

    /// The instance gives the thread back.
    pub(super) fn stop(&self) {
        if self.limit.is_some() {
            self.used
                .0
                .fetch_add(self.used_in_turn(), Ordering::Relaxed);
        }
    }

    /// How long the instance has had the thread, by the ticker.
    pub(super) fn turn(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(
            self.turn_began.load(Ordering::Relaxed),
        ))
    }

    /// Checks during a turn what was used against the limit.
    ///
    /// # Errors
    /// If that is more.
    pub(super) fn check(&self) -> Result<(), LimitExceeded> {
        let Some(limit) = self.limit else {
            return Ok(());
        };
        let before = self.used.0.load(Ordering::Relaxed);
        let used = before.saturating_add(self.used_in_turn());
        if Duration::from_nanos(used) > limit {
            return Err(LimitExceeded::CpuTime { limit });
        }
        Ok(())
    }

    fn used_in_turn(&self) -> u64 {
        thread_cpu_time().saturating_sub(self.cpu_began.load(Ordering::Relaxed))
    }
}

/// The CPU time of this thread, in nanoseconds.
fn thread_cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).map_or(0, nanos)
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes until the thread has used some CPU time more.
    fn compute(length: Duration) {
        let begun = thread_cpu_time();
        while thread_cpu_time() < begun + nanos(length) {}
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "time in which nothing is computed"
    )]
    fn only_what_is_computed_in_own_turns_counts() {
        let limit = Duration::from_millis(50);
        let exceeded = Err(LimitExceeded::CpuTime { limit });
        let meter = Meter::new(CpuTime::default(), Some(limit));
        for _ in 0..2 {
            meter.start(Duration::ZERO);
            compute(limit / 3);
            std::thread::sleep(limit);
            assert_eq!(meter.check(), Ok(()));
            meter.stop();
            compute(limit);
        }
        meter.start(Duration::ZERO);
        compute(limit / 2);
        assert_eq!(meter.check(), exceeded);
        meter.stop();
        // Another instance of the same application is told as well.
        let other = Meter::new(meter.used.clone(), Some(limit));
        other.start(Duration::ZERO);
        assert_eq!(other.check(), exceeded);
        let unlimited = Meter::new(meter.used.clone(), None);
        unlimited.start(Duration::ZERO);
        assert_eq!(unlimited.check(), Ok(()));
    }

    #[test]
    fn a_turn_is_measured_by_the_ticker() {
        let meter = Meter::default();
        let at = Duration::from_millis;
        meter.start(at(100));
        assert_eq!(meter.turn(at(104)), at(4));
    }
}
