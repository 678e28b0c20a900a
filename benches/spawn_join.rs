//! Spawning tasks that do nothing, and joining them: one after the other, and a thousand at a time.
//!
//! On tokio, spawning from the future that `block_on` runs, as `#[tokio::main]` does, is another matter than
//! spawning from a task: that future is woken by a system call. Both are measured; the target
//! is meant for tasks. On `curio-host` the main function is a task like any other.

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::{Program, Side};

pub(crate) fn run(effort: Effort) {
    title("spawn_join", "time to spawn a task and to join it");
    for (batch, native, label, target) in [
        (1, "task", "one after the other", "target <= 0.5x"),
        (1_000, "task", "1,000 at a time", "target <= 0.5x"),
        (1, "main", "one, tokio from main", ""),
        (1_000, "main", "1,000, tokio from main", ""),
    ] {
        let tasks = effort.pick(1_000_000, 200_000);
        let mut rounds = Rounds::EMPTY;
        take_turns(effort.pick(7, 3), |side| {
            let name = if side == Side::Tokio && native == "main" {
                "bench-spawn-join-main"
            } else {
                "bench-spawn-join"
            };
            let time = Program::measure(side, name, &[tasks, batch]);
            rounds.push(side, time / figure(tasks));
        });
        rounds.print(label, "ns", target);
    }
}
