//! Random programs of one guest, and what must hold whatever they do.
//!
//! A failure prints its seed; `CURIO_SEED=… cargo test random` runs that program alone.

use std::collections::BTreeMap;
use std::io::stdin;
use std::os::fd::AsFd;

use slotmap::Key;

use super::*;

const PROGRAMS: u64 = 5_000;
const STEPS: u64 = 60;

/// More traps than are freed at once when their task ends, and fewer than end in one pass.
const MANY: usize = 150;

/// Marsaglia's xorshift64.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let index = self.below(from.len().max(1) as u64);
        from.get(usize::try_from(index).ok()?).copied()
    }
}

/// What the guest believes.
struct Model {
    sim: Sim,
    dice: Dice,
    tasks: Vec<TaskKey>,
    sources: Vec<(SourceKey, Arc<Readiness>)>,
    /// Something may have come of an event by now.
    posted: bool,
    /// Which traps are to be told of, by their cookies.
    pending: BTreeMap<u64, Pending>,
    end_requested: bool,
}

/// A trap of which the guest has not been told.
#[derive(Clone, Copy, Debug)]
struct Pending {
    token: TrapKey,
    /// Nobody if that has ended since.
    task: Option<TaskKey>,
    /// The end of a sleep.
    until: Option<Instant>,
}

impl Model {
    fn new(seed: u64) -> Self {
        Self {
            sim: Sim::new(),
            dice: Dice::new(seed),
            tasks: Vec::new(),
            sources: Vec::new(),
            posted: false,
            pending: BTreeMap::new(),
            end_requested: false,
        }
    }

    /// Some task, with a new cookie.
    fn caller(&mut self) -> Option<Caller> {
        let task = self.dice.pick(&self.tasks)?;
        Some(self.sim.caller(task))
    }

    /// Some time from now on.
    fn time(&mut self) -> Instant {
        let nanos = self.dice.below(20_000_000);
        Instant::from_nanos(self.sim.clock.now().as_nanos() + nanos)
    }

    fn note(&mut self, by: Caller, token: TrapKey, until: Option<Instant>) {
        let tokens = self.pending.values().map(|trap| trap.token);
        assert!(!tokens.into_iter().any(|other| other == token), "twice");
        let task = Some(by.task);
        let trap = Pending { token, task, until };
        self.pending.insert(by.cookie, trap);
    }

    /// Whether the kernel still has a trap pending.
    fn is_pending(&mut self, token: TrapKey) -> bool {
        let instance = self.sim.kernel.instance(self.sim.key);
        instance.is_pending(token)
    }

    /// One thing that a guest may do, or that may happen to it.
    fn step(&mut self) -> Option<()> {
        match self.dice.below(14) {
            0 | 1 => self.tasks.push(self.sim.task()),
            2 => {
                let task = self.dice.pick(&self.tasks)?;
                self.exit(task);
            }
            3 | 4 => {
                let (by, until) = (self.caller()?, self.time());
                let trap = self.sim.try_sleep(by, until).expect("it may sleep");
                self.note(by, trap.token, Some(until));
            }
            5 | 6 => self.wait_for_source()?,
            7 => {
                let (source, _) = self.source()?;
                self.posted = true;
                self.sim.selector.post(Event {
                    token: source.data().as_ffi(),
                    readable: self.dice.below(2) == 0,
                    writable: self.dice.below(2) == 0,
                    closed: false,
                });
            }
            8 => self.watch_or_not(),
            9 => {
                let traps: Vec<_> = self.pending.keys().copied().collect();
                let cookie = self.dice.pick(&traps)?;
                let token = self.pending[&cookie].token;
                let was_pending = self.is_pending(token);
                assert_eq!(self.sim.withdraw_token(token), was_pending);
                if was_pending {
                    self.pending.remove(&cookie);
                }
            }
            10 => {
                let asked = self.sim.kernel.request_end(self.sim.key);
                self.end_requested |= asked;
            }
            11 => self.sleep_often()?,
            _ => self.wait(),
        }
        Some(())
    }

    /// One task makes more traps than are freed at once when it ends. Sometimes it ends soon.
    fn sleep_often(&mut self) -> Option<()> {
        if self.pending.len() > MANY || self.dice.below(4) > 0 {
            return None;
        }
        let task = self.dice.pick(&self.tasks)?;
        for _ in 0..MANY {
            let (by, until) = (self.sim.caller(task), self.time());
            let trap = self.sim.try_sleep(by, until).expect("it may sleep");
            self.note(by, trap.token, Some(until));
        }
        if self.dice.below(2) == 0 {
            self.exit(task);
        }
        Some(())
    }

    fn source(&mut self) -> Option<(SourceKey, Arc<Readiness>)> {
        let index = self.dice.below(self.sources.len().max(1) as u64);
        let source = self.sources.get(usize::try_from(index).ok()?);
        source.cloned()
    }

    fn wait_for_source(&mut self) -> Option<()> {
        let (by, (source, readiness)) = (self.caller()?, self.source()?);
        let both = [Direction::Read, Direction::Write];
        let direction = self.dice.pick(&both)?;
        if self.dice.below(3) > 0 {
            readiness.clear(direction);
        }
        let (key, kernel) = (self.sim.key, &mut self.sim.kernel);
        let token = kernel.wait_for_source(key, by, source, direction);
        self.note(by, token.expect("it may wait"), None);
        self.sim.instance();
        Some(())
    }

