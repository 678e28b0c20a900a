//! Limits: reaching one is told in one line, and those that a program can live with are told to it.

use std::time::{Duration, Instant};

use crate::harness::components::{Folder, program};
use crate::harness::{Output, Run};

fn run(flags: &[&str], case: &str) -> Output {
    let run = Run::guest("limit_reached");
    let run = flags.iter().fold(run, Run::flag);
    run.args([case]).output()
}

/// Asserts that a run ended by a limit, in one line; whatever the guest itself said is left out.
#[track_caller]
fn ends_by(flags: &[&str], case: &str, limit: &str) {
    let output = run(flags, case);
    output.code(124);
    let mut own = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("curio-host: "));
    let line = format!("curio-host: limit_reached.wasm: limit of {limit}");
    assert_eq!((own.next(), own.next()), (Some(&*line), None), "{case}");
}

#[test]
fn a_task_too_many_is_told_to_the_guest() {
    for case in ["tasks", "group"] {
        run(&["--max-tasks=10"], case).code(0).quiet();
    }
}

#[test]
fn a_handle_too_many_is_told_to_the_guest() {
    run(&["--max-handles=10"], "handles").code(0).quiet();
}

#[test]
fn memory_that_grows_without_end_is_ended() {
    let limit = "32 MiB of memory reached; raise it with --max-memory";
    let output = run(&["--max-memory=32MiB"], "memory");
    output.code(124).stderr_has(&[limit]);
    // It came as far as it may.
    let blocks = output.stdout.lines().count();
    assert!((20..32).contains(&blocks), "{blocks} MiB");
}

#[test]
fn tables_count_as_memory() {
    let grow = "(loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 10000))
        (i32.const -1)))) unreachable";
    let folder = Folder::new();
    let app = program(grow).replace("(memory 1)", "(memory 1) (table 1 funcref)");
    let run = Run::new().flag("--no-cache").flag("--max-memory=8MiB");
    let output = run.component(folder.app(&app)).output();
    output.complains(124, &["8 MiB of memory reached"]);
}

#[test]
fn a_guest_may_live_with_less_memory_than_it_wants() {
    run(&["--max-memory=32MiB"], "memory-caught")
        .code(0)
        .quiet();
}

#[test]
fn what_the_kernel_keeps_counts_as_memory() {
    for case in ["task-memory", "wait-memory"] {
        let limit = "16 MiB of memory reached; raise it with --max-memory";
        ends_by(&["--max-memory=16MiB"], case, limit);
    }
}

#[test]
fn time_is_over_for_who_sleeps_computes_or_blocks() {
    for case in ["sleep", "thread-sleep", "loop", "loop-in-task", "yield"] {
        let begun = Instant::now();
        let limit = "300ms of time reached; raise it with --max-time";
        ends_by(&["--max-time=300ms"], case, limit);
        assert!(begun.elapsed() >= Duration::from_millis(300), "{case}");
    }
}

#[test]
fn time_is_over_for_who_waits_for_input() {
    let run = Run::guest("limit_reached").flag("--max-time=300ms");
    let mut running = run.args(["stdin"]).spawn();
    assert_eq!(running.line(), "reading");
    // Its standard input is open until then, with nothing in it.
    std::thread::sleep(Duration::from_secs(1));
    let output = running.wait();
    output.code(124).stdout("reading\n");
    output.stderr_has(&["limit of 300ms of time reached"]);
}

#[test]
fn computing_is_ended_by_its_own_limit() {
    for case in ["loop", "loop-in-task", "yield"] {
        let begun = Instant::now();
        let limit = "1s of CPU time reached; raise it with --max-cpu-time";
        ends_by(&["--max-cpu-time=1s"], case, limit);
        assert!(begun.elapsed() >= Duration::from_secs(1), "{case}");
    }
}

#[test]
fn waiting_is_not_computing() {
    run(&["--max-cpu-time=1s"], "naps").code(0).quiet();
}
