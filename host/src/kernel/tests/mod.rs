//! Tests of the kernel: what each trap of `wit/traps.wit` leads to, on a simulated clock and selector.
//!
//! - `tasks`, `timers`, `descriptors`: one subject each
//! - `until`: when a `wait` returns; `ending`: how a program is asked to end
//! - `instances`: several on one kernel
//! - `limits`: what a hostile guest can't have
//! - `random`: random programs, against what must hold for any

mod descriptors;
mod ending;
mod instances;
mod limits;
mod random;
mod tasks;
mod timers;
mod until;

use std::task::Poll;
use std::time::Duration;

use super::task::{Resumption, TaskInfo};
use super::*;
use crate::selector::Simulated;

/// What tests of a guest on a simulated clock ask.
impl Kernel {
    /// Whether an instance is suspended in `wait`, for which nothing has come.
    pub(crate) fn is_waiting(&self, key: InstanceKey) -> bool {
        self.instances[key].turn == Turn::Waiting
    }

    /// How many timers are set.
    pub(crate) fn timers(&self) -> usize {
        self.instances.values().map(Instance::timers_set).sum()
    }
}

/// A kernel with one instance, whose guest is the test.
struct Sim {
    kernel: Kernel,
    clock: SimulatedClock,
    selector: Simulated,
    key: InstanceKey,
    /// The last cookie that the guest gave a trap.
    cookie: u64,
    /// The guest has the thread.
    in_turn: bool,
    /// The guest has done something without it, since the test doesn't care how it got there.
    stole_turn: bool,
}

/// A trap that the guest has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    token: TrapKey,
    cookie: u64,
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
            cookie: 0,
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
        let pass = self.wait(Instant::NEVER, false);
        pass.map_or_else(Vec::new, |pass| pass.resumptions)
    }

    /// The guest calls `wait`, and the clock moves on until something is ready.
    fn idle(&mut self) -> Vec<Resumption> {
        let pass = self.wait(Instant::NEVER, true);
        pass.map_or_else(Vec::new, |pass| pass.resumptions)
    }

    /// The guest calls `wait`, and is suspended until it returns, which may be never, or only for
    /// as long as the clock stands still.
    fn wait(&mut self, until: Instant, clock_moves: bool) -> Option<Pass> {
        loop {
            if self.in_turn {
                if let Poll::Ready(pass) = self.kernel.poll_wait(self.key, 0, until) {
                    return Some(pass);
                }
                self.in_turn = false;
            }
            if std::mem::take(&mut self.stole_turn) {
                self.kernel.door().send(Message::Poll(self.key));
            }
            let before = self.clock.now();
            let cleans_up = self.kernel.has_to_clean_up();
            self.kernel
                .select(clock_moves)
                .expect("a simulated selector never fails");
            self.in_turn = self.kernel.next_instance() == Some(self.key);
            if !self.in_turn && self.clock.now() == before && !cleans_up {
                return None;
            }
        }
    }

    fn task(&mut self) -> TaskKey {
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

    fn exit(&mut self, task: TaskKey) {
        self.instance();
        let exited = self.kernel.exit_task(self.key, task);
        exited.expect("the task lives");
    }

    fn withdraw(&mut self, trap: Made) -> bool {
        self.withdraw_token(trap.token)
    }

    fn withdraw_token(&mut self, token: TrapKey) -> bool {
        self.instance().withdraw(token)
    }

    /// A task, with a cookie that no other trap has.
    fn caller(&mut self, task: TaskKey) -> Caller {
        self.cookie += 1;
        let cookie = self.cookie;
        Caller { task, cookie }
    }

    fn try_sleep(&mut self, by: Caller, until: Instant) -> Result<Made, Fault> {
        let (instance, timers, now) = self.with_timers();
        let token = instance.sleep(timers, by, until, now)?;
        let cookie = by.cookie;
        Ok(Made { token, cookie })
    }

    fn sleep(&mut self, task: TaskKey, until: Instant) -> Made {
        let by = self.caller(task);
        self.try_sleep(by, until).expect("it may sleep")
    }

    /// Makes a trap that ends at once.
    fn nap(&mut self, task: TaskKey) -> Made {
        self.sleep(task, ms(0))
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
        while self.kernel.has_to_clean_up() {
            self.expect(&[]);
        }
        assert_eq!(self.instance().entries(), 0, "entries in the tables");
        assert_eq!(self.instance().budget().memory(), 0, "bytes charged");
        assert_eq!(self.instance().timers_set(), 0, "timers set");
    }
}

fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

/// The resumption of a trap that has its result.
fn done(trap: Made, value: u64) -> Resumption {
    Resumption {
        cookie: trap.cookie,
        outcome: Outcome::Done(value),
    }
}

/// The resumption of a sleep that ended at a point in time.
fn slept(trap: Made, at: Instant) -> Resumption {
    done(trap, at.as_nanos())
}

/// What the guest is told when its program is to end.
const END_REQUESTED: Resumption = Resumption {
    cookie: 0,
    outcome: Outcome::EndRequested,
};