    fn watch_or_not(&mut self) {
        let (key, kernel) = (self.sim.key, &mut self.sim.kernel);
        if self.sources.len() < 3 {
            let watched = kernel.watch(Some(key), stdin().as_fd());
            self.sources.push(watched.expect("it takes anything"));
        } else {
            let (source, _) = self.sources.remove(0);
            kernel.unwatch(source, stdin().as_fd());
            self.sim.instance();
        }
    }

    fn exit(&mut self, task: TaskKey) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain(|_, trap| trap.task != Some(task) || !self.is_pending(trap.token));
        for trap in pending.values_mut() {
            trap.task = trap.task.filter(|owner| *owner != task);
        }
        self.pending = pending;
        self.sim.exit(task);
        self.tasks.retain(|living| *living != task);
    }

    /// Time passes, the guest calls `wait`, and gets what it must, when it must.
    fn wait(&mut self) {
        let nanos = self.dice.below(5_000_000);
        self.sim.clock.advance(Duration::from_nanos(nanos));
        let called = self.sim.clock.now();
        let until = match self.dice.below(4) {
            0 => Instant::NEVER,
            _ => self.time(),
        };
        let clock_moves = self.dice.below(2) == 0;
        let sleeps = self.pending.values().filter_map(|trap| trap.until);
        let due = sleeps.chain([until]).min().unwrap_or(until);
        let told = self.end_requested
            || (self.pending.values()).any(|trap| {
                let instance = self.sim.kernel.instance(self.sim.key);
                !instance.is_pending(trap.token)
            });
        if let Some(pass) = self.sim.wait(until, clock_moves) {
            assert_eq!(pass.now, self.sim.clock.now());
            if told {
                assert_eq!(pass.now, called, "there was something to tell");
            } else if !std::mem::take(&mut self.posted) {
                assert_eq!(pass.now, due.max(called), "early or late");
            }
            self.take(&pass);
        } else {
            assert!(!told && due > self.sim.clock.now(), "it hangs");
            let events = std::mem::take(&mut self.posted);
            assert!(!clock_moves || events || due == Instant::NEVER, "it hangs");
            // What comes next, the guest does in spite of being suspended.
            self.sim.instance();
        }
        self.check();
    }

    fn take(&mut self, pass: &Pass) {
        for resumption in &pass.resumptions {
            if *resumption == END_REQUESTED {
                assert!(std::mem::take(&mut self.end_requested), "not asked");
                continue;
            }
            let trap = self.pending.remove(&resumption.cookie);
            let trap = trap.expect("it is told once, and only if it was not withdrawn");
            let value = match resumption.outcome {
                Outcome::Done(value) => Instant::from_nanos(value),
                Outcome::Busy | Outcome::Closed | Outcome::EndRequested | Outcome::InvalidState => {
                    Instant::default()
                }
            };
            assert!(trap.until.is_none_or(|until| until <= value), "early");
            assert!(value <= pass.now, "told before it was");
        }
    }

    /// What holds when the guest has been told everything.
    fn check(&mut self) {
        let now = self.sim.clock.now();
        for (cookie, trap) in &self.pending {
            assert!(trap.until.is_none_or(|until| until > now), "{cookie}");
            let instance = self.sim.kernel.instance(self.sim.key);
            let pending = instance.is_pending(trap.token);
            assert!(pending, "{cookie} ended, and nobody was told");
        }
        let instance = self.sim.kernel.instance(self.sim.key);
        let mut traps: Vec<_> = instance.traps.keys().collect();
        traps.retain(|trap| instance.is_pending(*trap));
        assert_eq!(traps.len(), self.pending.len());
        assert!(!self.end_requested, "nobody was told");
        assert!(!instance.has_ready());
        let sleeps = self.pending.values();
        let sleeps = sleeps.filter(|trap| trap.until.is_some()).count();
        let is_tidy = !instance.has_orphans();
        assert!(!is_tidy || [sleeps, sleeps + 1].contains(&instance.timers_set()));
        assert!(!is_tidy || instance.traps.len() == self.pending.len());
    }

    /// Ends everything, and looks for what is left.
    fn end(&mut self) {
        while let Some(task) = self.dice.pick(&self.tasks) {
            self.exit(task);
        }
        // The last timer for a `wait` comes up.
        self.sim.advance(1_000);
        self.sim.pass();
        self.sim.expect_empty();
        assert_eq!(self.sim.kernel.timers(), 0);
    }
}

fn run(seed: u64) {
    let mut model = Model::new(seed);
    for _ in 0..STEPS {
        model.step();
    }
    model.wait();
    model.end();
}

/// Tells the seed if a program fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to see this again: CURIO_SEED={}", self.0);
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks into a failure names its seed"
)]
fn random_programs_lose_nothing_and_leave_nothing() {
    let seed = std::env::var("CURIO_SEED").ok();
    let seed: Option<u64> = seed.and_then(|seed| seed.parse().ok());
    let seeds = seed.map_or(0..PROGRAMS, |seed| seed..seed + 1);
    for seed in seeds {
        let _told = Told(seed);
        run(seed);
    }
}
