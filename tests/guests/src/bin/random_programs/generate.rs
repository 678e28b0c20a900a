//! Makes programs from seeds.
//!
//! Every program ends if the SDK does what it says, since the caretaker (see `caretaker.rs`) sets all events, opens
//! all gates, feeds and drains all queues and cancels all tasks in the end, and since some things are left out:
//!
//! - what is held while another is waited for has a smaller rank than that
//! - in a shield nobody waits for a task
//! - who holds something waits for no group, whose members may want it
//!
//! Branches of a task hold no further branches, so that what their interruption leads to can be foretold.

use fastrand::Rng;

use super::program::{
    CONDITIONS, EVENTS, GATES, LOCKS, Op, Policy, Program, QUEUES, RLOCKS, SEMAPHORES, Script, Way,
};

/// Where an operation stands.
#[derive(Clone, Copy)]
struct Around {
    depth: u32,
    /// Everything below it may be held.
    rank: usize,
    shielded: bool,
    in_branch: bool,
}

struct Generator {
    rng: Rng,
    /// How many tasks there may be, and how many there are so far.
    max_tasks: usize,
    tasks: usize,
    /// How many more operations there may be.
    left: u32,
}

impl Program {
    /// The program with this seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let max_tasks = rng.usize(1..=8);
        let mut generator = Generator {
            max_tasks,
            tasks: 1,
            left: 0,
            rng,
        };
        let mut scripts = Vec::new();
        while scripts.len() < generator.tasks {
            let root = scripts.is_empty();
            scripts.push(generator.task(root));
        }
        Self { seed, scripts }
    }
}

impl Generator {
    fn task(&mut self, root: bool) -> Script {
        self.left = self.rng.u32(2..20);
        let around = Around {
            depth: 0,
            rank: 0,
            shielded: false,
            in_branch: false,
        };
        let mut script = Vec::new();
        if root {
            // Otherwise most programs would have one task.
            for _ in 1..self.max_tasks.min(4) {
                script.extend(self.spawn());
            }
        }
        script.extend(self.script(around));
        script
    }

    fn script(&mut self, around: Around) -> Script {
        let mut script = Vec::new();
        for _ in 0..self.rng.u32(1..5) {
            self.left = self.left.saturating_sub(1);
            script.extend(self.op(around));
            if self.left == 0 {
                break;
            }
        }
        script
    }

    /// Mostly short, so that much happens at the same time.
    fn time(&mut self) -> u32 {
        let most = if self.rng.u32(0..4) == 0 { 20 } else { 6 };
        self.rng.u32(1..most)
    }

    fn op(&mut self, around: Around) -> Option<Op> {
        if around.depth < 5 && self.left > 0 && self.rng.u32(0..5) < 2 {
            return self.nested(around);
        }
        let any_task = self.rng.usize(0..self.max_tasks);
        let event = self.rng.usize(0..EVENTS);
        let queue = self.rng.usize(0..QUEUES.len());
        let condition = self.rng.usize(0..CONDITIONS);
        let gate = self.rng.usize(0..GATES);
        let condition_rank = Self::rank_of_conditions();
        Some(match self.rng.u32(0..32) {
            5..7 => Op::Yield,
            7 if self.rng.u32(0..3) == 0 => Op::Fail,
            7 | 8 => return self.spawn(),
            9 | 10 if !around.shielded => Op::Join(any_task),
            11 | 12 if !around.shielded => Op::Cancel(any_task),
            13 if !around.shielded => Op::CancelWith(any_task),
            14 => Op::RequestCancel(any_task),
            15 => Op::Check,
            16 if self.rng.u32(0..3) == 0 => Op::Take,
            17 => Op::SetEvent(event),
            18 if self.rng.bool() => Op::ClearEvent(event),
            18..20 => Op::WaitEvent(event),
            20 | 21 if around.rank <= condition_rank => Op::Notify(condition, self.rng.usize(1..4)),
            22 | 23 if around.rank <= condition_rank => Op::WaitCondition(condition),
            24..26 => Op::Put(queue),
            26..29 => Op::Get(queue),
            29 => Op::JoinQueue(queue),
            30 => Op::OpenGate(gate),
            31 => Op::WaitGate(gate),
            _ => Op::Sleep(self.time()),
        })
    }

    fn nested(&mut self, around: Around) -> Option<Op> {
        let inside = Around {
            depth: around.depth + 1,
            ..around
        };
        let ticks = self.rng.u32(0..10);
        Some(match self.rng.u32(0..16) {
            0..4 => {
                let is_error = self.rng.u32(0..3) == 0;
                Op::Timeout(ticks, is_error, self.script(inside))
            }
            4 => Op::Shield(self.script(Around {
                shielded: true,
                ..inside
            })),
            5..9 => return self.held(inside),
            9 | 10 if !around.shielded && around.rank == 0 => {
                let mut members = Vec::new();
                for _ in 0..self.rng.u32(0..4) {
                    if let Some(Op::Spawn(task)) = self.spawn() {
                        members.push(task);
                    }
                }
                let policies = [Policy::All, Policy::Any, Policy::Even, Policy::None];
                let policy = policies[self.rng.usize(0..4)];
                Op::Group(policy, members, self.script(inside))
            }
            11..14 if !around.in_branch => {
                let inside = Around {
                    in_branch: true,
                    ..inside
                };
                let way = if self.rng.bool() {
                    Way::Together
                } else {
                    Way::ByWakers
                };
                let (left, right) = (self.script(inside), self.script(inside));
                if self.rng.bool() {
                    Op::Both(way, left, right)
                } else {
                    Op::Race(way, left, right)
                }
            }
            _ => {
                let swallow = self.rng.bool();
                Op::Catch(self.script(inside), self.script(inside), swallow)
            }
        })
    }

    /// Something that is held for the length of a script.
    fn held(&mut self, inside: Around) -> Option<Op> {
        let rank = self.rng.usize(0..Self::rank_of_conditions());
        let semaphore = rank;
        let lock = rank.wrapping_sub(SEMAPHORES.len());
        let rlock = lock.wrapping_sub(LOCKS);
        // A task may have a recursive lock several times.
        let again = rlock < RLOCKS && rank + 1 == inside.rank;
        if rank < inside.rank && !again {
            return None;
        }
        let script = self.script(Around {
            rank: rank + 1,
            ..inside
        });
        Some(if rlock < RLOCKS {
            Op::RLock(rlock, script)
        } else if lock < LOCKS {
            Op::Lock(lock, script)
        } else {
            Op::Semaphore(semaphore, script)
        })
    }

    /// Conditions come last: nothing else is waited for with their locks.
    const fn rank_of_conditions() -> usize {
        SEMAPHORES.len() + LOCKS + RLOCKS
    }

    fn spawn(&mut self) -> Option<Op> {
        if self.tasks == self.max_tasks {
            return None;
        }
        self.tasks += 1;
        Some(Op::Spawn(self.tasks - 1))
    }
}
