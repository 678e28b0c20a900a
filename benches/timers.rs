//! By how much a sleep is too long: two hundred tasks, each of which sleeps for 1 to 50 milliseconds again and again.
//!
//! tokio rounds times up to whole milliseconds; `curio-host` does so only for the system's wait, which
//! takes whole milliseconds as well.

use crate::figures::{Effort, Rounds, quantile, take_turns, title};
use crate::program::Program;

pub(crate) fn run(effort: Effort) {
    title("timers", "by how much a sleep is too long");
    let sleeps: u64 = effort.pick(60, 20);
    let [mut middle, mut late] = [const { Rounds::EMPTY }; 2];
    take_turns(effort.pick(5, 2), |side| {
        let args = [200.to_string(), sleeps.to_string()];
        let lateness = Program::start(side, "bench-timers", &args).figures();
        middle.push(side, quantile(&lateness, 0.5) / 1e3);
        late.push(side, quantile(&lateness, 0.99) / 1e3);
    });
    middle.print("median", "µs", "");
    late.print("99 of 100 are less late", "µs", "");
}
