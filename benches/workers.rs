//! Jobs on other threads and in other processes: there and back, and a long one.
//!
//! A thread is compared with tokio's `spawn_blocking`; a process with what Python has, since tokio has nothing like it:
//! its `ProcessPoolExecutor`, and curio's `run_in_process`, if that is installed (`pip install curio`).

use std::process::Command;

use crate::figures::{Effort, Rounds, figure, spread, take_turns, title};
use crate::program::{Program, Side};

/// What `workers.py` prints.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/workers.py");

const THREAD: u64 = 0;
const PROCESS: u64 = 1;

pub(crate) fn run(effort: Effort) {
    title("workers", "jobs on other threads, one after the other");
    let jobs = effort.pick(50_000, 5_000);
    let mut rounds = Rounds::EMPTY;
    take_turns(effort.pick(7, 3), |side| {
        let time = Program::measure(side, "bench-workers", &[THREAD, jobs, 1]);
        rounds.push(side, time / figure(jobs) / 1e3);
    });
    rounds.print("there and back", "us", "target <= 1.5x");
    let mut rounds = Rounds::EMPTY;
    take_turns(effort.pick(5, 1), |side| {
        let time = Program::measure(side, "bench-workers", &[THREAD, 1, 40]);
        rounds.push(side, time / 1e6);
    });
    rounds.print("fib(40) on a thread", "ms", "target <= 1.5x");
    let mut rounds = Rounds::EMPTY;
    take_turns(effort.pick(5, 1), |side| {
        // tokio's is on a thread here, too.
        let time = Program::measure(side, "bench-workers", &[PROCESS, 1, 40]);
        rounds.push(side, time / 1e6);
    });
    rounds.print("fib(40) in a process", "ms", "target <= 1.5x");
    processes(effort);
    latency(effort);
}

/// What others notice of jobs that compute, and how soon those can be ended.
fn latency(effort: Effort) {
    let (mut latest, mut medians, mut longest) = (
        Vec::new(),
        [const { Vec::new() }; 2],
        [const { Vec::new() }; 2],
    );
    for _ in 0..effort.pick(5, 1) {
        latest.push(Program::measure(Side::Curio, "bench-worker-latency", &[0]) / 1e6);
        for place in [THREAD, PROCESS] {
            let args = [(place + 1).to_string()];
            let figures = Program::start(Side::Curio, "bench-worker-latency", &args).figures();
            let place = usize::from(place == PROCESS);
            medians[place].push(figures[0] / 1e6);
            longest[place].push(figures[1] / 1e6);
        }
    }
    println!("\n  beside endless jobs");
    let latest = spread(&latest, "ms");
    println!(
        "  {:<44} {latest:<28} target < 20 ms",
        "latest of 600 ticks, beside 8 of them"
    );
    for (place, name) in ["thread", "process"].iter().enumerate() {
        let (median, longest) = (spread(&medians[place], "ms"), spread(&longest[place], "ms"));
        let what = format!("end one in a {name}, have the next one done");
        println!("  {what:<44} {median:<28} of 100 the longest: {longest}");
    }
}

/// Jobs in processes, beside Python's.
fn processes(effort: Effort) {
    let jobs = effort.pick(10_000, 1_000);
    let (mut own, mut pool, mut curio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.pick(7, 3) {
        let time = Program::measure(Side::Curio, "bench-workers", &[PROCESS, jobs, 1]);
        own.push(time / figure(jobs) / 1e3);
        pool.extend(python("executor", jobs));
        curio.extend(python("curio", jobs));
    }
    println!("\n  jobs in other processes, one after the other");
    println!("  {:<26} {}", "curio-host", spread(&own, "us"));
    for (name, theirs) in [("ProcessPoolExecutor", pool), ("Python's curio", curio)] {
        if theirs.is_empty() {
            println!("  {name:<26} is not installed here");
            continue;
        }
        let ratios: Vec<_> = own
            .iter()
            .zip(&theirs)
            .map(|(own, theirs)| own / theirs)
            .collect();
        let (theirs, ratio) = (spread(&theirs, "us"), spread(&ratios, "x"));
        println!("  {name:<26} {theirs:<34} curio-host / it: {ratio:<24} target <= 0.5x");
    }
}

/// Microseconds for a job there and back, if Python has what it takes.
fn python(what: &str, jobs: u64) -> Option<f64> {
    let output = Command::new("python3")
        .args([PYTHON, what, &jobs.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let nanoseconds: f64 = text.trim().parse().ok()?;
    Some(nanoseconds / figure(jobs) / 1e3)
}
