//! Traps that break the contract: the instance faults, and nothing else happens.

use std::time::Duration;

use curio_host::{Cache, Component, Engine, EngineOptions, Exit, Host, Options, Stdio};
use nix::sys::signal::Signal;

use crate::harness::{Output, Run, Running, guests};

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
        ("ended-sleeper", "task"),
        ("wild-waiter", "task"),
        ("wild-exit", "task"),
        ("exit-twice", "task"),
        ("wild-end", "task"),
        ("end-twice", "task"),
        ("end-and-exit", "task"),
    ]);
}

#[test]
fn traps_without_a_cookie_are_faults() {
    faults(&[
        ("sleeper-without-cookie", "cookie 0"),
        ("sleeper-without-cookie-or-sleep", "cookie 0"),
        ("waiter-without-cookie", "cookie 0"),
    ]);
}

#[test]
fn numbers_that_may_have_gone_are_none() {
    run(&[], "numbers-of-nothing").code(0).quiet();
}

#[test]
fn what_the_kernel_is_made_to_keep_is_limited() {
    for case in ["endless-sleeps", "endless-yields", "endless-tasks"] {
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
fn waiting_on_an_unbound_socket_is_an_error() {
    run(&[], "unbound-socket").code(0).quiet();
}

#[test]
fn odd_requests_do_no_harm() {
    for case in [
        "a-hundred-thousand-sleeps",
        "labels",
        "times-that-have-passed",
        "times-to-come",
        "told-of-an-ended-task",
        "two-of-one-cookie",
        "wrong-count-of-ready-tasks",
    ] {
        run(&[], case).code(0).quiet();
    }
}

#[test]
fn who_waits_for_what_is_closed_is_told() {
    run(&["--allow-listen=127.0.0.1:0"], "closed-while-waiting")
        .code(0)
        .quiet();
}

/// Starts a case that says when it waits, and lets it do so.
fn start(case: &str) -> Running {
    let mut running = Run::guest("hostile_traps").args([case]).spawn();
    assert_eq!(running.line(), "waiting");
    std::thread::sleep(Duration::from_millis(50));
    running
}

#[test]
fn waiting_without_tasks_is_ended_by_a_signal() {
    let mut running = start("wait-without-tasks");
    running.signal(Signal::SIGINT);
    running.wait().code(130).quiet();
}

#[test]
fn a_signal_comes_as_a_request_to_end() {
    let mut running = start("asked-to-end");
    running.signal(Signal::SIGINT);
    running.wait().code(0).quiet();
}

/// What waits for ever without ever being suspended for long.
const RESTLESS: [&str; 2] = ["endless-waits", "endless-deadlines"];

#[test]
fn who_is_never_suspended_for_long_is_ended_by_signals_and_limits() {
    for case in RESTLESS {
        let mut running = start(case);
        running.signal(Signal::SIGINT);
        running.signal(Signal::SIGTERM);
        running.wait().code(143).quiet();
        let output = run(&["--max-time=200ms", "--max-memory=16MiB"], case);
        output.code(124).stderr_has(&["200ms of time reached"]);
    }
}

#[test]
fn who_is_never_suspended_for_long_does_not_stop_another_instance() {
    let options = EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    };
    let engine = Engine::new(&options).unwrap();
    let component = Component::load(&engine, guests::path("hostile_traps")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let mut start = |case: &str| {
        let options = Options {
            args: vec!["hostile_traps".to_owned(), case.to_owned()],
            stdio: Stdio::Null,
            ..Options::default()
        };
        host.start(&component, options).unwrap()
    };
    let restless = RESTLESS.map(&mut start);
    let honest = start("times-to-come");
    assert_eq!(host.run(honest).unwrap(), Exit::Code(0));
    for instance in restless {
        host.stop(instance);
        assert_eq!(host.run(instance).unwrap(), Exit::Stopped);
    }
}
