//! Subprocesses: programs of the host's that guests run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Limits, Options, Permissions, Stdio,
};
use nix::sys::signal::Signal;

use crate::harness::components::Folder;
use crate::harness::{Output, Run, guests};

/// The programs that the cases run.
const PROGRAMS: &str = "--allow-run=true,false,echo,cat,sh,sort,head,wc,ls,grep,env,sleep,test,yes";

/// How long the system may take to do away with a process that was killed.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(guest: &str, case: &str, flags: &[&str]) -> Output {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("data")).unwrap();
    let run = Run::guest(guest).flag(PROGRAMS).flag(format!(
        "--dir={}::/data",
        folder.path().join("data").display()
    ));
    let run = flags.iter().fold(run, Run::flag);
    run.args([case]).output()
}

/// As `guests::cases`, with programs to run and an empty directory.
macro_rules! cases {
    ($guest:literal => $($case:ident)* ; and $($other:ident)*) => {
        $(
            #[test]
            fn $case() {
                super::run($guest, stringify!($case), &[]).code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $(stringify!($other),)*];
            super::guests::has_cases($guest, &cases);
        }
    };
}

mod streams {
    cases! { "subprocess_streams" =>
        what_a_child_writes_is_read
        lines_come_while_it_runs
        what_is_written_to_it_is_read
        nothing_is_read_and_written
        errors_go_where_output_goes
        errors_go_elsewhere
        much_goes_both_ways_at_once
        what_it_does_not_read_is_no_error
        ends_are_for_one_direction
        a_second_reader_is_told
        a_pipe_that_is_closed_is_closed
        an_interrupted_talk_goes_on
        an_interrupted_talk_keeps_its_input
        ; and streams_are_inherited
    }
}

mod given {
    cases! { "subprocess_given" =>
        a_child_feeds_the_next_one
        a_child_writes_into_the_next_one
        what_was_read_in_advance_is_not_lost
        a_socket_is_a_stream
        a_file_is_a_stream
        streams_that_lead_nowhere_are_refused
        it_has_three_descriptors
        its_signals_are_as_they_should_be
        it_begins_in_a_directory
        ; and it_gets_the_environment
    }
}

mod programs {
    cases! { "subprocess_run" =>
        a_program_is_run
        a_failure_is_told_or_an_error
        a_program_may_end_by_a_signal
        a_program_that_takes_too_long_is_killed
        a_run_that_is_cancelled_kills
        a_run_that_times_out_kills
        a_run_that_is_dropped_kills
        what_others_hold_open_is_not_waited_for
        a_wait_that_is_cancelled_kills_nothing
        signals_are_sent
        signals_come_too_late
        there_are_signals_and_others
        words_may_be_too_long
        ; and what_can_t_be_run_is_an_error
    }
}

mod ends {
    cases! { "subprocess_end" =>
        what_it_has_started_ends_with_it
        what_it_has_started_may_go_on
        a_child_is_killed_when_it_is_dropped
        ; and a_run_that_is_dropped_leaves_none a_thousand_are_run_fifty_at_a_time a_process_too_many_is_told
        a_process_at_all_is_one_too_many an_ended_process_does_not_count a_handle_too_many_is_told
        descriptors_are_given_back ends_with_children ends_with_dropped_children faults_with_children waits_with_children
    }
}

#[test]
fn streams_are_inherited() {
    let guest = Run::guest("subprocess_streams").flag(PROGRAMS);
    let mut running = guest.args(["streams_are_inherited"]).spawn();
    running.write("from outside\n");
    let output = running.wait();
    output
        .code(0)
        .stdout("before\nfrom outside\nafter\n")
        .quiet();
}

#[test]
fn it_gets_the_environment() {
    let guest = Run::guest("subprocess_given").flag(PROGRAMS);
    let guest = guest.flag("--env=GRANTED=1");
    let guest = guest.flag("--run-env=MORE,LESS,A,B==,GONE");
    let guest = guest.variable("SECRET", "1");
    let output = guest.args(["it_gets_the_environment"]).output();
    output.code(0).stdout("").quiet();
}

#[test]
fn limits_are_told() {
    for (case, flag) in [
        ("a_process_too_many_is_told", "--max-processes=2"),
        ("a_process_at_all_is_one_too_many", "--max-processes=0"),
        ("an_ended_process_does_not_count", "--max-processes=1"),
        ("a_run_that_is_dropped_leaves_none", "--max-processes=1"),
        ("a_handle_too_many_is_told", "--max-handles=3"),
        ("a_thousand_are_run_fifty_at_a_time", "--max-processes=50"),
    ] {
        run("subprocess_end", case, &[flag])
            .code(0)
            .stdout("")
            .quiet();
    }
    let run = Run::guest("subprocess_run").flag("--max-processes=x");
    run.output()
        .complains(2, &["--max-processes: \"x\" is not a count"]);
}

