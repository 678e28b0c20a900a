//! Workers, as the system sees them: limits, losses, and what is left of them.

use nix::sys::signal::Signal;

use crate::harness::components::Folder;
use crate::harness::{Output, Run, Running};

const PLACES: [&str; 2] = ["thread", "process"];

fn probe(flags: &[&str], case: &str, place: &str) -> Run {
    let run = Run::guest("worker_probe");
    let run = flags.iter().fold(run, Run::flag);
    run.args([case, place])
}

fn output(flags: &[&str], case: &str, place: &str) -> Output {
    probe(flags, case, place).output()
}

/// Starts a case, and waits for a line.
fn until(line: &str, case: &str, place: &str) -> Running {
    let mut running = probe(&[], case, place).spawn();
    assert_eq!(running.line(), line);
    running
}

#[test]
fn a_worker_too_many_is_told() {
    let text = "limit of 1 worker threads reached; raise it with --max-threads\n";
    let ended = output(&["--max-threads=1"], "one_too_many", "thread");
    ended.code(0).stdout(text).quiet();
    let text = "limit of 1 processes reached; raise it with --max-processes\n";
    let ended = output(&["--max-processes=1"], "one_too_many", "process");
    ended.code(0).stdout(text).quiet();
}

#[test]
fn there_may_be_no_workers() {
    let text = "limit of 0 worker threads reached; raise it with --max-threads\n";
    output(&["--max-threads=0"], "none", "thread")
        .code(0)
        .stdout(text)
        .quiet();
    let text = "limit of 0 processes reached; raise it with --max-processes\n";
    output(&["--max-processes=0"], "none", "process")
        .code(0)
        .stdout(text)
        .quiet();
}

#[test]
fn a_number_of_workers_is_a_number() {
    for flag in ["--max-threads", "--max-processes"] {
        for number in ["x", "-1", "1.5", ""] {
            let run = Run::new().flag(format!("{flag}={number}")).flag("app.wasm");
            run.output().complains(2, &[flag]);
        }
    }
}

#[test]
fn threads_share_the_program_s_memory_limit() {
    let ended = output(&["--max-memory=70MiB"], "memory", "thread");
    ended.code(0);
    assert_ne!(ended.stdout, "0 of them were too much\n");
    let ended = output(&["--max-memory=200MiB"], "memory", "thread");
    ended.code(0).stdout("0 of them were too much\n").quiet();
}

#[test]
fn processes_have_memory_limits_of_their_own() {
    let ended = output(&["--max-memory=70MiB"], "memory", "process");
    ended.code(0).stdout("0 of them were too much\n").quiet();
    let ended = output(&["--max-memory=15MiB"], "memory", "process");
    ended.code(0).stdout("4 of them were too much\n");
}

#[test]
fn cpu_time_of_workers_counts() {
    let text = "limit of 1s of CPU time reached; raise it with --max-cpu-time";
    let ended = output(&["--max-cpu-time=1s"], "cpu_time", "process");
    ended
        .code(0)
        .stdout(&format!("the job was ended: {text}\n"))
        .quiet();
    // With a thread it is the program's own, which may be told before it ends.
    let ended = output(&["--max-cpu-time=1s"], "cpu_time", "thread");
    let told = [format!("the job was ended: {text}\n"), String::new()];
    assert!(told.contains(&ended.stdout), "{ended:?}");
}

#[test]
fn a_program_whose_time_is_over_ends_with_its_workers() {
    for place in PLACES {
        let ended = output(&["--max-time=200ms"], "cpu_time", place);
        ended.complains(124, &["limit of 200ms of time reached"]);
    }
}

#[test]
fn a_killed_worker_is_told_and_replaced() {
    // So that the worker is not replaced by a faster one.
    let mut running = probe(&["--max-cpu-time=1h"], "lost", "process").spawn();
    assert_eq!(running.line(), "busy");
    let process = running.process();
    process.has_children(1);
    process.children()[0].signal(Signal::SIGKILL);
    let line = running.line();
    assert_eq!(
        line,
        "the worker died: its process has ended (signal: 9 (SIGKILL))"
    );
    assert_eq!(running.line(), "idle");
    process.has_children(1);
    let idle = process.children()[0];
    idle.signal(Signal::SIGKILL);
    idle.is_ended();
    running.write("\n");
    running.wait().code(0).quiet();
    idle.is_gone();
}

#[test]
fn nothing_is_left_of_workers_when_the_program_ends() {
    let mut running = until("busy", "busy_at_the_end", "process");
    let workers = running.process().children();
    assert!(!workers.is_empty());
    running.write("\n");
    running.wait().code(0).quiet();
    for worker in workers {
        worker.is_gone();
    }
}

