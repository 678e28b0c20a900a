//! Tests of the kernel: what each trap of `wit/traps.wit` leads to, on a simulated clock and selector.
//!
//! - `tasks`, `timers`, `cancellation`, `wait_queues`, `descriptors`: one subject each
//! - `timeouts`: curio's table of worked outcomes, and what follows from it; `blocks`: the rest of timeouts
//! - `instances`: several on one kernel
//! - `limits`: what a hostile guest can't have
//! - `random`: random programs, against what must hold for any

mod blocks;
mod cancellation;
mod descriptors;
mod instances;
mod limits;
mod random;
mod tasks;
mod timeouts;
mod timers;
mod wait_queues;

use std::task::Poll;
use std::time::Duration;

use super::task::TaskInfo;
use super::*;
use crate::selector::Simulated;

/// A kernel with one instance, whose guest is the test.
struct Sim {
    kernel: Kernel,
    clock: SimulatedClock,
    selector: Simulated,
    key: InstanceKey,
    /// The guest has the thread.
    in_turn: bool,
    /// The guest has done something without it, since the test doesn't care how it got there.
    stole_turn: bool,
}

impl Sim {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let clock = SimulatedClock::default();
        let selector = Simulated::new(clock.clone());
        let mut kernel = Kernel::new(Box::new(selector.clone()), Box::new(clock.clone()));
        let key = kernel.add_instance(limits);
        Self {
            kernel,
            clock,
            selector,
            key,
            in_turn: false,
            stole_turn: false,
        }
    }

    /// Moves the clock.
    fn advance(&mut self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    /// The guest calls `wait`. Returns what is ready without waiting for anything.
    fn pass(&mut self) -> Vec<Resumption> {
        self.wait(false)
    }

    /// The guest calls `wait`, and the clock moves on until something is ready.
    fn idle(&mut self) -> Vec<Resumption> {
        self.wait(true)
    }

    fn wait(&mut self, block: bool) -> Vec<Resumption> {
        loop {
            if self.in_turn {
                if let Poll::Ready(ready) = self.kernel.poll_wait(self.key, 0) {
                    return ready;
                }
                self.in_turn = false;
            }
            if std::mem::take(&mut self.stole_turn) {
                self.kernel.door().send(Message::Poll(self.key));
            }
            let before = self.clock.now();
            self.kernel
                .select(block)
                .expect("a simulated selector never fails");
            self.in_turn = self.kernel.next_instance() == Some(self.key);
            if !self.in_turn && self.clock.now() == before {
                return Vec::new();
            }
        }
    }

    /// Makes a task and takes its start.
    fn task(&mut self) -> TaskKey {
        let task = self.spawn();
        assert_eq!(self.pass(), [resumption(task, None, Outcome::Start)]);
        task
    }

    fn spawn(&mut self) -> TaskKey {
        self.instance()
            .spawn(None, 0, false)
            .expect("there is room")
    }

    fn instance(&mut self) -> &mut Instance {
        self.stole_turn = !self.in_turn;
        self.kernel.instance(self.key)
    }

    fn with_timers(&mut self) -> (&mut Instance, &mut Timers, Instant) {
        self.stole_turn = !self.in_turn;
        self.kernel.with_timers(self.key)
    }

    fn info(&mut self, task: TaskKey) -> TaskInfo {
        let info = self.kernel.instance(self.key).info(task);
        info.expect("the task lives")
    }

    fn state(&mut self, task: TaskKey) -> String {
        self.info(task).state
    }

    fn exit(&mut self, task: TaskKey) {
        let (instance, timers, _) = self.with_timers();
        instance.exit(timers, task).expect("the task lives");
    }

    fn cancel(&mut self, task: TaskKey) -> bool {
        let (instance, timers, _) = self.with_timers();
        instance.cancel(timers, task)
    }

    fn withdraw(&mut self, trap: TrapKey) -> bool {
        let (instance, timers, _) = self.with_timers();
        instance.withdraw(timers, trap)
    }

    fn try_sleep(&mut self, by: Caller, until: Instant) -> Result<TrapKey, Fault> {
        let (instance, timers, now) = self.with_timers();
        instance.sleep(timers, by, until, now)
    }

    fn sleep(&mut self, by: impl Into<Caller>, until: Instant) -> TrapKey {
        self.try_sleep(by.into(), until).expect("it may sleep")
    }

    fn try_join(&mut self, by: Caller, target: TaskKey) -> Result<TrapKey, Fault> {
        let (instance, timers, now) = self.with_timers();
        instance.join(timers, by, target, now)
    }

    fn join(&mut self, by: impl Into<Caller>, target: TaskKey) -> TrapKey {
        self.try_join(by.into(), target).expect("it may join")
    }

    fn queue(&mut self) -> QueueKey {
        self.instance().make_queue("test").expect("there is room")
    }

    fn try_suspend(&mut self, by: Caller, queue: QueueKey) -> Result<TrapKey, Fault> {
        let (instance, timers, now) = self.with_timers();
        instance.suspend(timers, by, queue, now)
    }

    fn suspend(&mut self, by: impl Into<Caller>, queue: QueueKey) -> TrapKey {
        self.try_suspend(by.into(), queue)
            .expect("it may be suspended")
    }

    fn try_open(&mut self, by: Caller, deadline: Instant) -> Result<ScopeKey, Fault> {
        let (instance, timers, _) = self.with_timers();
        instance.open_scope(timers, by, deadline)
    }

    fn open(&mut self, by: impl Into<Caller>, deadline: Instant) -> ScopeKey {
        self.try_open(by.into(), deadline)
            .expect("it may open a block")
    }

    fn close(&mut self, scope: ScopeKey) {
        let (instance, timers, _) = self.with_timers();
        instance
            .close_scope(timers, scope)
            .expect("the block is open");
    }

    /// Checks that the next pass brings exactly this.
    #[track_caller]
    fn expect(&mut self, expected: &[Resumption]) {
        assert_eq!(self.pass(), expected);
    }

    /// Checks that the kernel keeps nothing of the guest any more.
    #[track_caller]
    fn expect_empty(&mut self) {
        self.expect(&[]);
        assert_eq!(self.instance().entries(), 0, "entries in the tables");
        assert_eq!(self.instance().budget().memory(), 0, "bytes charged");
        assert_eq!(self.instance().undelivered.len(), 0, "interruptions kept");
        assert_eq!(self.instance().timers_set, 0, "timers set");
    }
}

