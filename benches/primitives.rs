//! Locks, queues, timeouts and cancellation.
//!
//! A timeout around something that is ready at once is measured too, but the target is meant for one that is set and
//! unset: tokio sets no timer for a future that never waits.

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::Program;

pub(crate) fn run(effort: Effort) {
    title("primitives", "time of an operation");
    let many = effort.pick(2_000_000, 400_000);
    for (case, count, label, target) in [
        (0, many * 5, "lock, uncontended", "target <= 1.0x"),
        (1, many, "lock, handed over", ""),
        (2, many, "queue of 100: put and get", "target <= 1.0x"),
        (3, many, "queue of 1: put and get", "target <= 1.0x"),
        (4, many, "timeout of what is ready", ""),
        (5, many, "timeout set and unset", "target <= 0.5x"),
        (6, 1_000, "cancel, 1,000 sleepers", ""),
        (6, 10_000, "cancel, 10,000 sleepers", ""),
        (6, 100_000, "cancel, 100,000 sleepers", "linear"),
    ] {
        let mut rounds = Rounds::EMPTY;
        take_turns(effort.pick(7, 3), |side| {
            let time = Program::measure(side, "bench-primitives", &[case, count]);
            rounds.push(side, time / figure(count));
        });
        rounds.print(label, "ns", target);
    }
}
