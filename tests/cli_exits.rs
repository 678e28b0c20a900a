//! How a guest ends, and the status that tells it.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::components::{Folder, LOOP, echo, program};
use crate::harness::{Output, Run};

fn run(flags: &[&str], component: &str) -> Output {
    let folder = Folder::new();
    let app = folder.app(component);
    let run = Run::new().flag("--no-cache").args(flags);
    run.component(app).output()
}

#[test]
fn a_guest_s_status_is_the_host_s() {
    run(&[], &program("i32.const 0")).code(0).stdout("").quiet();
    run(&[], &program("i32.const 1")).code(1).stdout("").quiet();
    for status in [0, 1, 2, 42, 124, 255] {
        let component = EXIT.replace("STATUS", &status.to_string());
        run(&[], &component).code(status).stdout("").quiet();
    }
}

#[test]
fn a_fault_is_told_with_a_backtrace() {
    let output = run(&[], &program("unreachable"));
    let lines = [
        "curio-host: app.wasm faulted: ",
        "unreachable",
        "0: ",
        "main",
    ];
    output.code(134).stdout("").stderr_has(&lines);
    assert!(!output.stderr.contains("WASMTIME"), "{}", output.stderr);

    let output = run(&[], &program("call $main"));
    output
        .code(134)
        .stderr_has(&["app.wasm faulted: ", "stack"]);
}

#[test]
fn a_limit_is_told_with_its_option() {
    let output = run(&["--max-time=100ms"], &program(LOOP));
    output.complains(124, &["app.wasm: ", "100ms", "--max-time"]);
    let output = run(&["--max-cpu-time=50ms"], &program(LOOP));
    output.complains(124, &["app.wasm: ", "50ms", "--max-cpu-time"]);
    let grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let output = run(&["--max-memory=8MiB"], &program(grow));
    output.complains(124, &["app.wasm: ", "8 MiB", "--max-memory"]);
    // It can't even start.
    let output = run(&["--max-memory=1"], &program("i32.const 0"));
    output.complains(124, &["app.wasm: ", "1 B", "--max-memory"]);
    // Who gets less than wanted and makes do with it has not failed.
    let once = "(drop (memory.grow (i32.const 1000))) i32.const 0";
    run(&["--max-memory=8MiB"], &program(once)).code(0).quiet();
}

#[test]
fn a_handle_of_the_standard_library_s_is_one() {
    run(&["--max-handles=1"], &echo("i32.const 0")).code(0);
    let handles = "(loop (drop (call $get-stdout)) (br 0)) unreachable";
    let output = run(&["--max-handles=100", "--max-time=20s"], &echo(handles));
    let text = "app.wasm: limit of 100 handles reached; raise it with --max-handles\n";
    output.code(124).stderr_has(&[text]);
    let few = "(local.set $end (i32.const 150))
        (loop (drop (call $get-stdout))
            (br_if 0 (local.tee $end (i32.sub (local.get $end) (i32.const 1)))))
        i32.const 0";
    run(&["--max-handles=100"], &echo(few)).code(0).quiet();
}

#[test]
fn what_takes_uncounted_memory_is_bounded() {
    let parts = "(core instance (instantiate $app))".repeat(100);
    let many = program("i32.const 0").replace(
        "(core instance $app",
        &format!("{parts} (core instance $app"),
    );
    run(&[], &many)
        .code(134)
        .stderr_has(&["instance count too high"]);

    let pass = "(drop (memory.grow (i32.const 300)))
        (call $write (local.get $stdout) (i32.const 0) (i32.const 17000000) (i32.const 16))
        i32.const 0";
    run(&[], &echo(pass)).code(134).stderr_has(&["fuel"]);
}

#[test]
fn a_limit_is_not_blamed_for_what_comes_later() {
    let refused = "(drop (memory.grow (i32.const 1000)))";
    let limit = "--max-memory=8MiB";
    let later = format!("{refused} (drop (memory.grow (i32.const 1))) unreachable");
    run(&[limit], &program(&later))
        .code(134)
        .stderr_has(&["app.wasm faulted: ", "unreachable"]);
    // Where it is blamed, the fault can still be seen.
    let output = run(
        &[limit, "--log=debug"],
        &program(&format!("{refused} unreachable")),
    );
    output
        .code(124)
        .stderr_has(&["--max-memory", "unreachable", "0: "]);
}

#[test]
fn a_signal_ends_a_guest_that_does_nothing_but_run() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let folder = Folder::new();
        let app = folder.app(&echo(LOOP));
        let mut running = Run::new().flag("--no-cache").component(app).spawn();
        assert_eq!(running.line(), "app.wasm");
        running.signal(signal);
        running.wait().code(status).quiet();
    }
}

#[test]
fn a_signal_ends_loading() {
    let folder = Folder::new();
    let pipe = folder.path().join("app.wasm");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let run = Run::new().flag("--no-cache").component(&pipe);
    let mut running = run.deadline(Duration::from_secs(20)).spawn();
    // Opening succeeds when the host, whose handling of signals is set up by then, opens too.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    running.signal(Signal::SIGINT);
    running.wait().code(130).stdout("").quiet();
    drop(writer);
}

/// A program that exits with a status.
const EXIT: &str = r#"(component
    (import "wasi:cli/exit@0.2.0" (instance $exit
        (export "exit-with-code" (func (param "status-code" u8)))))
    (core func $exit (canon lower (func $exit "exit-with-code")))
    (core module $app
        (import "host" "exit" (func $exit (param i32)))
        (func (export "run") (result i32) (call $exit (i32.const STATUS)) unreachable))
    (core instance $app (instantiate $app (with "host" (instance (export "exit" (func $exit))))))
    (func $run (result (result)) (canon lift (core func $app "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports)))"#;