impl From<TaskKey> for Caller {
    fn from(task: TaskKey) -> Self {
        Self {
            task,
            scope: None,
            cookie: 0,
        }
    }
}

impl From<(TaskKey, ScopeKey)> for Caller {
    fn from((task, scope): (TaskKey, ScopeKey)) -> Self {
        Self {
            task,
            scope: Some(scope),
            cookie: 0,
        }
    }
}

fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

fn resumption(task: TaskKey, trap: Option<TrapKey>, outcome: Outcome) -> Resumption {
    Resumption {
        task,
        trap,
        cookie: 0,
        outcome,
    }
}

/// The resumption of a trap that has its result.
fn done(task: TaskKey, trap: TrapKey, value: u64) -> Resumption {
    resumption(task, Some(trap), Outcome::Done(value))
}

/// The resumption of a sleep that ended at a point in time.
fn slept(task: TaskKey, trap: TrapKey, at: Instant) -> Resumption {
    done(task, trap, at.as_nanos())
}

fn cancelled(task: TaskKey, trap: TrapKey) -> Resumption {
    resumption(task, Some(trap), Outcome::Cancelled)
}

fn timed_out(task: TaskKey, trap: TrapKey, at: Instant) -> Resumption {
    resumption(task, Some(trap), Outcome::TimedOut(at))
}

fn woken(task: TaskKey) -> Resumption {
    resumption(task, None, Outcome::Woken)
}
