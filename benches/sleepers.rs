//! A million tasks that sleep until one and the same point in time.
//!
//! Memory is what the whole process has more of when all sleep than before the first was spawned: on
//! `curio-host` that is guest and kernel together. The peak is that of all its life.

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::Program;

pub(crate) fn run(effort: Effort) {
    let tasks: u64 = effort.pick(1_000_000, 200_000);
    // Long enough for all to fall asleep, on a machine with something else to do.
    let milliseconds: u64 = effort.pick(4_000, 2_000);
    title(
        "sleepers",
        &format!("{tasks} tasks, all asleep at once, then all woken at once"),
    );
    let [mut spawned, mut asleep, mut woken] = [const { Rounds::EMPTY }; 3];
    let [mut resident, mut peak] = [const { Rounds::EMPTY }; 2];
    take_turns(effort.pick(3, 1), |side| {
        let args = [tasks.to_string(), milliseconds.to_string()];
        let mut program = Program::start(side, "bench-sleepers", &args);
        program.line();
        let before = program.memory();
        let times = program.figures();
        let during = program.memory();
        spawned.push(side, times[0] / 1e6);
        asleep.push(side, times[1] / 1e6);
        woken.push(side, program.figures()[0] / 1e6);
        let each = |bytes: f64| (bytes - before.resident) / figure(tasks);
        resident.push(side, each(during.resident));
        peak.push(side, each(program.memory().peak));
    });
    spawned.print("until all are spawned", "ms", "");
    asleep.print("until all are asleep", "ms", "");
    woken.print("until all have woken", "ms", "");
    resident.print("memory of a sleeping task", "B", "target <= 600 B");
    peak.print("the same, at the peak", "B", "");
}
