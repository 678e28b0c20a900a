//! SIGINT and SIGTERM: the first one asks the program to end, the second one ends it.

use nix::sys::signal::Signal;

use crate::harness::{Output, Run, Running, guests};

/// The two signals, and the status of who is ended by them.
const SIGNALS: [(Signal, i32); 2] = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)];

/// Starts a case, and waits until it may be sent a signal.
fn start(case: &str) -> Running {
    let mut running = Run::guest("signal_main").args([case]).spawn();
    assert_eq!(running.line(), "ready");
    running
}

/// Sends a case a signal, and waits for its end.
fn run(case: &str, signal: Signal) -> Output {
    let mut running = start(case);
    running.signal(signal);
    running.wait()
}

#[test]
fn every_case_is_tested() {
    let cases = [
        "main_cleans_up",
        "main_ends_well",
        "main_refuses",
        "main_spins",
        "main_is_busy_yielding",
        "main_waits_without_a_trap",
        "main_has_ended",
        "children_are_cancelled_after_main",
    ];
    guests::has_cases("signal_main", &cases);
}

#[test]
fn a_signal_cancels_main_which_may_clean_up() {
    for (signal, status) in SIGNALS {
        let output = run("main_cleans_up", signal);
        output.code(status).stdout("ready\ntold\nclean\n");
        output.stderr_has(&["the task was cancelled"]);
    }
}

#[test]
fn a_program_that_ends_well_has_ended_well() {
    for (signal, _) in SIGNALS {
        let output = run("main_ends_well", signal);
        output.code(0).stdout("ready\ntold\n").quiet();
    }
}

#[test]
fn a_second_signal_ends_a_program_that_refuses() {
    for (signal, status) in SIGNALS {
        let mut running = start("main_refuses");
        running.signal(signal);
        assert_eq!(running.line(), "told");
        assert_eq!(running.line(), "no");
        running.signal(signal);
        let output = running.wait();
        output.code(status).stdout("ready\ntold\nno\n").quiet();
    }
}

#[test]
fn the_second_signal_is_the_one_that_counts() {
    let mut running = start("main_refuses");
    running.signal(Signal::SIGINT);
    assert_eq!(running.line(), "told");
    running.signal(Signal::SIGTERM);
    running.wait().code(143);
}

#[test]
fn a_second_signal_ends_a_program_that_spins() {
    let mut running = start("main_spins");
    running.signal(Signal::SIGINT);
    // It can't be told, and nobody can tell whether the first one has come: two of a kind become one.
    running.signal(Signal::SIGTERM);
    let output = running.wait();
    output.stdout("ready\n").quiet();
    // They are read in the order of their numbers.
    output.code(143);
}

#[test]
fn a_program_that_is_never_idle_is_told_too() {
    let output = run("main_is_busy_yielding", Signal::SIGTERM);
    output.code(143).stdout("ready\ntold\n");
}

#[test]
fn a_main_task_that_cannot_be_told_is_dropped() {
    for (signal, status) in SIGNALS {
        let output = run("main_waits_without_a_trap", signal);
        let expected = "ready\ndropped\nchild told\n";
        output.code(status).stdout(expected).quiet();
    }
}

#[test]
fn a_signal_ends_a_program_whose_main_task_has_ended() {
    let output = run("main_has_ended", Signal::SIGINT);
    output.code(130).stdout("ready\n").quiet();
}

#[test]
fn the_other_tasks_are_cancelled_after_main() {
    let output = run("children_are_cancelled_after_main", Signal::SIGTERM);
    let expected = "ready\ntold\nmain\nsecond\nfirst\n";
    output.code(143).stdout(expected);
}
