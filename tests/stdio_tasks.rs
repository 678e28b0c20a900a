//! The standard streams, for tasks: nobody waits for them but who uses them.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;

use curio_host::{Component, Engine, EngineOptions, Exit, Host, Options, Stdio};

use crate::harness::components::Folder;
use crate::harness::{Run, guests};

fn run(case: &str) -> Run {
    Run::guest("stdio_tasks").args([case])
}

#[test]
fn every_case_is_tested() {
    guests::has_cases(
        "stdio_tasks",
        &[
            "ticks",
            "order",
            "patience",
            "two_readers",
            "nobody_reads",
            "nothing",
            "upper_case",
            "closed",
            "lines",
        ],
    );
}

#[test]
fn tasks_go_on_while_one_waits_for_input() {
    let mut running = run("ticks").spawn();
    for n in 1..=3 {
        assert_eq!(running.line(), format!("tick {n}"));
    }
    running.write("late\n");
    assert_eq!(running.line(), "late after 3 ticks");
    running.wait().code(0).quiet();
}

#[test]
fn tasks_go_on_while_one_waits_for_lines() {
    let mut running = run("lines").spawn();
    assert_eq!(running.line(), "3 ticks");
    running.write("one\ntw");
    assert_eq!(running.line(), "one after 3 ticks");
    running.write("o\nthe end");
    assert_eq!(running.line(), "two after 3 ticks");
    let output = running.wait();
    let expected = "3 ticks\none after 3 ticks\ntwo after 3 ticks\nthe end after 3 ticks\n";
    output.code(0).stdout(expected).quiet();
}

#[test]
fn what_is_written_keeps_its_order() {
    let output = run("order").output();
    output.code(0).stdout("1\n2\n3 3\n4 4\n5");
    assert_eq!(output.stderr, "6\n");
}

#[test]
fn a_read_that_is_given_up_loses_nothing() {
    let mut running = run("patience").spawn();
    assert_eq!(running.line(), "impatient");
    running.write("one ");
    running.write("two ");
    running.write("three");
    let output = running.wait();
    output.code(0).stdout("impatient\none two three\n").quiet();
}

#[test]
fn a_second_reader_is_told_that_it_is_one() {
    let mut running = run("two_readers").spawn();
    assert_eq!(running.line(), "busy");
    running.write("x");
    running.wait().code(0).quiet();
}

#[test]
fn tasks_go_on_while_nobody_reads_what_one_writes() {
    let (mut stdout, writer) = std::io::pipe().unwrap();
    let (mut stderr, errors) = std::io::pipe().unwrap();
    let running = run("nobody_reads").stdout(writer).stderr(errors).spawn();
    let mut line = [0; 12];
    stderr.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"still alive\n");
    let mut written = Vec::new();
    stdout.read_to_end(&mut written).unwrap();
    assert_eq!(written.len(), 1_000_000);
    running.wait().code(0);
}

#[test]
fn who_writes_for_nobody_is_told() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run("closed").stdout(writer).output().code(0).quiet();
}

#[test]
fn every_kind_of_input_is_read() {
    let text = "All work and no play.\n".repeat(10_000);
    let expected = text.to_uppercase();
    let folder = Folder::new();
    let file = File::open(folder.file("input", &text)).unwrap();
    let output = run("upper_case").stdin(file).output();
    output.code(0).stdout(&expected).quiet();

    let mut running = run("upper_case").spawn();
    running.write(&text);
    running.wait().code(0).stdout(&expected).quiet();

    let (ours, theirs) = UnixStream::pair().unwrap();
    let running = run("upper_case")
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .spawn();
    std::io::Write::write_all(&mut &ours, text.as_bytes()).unwrap();
    drop(ours);
    running.wait().code(0).stdout(&expected).quiet();

    let null = File::open("/dev/null").unwrap();
    run("nothing").stdin(null).output().code(0);
}

#[test]
fn an_embedder_may_give_no_streams() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let component = Component::load(&engine, guests::path("stdio_tasks")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let options = Options {
        args: vec!["stdio_tasks".to_owned(), "nothing".to_owned()],
        stdio: Stdio::Null,
        ..Options::default()
    };
    let instance = host.start(&component, options).unwrap();
    assert_eq!(host.run(instance).unwrap(), Exit::Code(0));
}
