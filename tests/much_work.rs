//! Guests that have much done in one trap, one instruction or one moment: each is interrupted and held to its limits, and
//! the others have their turn meanwhile.
//!
//! That no turn on the kernel's thread takes long is what the kernel itself checks in a debug build, whatever else the
//! machine does: here to 20 ms, beside others to 50. See `host/src/host/watchdog.rs`.
#![expect(clippy::print_stdout, reason = "whoever runs it may want to know")]

use std::time::Duration;

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Limits, Options, Permissions, Stdio,
};
use nix::sys::signal::Signal;

use crate::harness::components::Folder;
use crate::harness::{Run, guests};

/// How many milliseconds one turn may take.
const MAX_TURN: (&str, &str) = ("CURIO_MAX_TURN_MS", "20");

/// One instruction that writes to much memory takes longer.
const ANY_TURN: (&str, &str) = ("CURIO_MAX_TURN_MS", "0");

/// How late a tick may be on a machine that does something else.
const LATE: Duration = Duration::from_secs(1);

fn run(case: &str, count: u64) -> Run {
    let run = Run::guest("much_work").variable(MAX_TURN.0, MAX_TURN.1);
    run.args([case, &count.to_string()])
}

/// Writes to so much memory that the ticker would rest if it did not know better, and loops for ever then.
fn fill_and_loop(flags: &[&str]) -> Run {
    let run = Run::guest("much_work").variable(ANY_TURN.0, ANY_TURN.1);
    let run = flags.iter().fold(run, Run::flag);
    run.args(["fill-and-loop", "640"])
}

#[test]
fn a_long_instruction_does_not_end_the_interruptions() {
    let output = fill_and_loop(&["--max-time=1s"]).output();
    output.code(124).stderr_has(&["1s of time reached"]);
    let output = fill_and_loop(&["--max-cpu-time=1s"]).output();
    output.code(124).stderr_has(&["1s of CPU time reached"]);
    let mut running = fill_and_loop(&[]).spawn();
    assert_eq!(running.line(), "looping");
    running.signal(Signal::SIGTERM);
    running.wait().code(143);
}

#[test]
fn a_long_instruction_on_a_thread_does_not_end_the_interruptions() {
    let run = Run::guest("much_work").variable(ANY_TURN.0, ANY_TURN.1);
    run.args(["thread"]).output().code(0);
}

#[test]
fn much_that_happens_at_once_is_told_step_by_step() {
    for (case, count) in [
        ("due", 100_000),
        ("at-once", 200_000),
        ("exit", 200_000),
        ("ended", 100_000),
        ("items", 200_000),
        ("waiters", 10_000),
    ] {
        run(case, count).output().code(0).quiet();
    }
}

#[test]
fn what_ended_tasks_leave_takes_no_room_from_new_ones() {
    // Each time there is room for one and a half times as many.
    let run = run("exit-and-again", 100_000).flag("--max-memory=15MiB");
    run.output().code(0).quiet();
}

/// Runs a case beside a victim that ticks each millisecond, and returns how it ended.
fn beside_a_victim(case: &str, count: u64) {
    let engine = Engine::new(&EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    });
    let engine = engine.unwrap();
    let component = Component::load(&engine, guests::path("much_work")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let folder = Folder::new();
    let mut permissions = Permissions::none();
    let grant = format!("{}::/out", folder.path().display());
    permissions.allow_dir(&grant).unwrap();
    let options = |args: &[&str]| Options {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        stdio: Stdio::Null,
        limits: Limits::default().with_handles(100_000),
        ..Options::default()
    };
    let victim = Options {
        permissions,
        ..options(&["much_work", "tick", "2000"])
    };
    let victim = host.start(&component, victim).unwrap();
    let count = count.to_string();
    let hostile = options(&["much_work", case, &count]);
    let hostile = host.start(&component, hostile).unwrap();
    assert_eq!(host.run(victim).unwrap(), Exit::Code(0), "{case}");
    assert_eq!(host.run(hostile).unwrap(), Exit::Code(0), "{case}");
    let text = std::fs::read_to_string(folder.path().join("lateness")).unwrap();
    let worst = Duration::from_micros(text.parse().unwrap());
    println!("beside {case} the worst tick came {worst:?} late");
    assert!(worst < LATE, "{case}: {worst:?}");
}

#[test]
fn a_victim_ticks_on_beside_much_that_happens_at_once() {
    for (case, count) in [
        ("due", 100_000),
        ("at-once", 200_000),
        ("exit", 200_000),
        ("ended", 100_000),
        ("items", 200_000),
        ("waiters", 3_000),
    ] {
        beside_a_victim(case, count);
    }
}

#[test]
fn a_victim_ticks_on_beside_the_end_of_an_instance_with_much() {
    for (case, count) in [
        ("dead-tables", 200_000),
        ("sockets", 300),
        ("dead-memory", 60),
    ] {
        beside_a_victim(case, count);
    }
}
