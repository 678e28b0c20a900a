//! Switching between tasks that do nothing but yield.
//!
//! The time includes the tasks' first cycle and their end, which do not matter beside so many yields.

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::Program;

pub(crate) fn run(effort: Effort) {
    title("switch", "time of a switch, between tasks that yield");
    for (tasks, label, target) in [
        (1, "1 task", ""),
        (10, "10 tasks", ""),
        (1_000, "1,000 tasks", "target <= 1.0x"),
        (100_000, "100,000 tasks", ""),
    ] {
        let yields = effort.pick(4_000_000, 1_000_000) / tasks;
        let mut rounds = Rounds::EMPTY;
        take_turns(effort.pick(7, 3), |side| {
            let time = Program::measure(side, "bench-switch", &[tasks, yields]);
            rounds.push(side, time / figure(tasks * yields));
        });
        rounds.print(label, "ns", target);
    }
}