pub(crate) fn executable(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_can_t_be_run_is_an_error() {
    let folder = Folder::new();
    for name in ["gone", "closed", "garbage"] {
        executable(&folder.path().join(name), "\x7fno program", 0o755);
    }
    let guest = Run::guest("subprocess_run").directory(folder.path());
    let guest = guest.flag("--allow-run=./gone,./closed,./garbage,true");
    let guest = guest.args(["what_can_t_be_run_is_an_error"]);
    let mut running = guest.spawn();
    // What is granted is looked at when the host starts.
    assert_eq!(running.line(), "ready");
    fs::remove_file(folder.path().join("gone")).unwrap();
    executable(&folder.path().join("closed"), "", 0o644);
    running.write("x");
    running.wait().code(0).quiet();
}

/// Whether a process is there, be it as a zombie.
fn exists(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

#[track_caller]
fn are_gone<'a>(pids: impl Iterator<Item = &'a str>) {
    let deadline = Instant::now() + PATIENCE;
    let mut count = 0;
    for pid in pids {
        while exists(pid) {
            assert!(Instant::now() < deadline, "{pid} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
        count += 1;
    }
    assert_eq!(count, 6, "the processes are told");
}

#[test]
fn descriptors_are_given_back() {
    let guest = Run::guest("subprocess_end").flag(PROGRAMS);
    let mut running = guest.args(["descriptors_are_given_back"]).spawn();
    // Standard input is open once something was read.
    assert_eq!(running.line(), "begun");
    running.write("x");
    assert_eq!(running.line(), "before");
    let before = running.process().descriptors();
    running.write("x");
    assert_eq!(running.line(), "after");
    // The host itself may have been about to close one.
    running.process().has_no_more_descriptors_than(before);
    running.write("x");
    running.wait().code(0).quiet();
}

#[test]
fn no_child_outlives_its_guest() {
    for (case, code) in [
        ("ends_with_children", 0),
        ("ends_with_dropped_children", 0),
        ("faults_with_children", 134),
    ] {
        let output = run("subprocess_end", case, &[]);
        output.code(code);
        are_gone(output.stdout.lines());
    }
}

#[test]
fn no_child_outlives_a_guest_that_is_ended() {
    for signals in [&[Signal::SIGINT][..], &[Signal::SIGTERM, Signal::SIGTERM]] {
        let guest = Run::guest("subprocess_end").flag(PROGRAMS);
        let mut running = guest.args(["waits_with_children"]).spawn();
        let mut pids = Vec::new();
        loop {
            match running.line() {
                line if line == "waiting" => break,
                line => pids.push(line),
            }
        }
        for signal in signals {
            running.signal(*signal);
        }
        let output = running.wait();
        assert_ne!(output.stdout, "");
        are_gone(pids.iter().map(String::as_str));
    }
}

/// The children of this process that are zombies, or were left.
fn own_children() -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            let (_, rest) = stat.rsplit_once(") ").unwrap();
            rest.split(' ').nth(1) == Some(&own) && stat.contains("(sleep)")
        })
        .collect()
}

#[test]
fn an_embedded_host_is_left_with_no_child() {
    let engine = Engine::new(&EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    });
    let engine = engine.unwrap();
    let component = Component::load(&engine, guests::path("subprocess_end")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let mut start = |case: &str| {
        let mut permissions = Permissions::none();
        permissions.allow_run("sh,sleep,true").unwrap();
        let options = Options {
            permissions,
            limits: Limits::default(),
            args: vec!["subprocess_end".to_owned(), case.to_owned()],
            stdio: Stdio::Null,
            ..Options::default()
        };
        host.start(&component, options).unwrap()
    };
    let waits = start("waits_with_children");
    let ends = start("ends_with_dropped_children");
    let faults = start("faults_with_children");
    assert_eq!(host.run(ends).unwrap(), Exit::Code(0));
    assert!(matches!(host.run(faults).unwrap(), Exit::Fault(_)));
    host.stop(waits);
    assert_eq!(host.run(waits).unwrap(), Exit::Stopped);
    assert_eq!(own_children(), [""; 0]);
}

#[test]
fn subprocess_lines_tells_each_line_as_it_comes() {
    let guest = Run::guest("subprocess_lines").flag("--allow-run=sh");
    let script = "echo one; echo two >&2; read x; echo \"three $x\"; exit 3";
    let mut running = guest.args(["sh", "-c", script]).spawn();
    for expected in ["one", "two"] {
        let line = running.line();
        let (seconds, text) = line.trim_start().split_once(' ').unwrap();
        assert!(seconds.parse::<f64>().is_ok(), "{line}");
        assert_eq!(text, expected);
    }
    running.write("go\n");
    assert!(running.line().ends_with(" three go"));
    assert_eq!(running.line(), "sh: exit status 3");
    running.wait().code(1).quiet();
    let output = Run::guest("subprocess_lines").args(["ls"]).output();
    output.code(1).stderr_has(&["--allow-run=ls"]);
}

#[test]
fn pipeline_does_what_a_shell_does() {
    let folder = Folder::new();
    folder.file("words", "b\na\nb\nc\n".repeat(50_000));
    let here = || {
        let guest = Run::guest("pipeline").flag("--allow-run=cat,sort,uniq,yes,head,false");
        guest.directory(folder.path())
    };
    let output = here()
        .args(["cat words", "sort", "uniq -c", "sort -rn"])
        .output();
    output.code(0).quiet();
    let words: Vec<_> = output.stdout.split_whitespace().collect();
    assert_eq!(words, ["100000", "b", "50000", "c", "50000", "a"]);
    let output = here().args(["yes", "head -n 2"]).output();
    output.code(0).stdout("y\ny\n").quiet();
    let output = here().args(["false", "cat"]).output();
    output.code(1).stderr_has(&["false: exit status 1"]);
}

#[test]
fn odd_requests_do_no_harm() {
    for case in [
        "dropped-while-waiting",
        "closed-while-waiting",
        "wrong-way",
        "second-wait",
        "polled-while-waiting",
        "odd-sizes",
        "ends-given-away",
    ] {
        let guest = Run::guest("hostile_subprocess").flag("--allow-run=sleep,true,cat");
        let guest = guest.flag("--max-handles=10").flag("--max-processes=4");
        guest.args([case]).output().code(0).stdout("").quiet();
    }
}
