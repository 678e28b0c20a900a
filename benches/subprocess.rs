//! Subprocesses: `true`, started and waited for, one after the other.

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::{Program, Side};

pub(crate) fn run(effort: Effort) {
    title("subprocess", "time to run a program that does nothing");
    let processes = effort.pick(2_000, 300);
    let mut rounds = Rounds::EMPTY;
    take_turns(effort.pick(7, 3), |side| {
        let flags = match side {
            Side::Curio => vec!["--allow-run=/bin/true".to_owned()],
            Side::Tokio => Vec::new(),
        };
        let args = [processes.to_string()];
        let mut program = Program::start_with(side, "bench-subprocess", &flags, &args);
        rounds.push(side, program.figures()[0] / figure(processes));
    });
    rounds.print("spawn and wait", "ns", "target <= 1.2x");
}
