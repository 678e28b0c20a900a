//! Random programs of the SDK's tasks: see `tests/guests/src/bin/random_programs.rs`.
//!
//! The seed is another one each time. A program that fails is written out, and runs again alone, with all that
//! happens in it, by `CURIO_SEED=… cargo test -p curio-host --lib random_programs`; `CURIO_PROGRAMS=…` runs more.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::*;

/// How many programs there are, unless the environment says otherwise.
const PROGRAMS: u64 = 4_000;

#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks into a failure names its seed"
)]
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} should be a number: {text}")))
}

/// A number that is another one each time, and short enough to be typed.
fn new_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

#[test]
fn random_programs_do_what_they_must() {
    let given = setting("CURIO_SEED");
    let seed = given.unwrap_or_else(new_seed);
    let alone = if given.is_some() { 1 } else { PROGRAMS };
    let count = setting("CURIO_PROGRAMS").unwrap_or(alone);
    let args = [&*seed.to_string(), &*count.to_string(), "simulated"];
    let ended = Simulation::start("random_programs", &args).run();
    let well = Ended {
        exit: Exit::Code(0),
        stuck: 0,
        // The main task, which sleeps.
        entries: 2,
        timers: 1,
    };
    assert!(
        ended == well,
        "{count} programs from seed {seed}: reproduce with CURIO_SEED={seed} CURIO_PROGRAMS={count} \
         cargo test -p curio-host --lib random_programs\n{ended:#?}"
    );
}
