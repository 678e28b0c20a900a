//! Traps that break the contract: the instance faults, and nothing else happens.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Output, Run};

fn run(flags: &[&str], case: &str) -> Output {
    let run = Run::guest("hostile_traps");
    let run = flags.iter().fold(run, Run::flag);
    run.args([case]).output()
}

#[track_caller]
fn faults(cases: &[(&str, &str)]) {
    for (case, text) in cases {
        let output = run(&["--max-time=20s", "--allow-listen=127.0.0.1:0"], case);
        output.code(134).stdout("");
        let line = output.stderr.lines().next().unwrap_or_default();
        let start = "curio-host: hostile_traps.wasm faulted: ";
        assert!(line.starts_with(start), "{case}: {line}");
        assert!(line.contains(text), "{case}: {line}");
    }
}

#[test]
fn handles_that_were_not_given_out_are_faults() {
    faults(&[
        ("wild-handle", "handle"),
        ("no-handle", "handle"),
        ("closed-handle", "handle"),
        ("other-kind-of-handle", "handle"),
    ]);
}

#[test]
fn numbers_that_were_not_given_out_are_faults() {
    faults(&[
        ("wild-sleeper", "task"),
        ("wild-scope", "timeout block"),
        ("wild-joiner", "task"),
        ("wild-waiter", "task"),
        ("wild-exit", "task"),
        ("exit-twice", "task"),
        ("wild-end", "task"),
        ("end-twice", "task"),
        ("wild-opener", "task"),
        ("wild-close", "timeout block"),
    ]);
}

#[test]
fn numbers_that_may_have_gone_are_none() {
    run(&[], "numbers-of-nothing").code(0).quiet();
}

#[test]
fn too_many_timeout_blocks_in_each_other_are_a_fault() {
    faults(&[("deep-scopes", "more than a hundred timeout blocks")]);
}

#[test]
fn what_the_kernel_is_made_to_keep_is_limited() {
    for case in [
        "endless-scopes",
        "endless-sleeps",
        "endless-yields",
        "endless-queues",
    ] {
        let output = run(&["--max-memory=16MiB"], case);
        output.complains(124, &["16 MiB of memory reached"]);
    }
}

#[test]
fn texts_and_results_outside_of_memory_are_faults() {
    faults(&[
        ("wild-text", "utf-8"),
        ("text-out-of-bounds", "out of bounds"),
        ("text-too-long", ""),
        ("ends-out-of-bounds", "out of bounds"),
        ("result-out-of-bounds", "out of bounds"),
    ]);
}

#[test]
fn waiting_on_an_unbound_socket_is_a_fault() {
    faults(&[("unbound-socket", "neither listens nor is connected")]);
}

#[test]
fn odd_requests_do_no_harm() {
    for case in ["queue-and-sleep", "labels", "wrong-count-of-ready-tasks"] {
        run(&[], case).code(0).quiet();
    }
}

#[test]
fn who_waits_for_what_is_closed_is_told() {
    run(&["--allow-listen=127.0.0.1:0"], "closed-while-waiting")
        .code(0)
        .quiet();
}

#[test]
fn waiting_without_tasks_is_ended_by_a_signal() {
    let mut running = Run::guest("hostile_traps")
        .args(["wait-without-tasks"])
        .spawn();
    assert_eq!(running.line(), "waiting");
    std::thread::sleep(Duration::from_millis(50));
    running.signal(Signal::SIGINT);
    running.wait().code(130).quiet();
}
