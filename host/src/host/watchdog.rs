//! The watchdog: in a debug build, checks that no turn on the kernel's thread takes too long.
//!
//! A turn is what the thread does between two returns to its loop: the handling of events, the turn of one instance,
//! the end of one. Its waiting is bounded, which is the wall time in which the thread neither ran nor could have run: so
//! a busy machine changes little. The threads of a process wait for each other when they map memory, and on a busy
//! machine that was seen to take 230 ms, so the bound is above that. CPU time is bounded where a test says so: how much
//! a turn takes of it depends on the machine, and on the optimisation of the build.

#[cfg(debug_assertions)]
pub(super) use self::debug::Watchdog;
#[cfg(not(debug_assertions))]
pub(super) use self::release::Watchdog;

#[cfg(debug_assertions)]
mod debug {
    use std::cell::OnceCell;
    use std::fmt::Debug;
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    /// How long a turn may wait.
    const MAX_WAITING: Duration = Duration::from_millis(500);

    /// The variable that says how many milliseconds of CPU time a turn may take besides; 0 switches the watchdog off.
    const VARIABLE: &str = "CURIO_MAX_TURN_MS";

    /// Measures the turns of a kernel's thread.
    #[derive(Debug)]
    pub(in crate::host) struct Watchdog {
        is_on: bool,
        /// How much CPU time a turn may take, if that is bounded.
        bound: Option<Duration>,
        began: Reading,
    }

    /// What the clocks show.
    #[derive(Clone, Copy, Debug, Default)]
    struct Reading {
        wall: Duration,
        cpu: Duration,
        /// How long this thread could have run, and did not.
        delay: Duration,
    }

    /// A watchdog that does not count what passes until this is dropped.
    #[derive(Debug)]
    pub(in crate::host) struct Paused<'a, G> {
        watchdog: &'a mut Watchdog,
        _guard: G,
    }

    impl Default for Watchdog {
        #[expect(clippy::disallowed_methods, reason = "a setting for tests of the host")]
        fn default() -> Self {
            let set = std::env::var(VARIABLE).ok();
            let bound = set.and_then(|millis| millis.parse().ok());
            let bound = bound.map(Duration::from_millis);
            Self {
                is_on: bound.is_none_or(|bound| !bound.is_zero()),
                bound,
                began: Reading::default(),
            }
        }
    }

    impl Watchdog {
        /// Begins to measure.
        pub(in crate::host) fn begin_turn(&mut self) {
            if self.is_on {
                self.began = Reading::now();
            }
        }

        /// Ends a turn, and begins the next one.
        ///
        /// # Panics
        /// If the turn took too long.
        pub(in crate::host) fn end_turn(&mut self, what: impl Debug) {
            if !self.is_on {
                return;
            }
            let now = Reading::now();
            let began = std::mem::replace(&mut self.began, now);
            let wall = now.wall.saturating_sub(began.wall);
            let cpu = now.cpu.saturating_sub(began.cpu);
            let delay = now.delay.saturating_sub(began.delay);
            let waiting = wall.saturating_sub(delay).saturating_sub(cpu);
            let bound = self.bound.unwrap_or(Duration::MAX);
            assert!(
                cpu <= bound && waiting <= MAX_WAITING,
                "a turn on the kernel's thread ({what:?}) took too long: {cpu:?} of CPU time (at most {bound:?}), \
                 {waiting:?} of waiting (at most {MAX_WAITING:?}), and {delay:?} in which the system ran something \
                 else; a test that is to do such things sets {VARIABLE}"
            );
        }

        /// Measures nothing until what this returns is dropped, together with `guard`.
        pub(in crate::host) fn pause<G>(&mut self, guard: G) -> Paused<'_, G> {
            Paused {
                watchdog: self,
                _guard: guard,
            }
        }
    }

    impl<G> Drop for Paused<'_, G> {
        fn drop(&mut self) {
            self.watchdog.begin_turn();
        }
    }

    impl Reading {
        fn now() -> Self {
            let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
            let mut delay = run_delay();
            loop {
                let cpu = read(ClockId::ThreadCPUTime);
                let mut reading = Self {
                    wall: read(ClockId::Monotonic),
                    cpu,
                    delay: delay.unwrap_or_default(),
                };
                let now = run_delay();
                if now.is_none() {
                    // What can't be told from waiting is not taken for it.
                    reading.delay = reading.wall.saturating_sub(cpu);
                }
                // Otherwise the system ran something else between two of the readings.
                if now == delay {
                    return reading;
                }
                delay = now;
            }
        }
    }

    /// How long this thread could have run, and did not. None on a system that does not say it.
    fn run_delay() -> Option<Duration> {
        thread_local! {
            static FILE: OnceCell<Option<File>> = const { OnceCell::new() };
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "what the system says of this thread"
        )]
        let open = || File::open("/proc/thread-self/schedstat").ok();
        FILE.with(|file| {
            let file = file.get_or_init(open).as_ref()?;
            let mut text = [0; 64];
            let length = file.read_at(&mut text, 0).ok()?;
            let text = str::from_utf8(text.get(..length)?).ok()?;
            let delay = text.split_whitespace().nth(1)?;
            Some(Duration::from_nanos(delay.parse().ok()?))
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn bounded(millis: u64) -> Watchdog {
            let mut watchdog = Watchdog {
                is_on: true,
                bound: Some(Duration::from_millis(millis)),
                began: Reading::default(),
            };
            watchdog.begin_turn();
            watchdog
        }

        #[expect(clippy::disallowed_methods, reason = "a turn that waits")]
        fn sleep() {
            std::thread::sleep(MAX_WAITING + Duration::from_millis(50));
        }

        #[test]
        #[should_panic(expected = "a turn on the kernel's thread (\"a test\") took too long")]
        fn a_turn_that_waits_too_long_is_reported() {
            let mut watchdog = bounded(20);
            sleep();
            watchdog.end_turn("a test");
        }

        #[test]
        #[should_panic(expected = "a turn on the kernel's thread (\"a test\") took too long")]
        fn a_turn_that_computes_too_long_is_reported() {
            let mut watchdog = bounded(20);
            while Reading::now().cpu < watchdog.began.cpu + Duration::from_millis(21) {}
            watchdog.end_turn("a test");
        }

        #[test]
        fn what_passes_during_a_pause_does_not_count() {
            let mut watchdog = bounded(20);
            let paused = watchdog.pause(());
            sleep();
            drop(paused);
            watchdog.end_turn("a test");
        }
    }
}

#[cfg(not(debug_assertions))]
mod release {
    /// Measures nothing: turns are measured in debug builds.
    #[derive(Debug, Default)]
    pub(in crate::host) struct Watchdog;

    #[expect(clippy::unused_self, reason = "it stands for the one of debug builds")]
    impl Watchdog {
        pub(in crate::host) fn begin_turn(&mut self) {}

        pub(in crate::host) fn end_turn<W>(&mut self, _what: W) {}

        pub(in crate::host) fn pause<G>(&mut self, guard: G) -> G {
            guard
        }
    }
}