#[test]
fn nothing_is_left_of_workers_when_the_program_is_killed() {
    let mut running = until("busy", "busy_at_the_end", "process");
    let workers = running.process().children();
    running.signal(Signal::SIGKILL);
    running.wait_for_end();
    for worker in workers {
        worker.is_gone();
    }
}

#[test]
fn a_program_ends_although_its_threads_are_busy() {
    let mut running = until("busy", "busy_at_the_end", "thread");
    running.write("\n");
    running.wait().code(0).quiet();
}

#[test]
fn who_interrupts_the_program_does_not_interrupt_its_workers() {
    let mut running = until("busy", "lost", "process");
    let worker = running.process().children()[0];
    worker.signal(Signal::SIGINT);
    worker.signal(Signal::SIGINT);
    assert!(!worker.file("stat").is_empty(), "it goes on");
    worker.signal(Signal::SIGTERM);
    let line = running.line();
    assert_eq!(
        line,
        "the worker died: its process has ended (signal: 15 (SIGTERM))"
    );
}

#[test]
fn a_worker_process_has_a_clean_environment_and_nothing_of_the_program_s() {
    let run = probe(&[], "busy_at_the_end", "process").variable("SECRET", "x");
    let mut running = run.spawn();
    assert_eq!(running.line(), "busy");
    for worker in running.process().children() {
        assert_eq!(worker.file("environ"), "");
        let status = worker.file("status");
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.lines().any(|has| has == line), "{line}: {status}");
        }
        let open = worker.open_files();
        let kinds = |kind: &str| open.iter().filter(|file| file.starts_with(kind)).count();
        // Standard output and error, but not the program's standard input; and none of its sockets.
        assert_eq!(kinds("pipe:"), 2, "{open:?}");
        let of_program = running.process().open_files();
        let shared = open.intersection(&of_program);
        let shared: Vec<_> = shared.filter(|file| file.starts_with("socket:")).collect();
        assert!(shared.is_empty(), "{shared:?}");
        let files = open.iter().filter(|file| file.starts_with('/'));
        let strange: Vec<_> = files
            .filter(|file| !file.starts_with("/dev/null") && !file.starts_with("/memfd:"))
            .collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
    running.signal(Signal::SIGKILL);
}

/// Ten thousand jobs, of which some end their workers, and ten thousand more: everything is as before.
fn many(place: &str, workers: usize) {
    let run = probe(&[], "many", place).deadline(std::time::Duration::from_mins(8));
    let mut running = run.spawn();
    let process = running.process();
    assert_eq!(running.line(), "done");
    let resident = process.resident();
    let (children, threads) = (process.children().len(), process.threads());
    assert!(children <= workers, "{children} processes");
    assert!(threads <= 64 + 10, "{threads} threads");
    running.write("\n");
    assert_eq!(running.line(), "done");
    // Workers that were lost are on their way out still. Each thread has an event queue, its alarm and a little more; each
    // process has a link.
    let open = process.descriptors();
    assert!(
        open <= 3 * (64 + 10) + 2 * workers + 20,
        "{open} descriptors are open"
    );
    let more = process.resident().saturating_sub(resident);
    assert!(more < 16 << 20, "{more} bytes more");
    running.wait().code(0).quiet();
}

#[test]
fn ten_thousand_jobs_on_threads() {
    many("thread", 0);
}

#[test]
fn ten_thousand_jobs_in_processes() {
    let processors = std::thread::available_parallelism().map_or(1, Into::into);
    many("process", processors);
}

#[test]
fn what_a_job_writes_comes_out() {
    for place in PLACES {
        let ended = output(&[], "output", place);
        ended
            .code(0)
            .stdout("before\na job's line\nafter\n")
            .quiet();
    }
}

#[test]
fn a_worker_may_do_what_the_program_may() {
    for place in PLACES {
        let folder = Folder::new();
        folder.file("file", "text");
        let data = format!("{}::data::ro", folder.path().display());
        let flags = [
            "--dir",
            &data,
            "--allow-listen=127.0.0.1",
            "--env=NAME=value",
        ];
        let text = "Ok(\"text\")\nfalse\nOk(true)\nSome(\"value\") None\n3\n";
        output(&flags, "rights", place).code(0).stdout(text).quiet();
        let ended = output(&[], "rights", place);
        ended.code(0);
        assert!(ended.stdout.contains("add --allow-"), "{ended:?}");
        assert!(ended.stdout.contains("\nNone None\n"), "{ended:?}");
    }
}

#[test]
fn a_worker_process_is_replaced_by_a_faster_one() {
    output(&[], "replaced", "process")
        .code(0)
        .stdout("")
        .quiet();
}

#[test]
fn a_worker_process_is_for_the_program_alone() {
    let run = Run::new()
        .flag("process-worker")
        .stdin(std::process::Stdio::null());
    run.output()
        .complains(1, &["which only curio-host itself can start"]);
}
