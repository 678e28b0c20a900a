//! Programs that go wrong, and programs that want to: each ends by itself, and the kernel says how in one line.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Output, Run};

fn program(flags: &[&str], case: &str) -> Run {
    let run = Run::guest("hostile_program");
    flags.iter().fold(run, Run::flag).args([case])
}

/// The host's own line, and nothing else of its own.
#[track_caller]
fn own_line(output: &Output) -> &str {
    let mut lines = output.stderr.lines();
    let mut own = lines
        .by_ref()
        .filter(|line| line.starts_with("curio-host: "));
    let line = own.next().unwrap_or_else(|| panic!("{}", output.stderr));
    assert_eq!(own.next(), None, "{}", output.stderr);
    line
}

#[track_caller]
fn faults(case: &str, texts: &[&str]) -> Output {
    let output = program(&[], case).output();
    output.code(134).stderr_has(texts);
    let line = own_line(&output);
    let start = "curio-host: hostile_program.wasm faulted: ";
    assert!(line.starts_with(start), "{line}");
    output
}

#[test]
fn a_panic_is_a_fault() {
    faults("panic", &["this program gave up"]);
    faults("panic-in-task", &["this task gave up"]);
    faults("abort", &["unreachable"]);
}

#[test]
fn a_stack_that_overflows_is_a_fault() {
    faults("stack", &["call stack exhausted"]);
    faults("stack-in-drop", &["call stack exhausted"]);
}

#[test]
fn an_exit_is_obeyed_whoever_still_runs() {
    // The standard library of this target knows success and failure alone: 7 is failure.
    program(&[], "exit").output().code(1).stdout("").quiet();
}

#[test]
fn an_error_of_main_s_is_printed_as_it_says() {
    let output = program(&[], "error").output();
    output.code(1).stdout("");
    // What a program writes to its own streams is its own affair.
    let text = "Error: this program\u{1b}[2J\nfailed\n";
    assert_eq!(output.stderr, text);
}

#[test]
fn what_grows_without_end_is_ended_by_a_limit() {
    let output = program(&["--max-memory=64MiB"], "allocate").output();
    output.code(124);
    assert!(
        own_line(&output).ends_with("--max-memory"),
        "{}",
        output.stderr
    );
    // A task too many is an error, which these programs do not look at.
    for (flag, case) in [
        ("--max-memory=64MiB", "spawn"),
        ("--max-memory=64MiB", "spawn-in-tasks"),
        ("--max-tasks=1000", "spawn"),
    ] {
        let output = program(&[flag, "--max-cpu-time=1s", "-q"], case).output();
        output.code(124);
        assert!(own_line(&output).contains("limit of"), "{}", output.stderr);
    }
    // With no more tasks than it may have, such a program just waits.
    let output = program(
        &["--max-tasks=100", "--max-time=500ms", "-q"],
        "spawn-in-tasks",
    )
    .output();
    output.complains(124, &["--max-time"]);
}

#[test]
fn labels_run_out_and_nothing_else_does() {
    program(&["--max-memory=64MiB"], "labels")
        .output()
        .code(0)
        .quiet();
}

#[test]
fn a_task_that_wakes_itself_can_be_ended() {
    let output = program(&["--max-cpu-time=300ms"], "wake-itself").output();
    output.complains(124, &["--max-cpu-time"]);
}

#[test]
fn a_guest_that_ignores_a_signal_is_ended_by_the_second() {
    let mut running = program(&[], "ignore-cancellation").spawn();
    assert_eq!(running.line(), "still here");
    running.signal(Signal::SIGINT);
    assert_eq!(running.line(), "still here");
    running.signal(Signal::SIGINT);
    running.wait().code(130).quiet();
}

#[test]
fn a_guest_that_waits_for_nothing_is_ended_by_a_signal() {
    let mut running = program(&[], "foreign-future").spawn();
    assert_eq!(running.line(), "waiting");
    std::thread::sleep(Duration::from_millis(50));
    running.signal(Signal::SIGTERM);
    running.wait().code(143).quiet();
}

#[test]
fn log_messages_are_escaped_and_cut() {
    let output = program(&[], "log").output();
    output.code(0);
    let lines: Vec<_> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", output.stderr);
    let escaped =
        r"\u{1b}[2J\u{7}line\r\nERROR guest: forged\u{9b}31m\u{7f}\u{202e}\u{2028}\u{e0041}";
    assert!(lines[0].contains(escaped), "{}", lines[0]);
    assert!(lines[1].len() < 10_000, "{}", lines[1].len());
    assert!(lines[1].contains("xxxx"));
    let controls = |c: &char| c.is_control() && *c != '\n';
    assert_eq!(output.stderr.chars().find(controls), None);
}

#[test]
fn random_bytes_cost_nothing_to_speak_of() {
    program(&[], "random").output().code(0).quiet();
}
