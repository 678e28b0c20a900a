//! Standard streams that nobody reads, or writes to.

use std::io::{PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::harness::Run;
use crate::harness::components::{Folder, LOOP, echo, program};

/// Writes lines for ever.
const WRITE: &str = "(loop (call $write (local.get $stdout) (i32.const 64) (i32.const 1) \
     (i32.const 16)) (br 0)) unreachable";

/// Writes 100,000 bytes, 100 at a time.
const WRITE_MUCH: &str = "(local.set $end (i32.const 1000))
    (loop
        (call $write (local.get $stdout) (i32.const 4096) (i32.const 100) (i32.const 16))
        (br_if 0 (local.tee $end (i32.sub (local.get $end) (i32.const 1)))))
    i32.const 0";

fn run(folder: &Folder, component: &str) -> Run {
    let app = folder.app(component);
    Run::new()
        .flag("--no-cache")
        .flag("--max-time=20s")
        .component(app)
}

/// A pipe that is full once something is written to it.
fn small_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("there are descriptors left");
    let resized = nix::fcntl::fcntl(&writer, nix::fcntl::F_SETPIPE_SZ(4096));
    resized.expect("a pipe may have the size of a page");
    (reader, writer)
}

/// Waits until a pipe takes no more.
fn wait_until_full(writer: &PipeWriter) {
    loop {
        let mut polled = [PollFd::new(writer.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut polled, PollTimeout::ZERO) == Ok(0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_guest_that_nobody_reads_can_be_ended() {
    let folder = Folder::new();
    let app = folder.app(&echo(WRITE));
    let (_reader, writer) = small_pipe();
    let limited = Run::new().flag("--no-cache").flag("--max-time=200ms");
    let output = limited.component(&app).stdout(writer).output();
    output.complains(124, &["app.wasm: ", "--max-time"]);

    let (_reader, writer) = small_pipe();
    let ours = writer.try_clone().unwrap();
    let mut running = run(&folder, &echo(WRITE)).stdout(writer).spawn();
    wait_until_full(&ours);
    running.signal(Signal::SIGTERM);
    running.wait().code(143).quiet();
}

#[test]
fn a_guest_that_is_read_late_loses_nothing() {
    let (mut reader, writer) = small_pipe();
    let ours = writer.try_clone().unwrap();
    let folder = Folder::new();
    let running = run(&folder, &echo(WRITE_MUCH)).stdout(writer).spawn();
    wait_until_full(&ours);
    drop(ours);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), "app.wasm\n".len() + 100_000);
    running.wait().code(0).quiet();
}

#[test]
fn a_file_is_written_to_from_where_it_stands() {
    let folder = Folder::new();
    let path = folder.file("out", "before\n");
    for _ in 0..2 {
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        let run = run(&folder, &echo("i32.const 0")).stdout(file.unwrap());
        run.output().code(0).quiet();
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text, "before\napp.wasm\napp.wasm\n");
}

#[test]
fn a_pipe_that_nobody_will_read_is_an_error_for_the_guest_alone() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = run(&folder, &echo("i32.const 0")).stdout(writer);
    closed.output().code(0).quiet();
}

#[test]
fn a_message_that_nobody_reads_keeps_nobody() {
    let folder = Folder::new();
    let (_reader, writer) = small_pipe();
    std::io::Write::write_all(&mut &writer, &[b'x'; 4096]).unwrap();
    let app = folder.app(&program(LOOP));
    let limited = Run::new().flag("--no-cache").flag("--max-time=100ms");
    limited.component(app).stderr(writer).output().code(124);
}

#[test]
fn a_guest_that_reads_what_never_comes_can_be_ended() {
    let folder = Folder::new();
    let app = folder.app(READ);
    for (flag, status) in [("--max-time=200ms", 124), ("--max-time=20s", 0)] {
        let run = Run::new().flag("--no-cache").flag(flag);
        let mut running = run.component(&app).spawn();
        if status == 0 {
            running.write("x");
            running.wait().code(0).quiet();
        } else {
            running.wait_for_end().code(status);
        }
    }
}

/// Reads a byte of standard input.
const READ: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
    (alias export $io-error "error" (type $error))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "input-stream" (type $stream (sub resource)))
        (alias outer 1 $error (type $outer))
        (export "error" (type $error (eq $outer)))
        (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failure)))
        (export "[method]input-stream.blocking-read" (func
            (param "self" (borrow $stream)) (param "len" u64)
            (result (result (list u8) (error $stream-error)))))))
    (alias export $streams "input-stream" (type $stream))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer 1 $stream (type $outer))
        (export "input-stream" (type $stream (eq $outer)))
        (export "get-stdin" (func (result (own $stream))))))

    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
    (core instance $memory (instantiate $memory))
    (core func $get-stdin (canon lower (func $stdin "get-stdin")))
    (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $app
        (import "host" "memory" (memory 1))
        (import "host" "get-stdin" (func $get-stdin (result i32)))
        (import "host" "read" (func $read (param i32 i64 i32)))
        (func (export "run") (result i32)
            (call $read (call $get-stdin) (i64.const 1) (i32.const 0))
            (i32.load8_u (i32.const 0))))
    (core instance $app (instantiate $app (with "host" (instance
        (export "memory" (memory $memory "memory"))
        (export "get-stdin" (func $get-stdin))
        (export "read" (func $read))))))
    (func $run (result (result)) (canon lift (core func $app "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports)))"#;
