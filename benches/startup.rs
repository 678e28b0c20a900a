//! From starting a process to its end: a program that says hello, its compiled code in the cache. On tokio it is a
//! native program, which nothing has to load but the system.

use std::time::Instant;

use crate::figures::{Effort, Rounds, take_turns, title};
use crate::program::Program;

pub(crate) fn run(effort: Effort) {
    title("startup", "a process that says hello, from start to end");
    let mut rounds = Rounds::EMPTY;
    // Once for the cache to have it.
    let mut warm = false;
    take_turns(effort.pick(41, 11), |side| {
        if !std::mem::replace(&mut warm, true) {
            Program::start(side, "hello", &[]).end();
        }
        let begun = Instant::now();
        Program::start(side, "hello", &[]).end();
        rounds.push(side, begun.elapsed().as_secs_f64() * 1e3);
    });
    rounds.print("hello", "ms", "target <= 30 ms");
}
