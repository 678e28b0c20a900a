//! Random programs of tasks that do all there is to do: spawn, join, cancel, time out, lock, put, get and so on.
//!
//! `random_programs SEED COUNT` runs those with the seeds from SEED on, one after the other. With the word `simulated`
//! behind that, the clock is one on which time stands still while anybody runs; then it is known of every operation
//! when and how it must end, and all of it is checked. On a real clock only what must hold at any time is.
//!
//! A program that fails is written out with its seed; if it runs alone, with all that happened in it.

#[path = "random_programs/mod.rs"]
mod random_programs;

use std::time::Duration;

use curio::Result;

/// The arguments.
struct Arguments {
    seed: u64,
    count: u64,
    simulated: bool,
}

impl Arguments {
    fn of_program() -> Option<Self> {
        let mut args = std::env::args().skip(1);
        Some(Self {
            seed: args.next()?.parse().ok()?,
            count: args.next()?.parse().ok()?,
            simulated: args.next().is_some_and(|word| word == "simulated"),
        })
    }
}

#[expect(clippy::print_stderr, reason = "whoever looks into a failure reads it")]
fn tell_of_failures() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}\n{}", random_programs::describe());
    }));
}

async fn run_all(arguments: Arguments) -> Result<()> {
    let Arguments {
        seed,
        count,
        simulated,
    } = arguments;
    for number in 0..count {
        random_programs::run(seed.wrapping_add(number), simulated, count == 1).await?;
    }
    // While it sleeps, the kernel knows of this task and of nothing else: so long that it has forgotten timers that
    // were not needed any more.
    let length = Duration::from_millis(if simulated { 1000 } else { 1 });
    curio::sleep(length).await?;
    Ok(())
}

fn main() {
    let arguments = Arguments::of_program();
    let arguments = arguments.expect("two numbers: a seed, and how many programs");
    tell_of_failures();
    let ended = curio::run(run_all(arguments));
    // Who runs it has seen that nothing can happen any more, and asks it to end.
    assert!(ended.is_ok(), "the program waits for ever: {ended:?}");
}
