//! Random programs of one guest, and what must hold whatever they do.
//!
//! A failure prints its seed; `CURIO_SEED=… cargo test random` runs that program alone.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::kernel::scope::ScopeState;
use crate::kernel::task::Cancellation;

const PROGRAMS: u64 = 5_000;
const STEPS: u64 = 60;

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
    /// Open blocks, and whose they are.
    scopes: Vec<(TaskKey, ScopeKey)>,
    queues: Vec<QueueKey>,
    /// Who waits for the resumption of which trap, and until when it sleeps.
    pending: HashMap<TrapKey, (TaskKey, Option<Instant>)>,
    /// Tasks that `wake` was called for.
    woken: HashSet<TaskKey>,
    cancelled: HashSet<TaskKey>,
    /// Tasks that were found to be blocked without a trap.
    to_drop: Vec<TaskKey>,
}

impl Model {
    fn new(seed: u64) -> Self {
        Self {
            sim: Sim::new(),
            dice: Dice::new(seed),
            tasks: Vec::new(),
            scopes: Vec::new(),
            queues: Vec::new(),
            pending: HashMap::new(),
            woken: HashSet::new(),
            cancelled: HashSet::new(),
            to_drop: Vec::new(),
        }
    }

    /// A caller in some block of some task, or outside all of them.
    fn caller(&mut self) -> Option<Caller> {
        let task = self.dice.pick(&self.tasks)?;
        let mut scopes = self.scopes.clone();
        scopes.retain(|(owner, _)| *owner == task);
        let scope = self.dice.pick(&scopes).filter(|_| self.dice.below(4) > 0);
        Some(Caller {
            task,
            scope: scope.map(|(_, scope)| scope),
            cookie: 0,
        })
    }

    fn time(&mut self) -> Instant {
        let nanos = self.dice.below(20_000_000);
        Instant::from_nanos(self.sim.clock.now().as_nanos() + nanos)
    }

    fn note(&mut self, by: Caller, trap: TrapKey, until: Option<Instant>) {
        let before = self.pending.insert(trap, (by.task, until));
        assert!(before.is_none(), "a token was given out twice");
    }

    /// One thing that a guest may do.
    fn step(&mut self) -> Option<()> {
        match self.dice.below(18) {
            0 | 1 => self.tasks.push(self.sim.spawn()),
            2 => {
                let task = self.dice.pick(&self.tasks)?;
                self.exit(task);
            }
            3 | 4 => {
                let (by, until) = (self.caller()?, self.time());
                let trap = self.sim.sleep(by, until);
                self.note(by, trap, Some(until));
            }
            5 => {
                let (by, living) = (self.caller()?, self.dice.pick(&self.tasks)?);
                let was_never = self.dice.below(4) == 0;
                let target = if was_never {
                    TaskKey::default()
                } else {
                    living
                };
                let trap = self.sim.join(by, target);
                self.note(by, trap, None);
            }
            6 | 7 => {
                let (by, queue) = (self.caller()?, self.dice.pick(&self.queues)?);
                let trap = self.sim.suspend(by, queue);
                self.note(by, trap, None);
            }
            8 => {
                let (queue, count) = (self.dice.pick(&self.queues)?, self.dice.below(3));
                let len = self.sim.instance().queue_len(queue);
                let count = u32::try_from(count).ok()?;
                let woken = self.sim.instance().wake_queue(queue, count, 0);
                assert_eq!(woken, count.min(len));
            }
            9 => self.queue(),
            10 => {
                let task = self.dice.pick(&self.tasks)?;
                assert!(self.sim.cancel(task));
                self.cancelled.insert(task);
            }
            11 => {
                let task = self.dice.pick(&self.tasks)?;
                self.sim.instance().wake(task);
                self.woken.insert(task);
            }
            12 => {
                let (by, deadline) = (self.caller()?, self.time());
                self.scopes.push((by.task, self.sim.open(by, deadline)));
            }
            13 => {
                let (_, scope) = self.dice.pick(&self.scopes)?;
                self.close(scope);
            }
            14 => {
                let mut traps: Vec<_> = self.pending.keys().copied().collect();
                traps.sort_unstable();
                let trap = self.dice.pick(&traps)?;
                if self.sim.withdraw(trap) {
                    self.pending.remove(&trap);
                }
            }
            15 => {
                let task = self.dice.pick(&self.tasks)?;
                self.sim.instance().redeliver_cancel(task);
            }
            16 => {
                let (_, scope) = self.dice.pick(&self.scopes)?;
                self.sim.instance().redeliver_timeout(scope);
            }
            _ => self.pass(),
        }
        Some(())
    }

