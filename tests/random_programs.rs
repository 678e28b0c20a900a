//! Random programs on a real clock. On a simulated one, where much more is known of them, thousands run in
//! `host/src/host/tests/random_programs.rs`.

use crate::harness::Run;

#[test]
fn random_programs_end_on_a_real_clock() {
    let run = Run::guest("random_programs").args(["1", "40"]);
    // Some of their tasks fail, and nobody asks why: that is logged.
    run.output().code(0).stdout("");
}

#[test]
fn a_random_program_needs_a_seed() {
    let output = Run::guest("random_programs").args(["many"]).output();
    output
        .code(134)
        .stdout("")
        .stderr_has(&["a seed, and how many programs"]);
}