    fn queue(&mut self) {
        if self.queues.len() < 3 {
            self.queues.push(self.sim.queue());
        } else {
            let queue = self.queues.remove(0);
            self.sim.instance().drop_queue(queue);
        }
    }

    fn exit(&mut self, task: TaskKey) {
        self.sim.exit(task);
        self.tasks.retain(|living| *living != task);
        self.pending.retain(|_, (owner, _)| *owner != task);
        self.woken.remove(&task);
        self.cancelled.remove(&task);
    }

    fn close(&mut self, scope: ScopeKey) {
        self.sim.close(scope);
        self.scopes.retain(|(_, open)| *open != scope);
    }

    /// Time passes, the guest calls `wait`, and gets what it must.
    fn pass(&mut self) {
        let nanos = self.dice.below(5_000_000);
        self.sim.clock.advance(Duration::from_nanos(nanos));
        let now = self.sim.clock.now();
        for resumption in self.sim.pass() {
            self.resume(resumption);
        }
        for (trap, (task, until)) in &self.pending {
            assert!(
                until.is_none_or(|until| until > now),
                "{trap:?} of {task:?} overslept"
            );
            let living = self.sim.instance().traps.contains_key(*trap);
            assert!(living, "{trap:?} ended without a resumption");
        }
        let instance = self.sim.kernel.instance(self.sim.key);
        assert_eq!(instance.traps.len(), self.pending.len());
        assert!(self.woken.is_empty(), "a wake-up was lost");
        assert!(instance.ready.is_empty());
        for task in instance.tasks.values() {
            assert_eq!(task.resumptions, 0);
            let pending = task.cancellation == Cancellation::Pending;
            assert!(!pending || task.listed, "a cancellation was lost");
        }
        for scope in instance.scopes.values() {
            let armed = scope.state == ScopeState::Armed;
            assert!(!armed || scope.deadline > now, "a timeout was lost");
        }
        while let Some(task) = self.to_drop.pop() {
            self.exit(task);
        }
    }

    fn resume(&mut self, resumption: Resumption) {
        let Resumption {
            task,
            trap,
            outcome,
            ..
        } = resumption;
        assert!(self.tasks.contains(&task), "an ended task is resumed");
        self.woken.remove(&task);
        if outcome == Outcome::Cancelled {
            assert!(self.cancelled.contains(&task));
        }
        match (trap, outcome) {
            (Some(trap), _) => {
                let waiting = self.pending.remove(&trap);
                assert_eq!(waiting.map(|(task, _)| task), Some(task));
            }
            (None, Outcome::Cancelled) => {
                let traps = self.sim.instance().tasks[task].traps.first();
                assert!(traps.is_none(), "a trap could have been told");
                self.to_drop.push(task);
            }
            (None, Outcome::ScopeExpired(scope, _)) => {
                assert!(self.scopes.contains(&(task, scope)), "it is closed");
            }
            (None, Outcome::Start | Outcome::Woken) => {}
            (None, _) => panic!("{outcome:?} without a token"),
        }
    }

    /// Ends everything, and looks for what is left.
    fn end(&mut self) {
        for queue in std::mem::take(&mut self.queues) {
            self.sim.instance().drop_queue(queue);
        }
        while let Some(task) = self.dice.pick(&self.tasks) {
            self.exit(task);
        }
        while let Some((_, scope)) = self.scopes.pop() {
            self.sim.close(scope);
        }
        self.sim.expect_empty();
        self.sim.advance(1_000);
        self.sim.expect(&[]);
        assert_eq!(self.sim.kernel.timers.len(), 0);
    }
}

fn run(seed: u64) {
    let mut model = Model::new(seed);
    for _ in 0..STEPS {
        model.step();
    }
    model.pass();
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
