//! What is held for a program outside its own memory, in the host or the system, counts as its memory.

use std::time::Duration;

use crate::harness::certificates::Certificates;
use crate::harness::{Run, Running, guests};

/// What the host takes in all besides what counts: its code and the compiled program's, threads, and what is on its way.
const BESIDES: u64 = 160 << 20;

fn start(limit: u64, case: &str) -> (Running, Certificates) {
    let certificates = Certificates::new();
    let run = Run::guest("memory_held")
        .flag("--allow-listen=127.0.0.1:0")
        .flag("--allow-net=127.0.0.1")
        .flag(format!("--max-memory={}MiB", limit >> 20));
    let folder = certificates.path("").display().to_string();
    let run = run.flag(format!("--dir={folder}::/tls::ro"));
    let run = run.deadline(Duration::from_mins(5)).args([case]);
    (run.spawn(), certificates)
}

/// Has the guest take what it can. Returns how many bytes its sockets hold in the system.
#[track_caller]
fn held(limit: u64, case: &str) -> u64 {
    let (mut running, _certificates) = start(limit, case);
    let held = running.line().parse().unwrap();
    let highest = running.process().highest() as u64;
    running.wait().code(0).quiet();
    assert!(highest < limit + BESIDES, "{case}: {highest} bytes");
    held
}

#[test]
fn buffers_of_sockets_count() {
    for case in [
        "unix_streams",
        "unix_datagrams",
        "closed_unix_streams",
        "passed_sockets",
        "tcp_connections",
    ] {
        let limit = 16 << 20;
        let held = held(limit, case);
        assert!((100_000..limit).contains(&held), "{case}: {held} bytes");
    }
}

#[test]
fn tls_counts() {
    for case in ["tls_configurations", "tls_configurations_of_connections"] {
        held(64 << 20, case);
    }
}

#[test]
fn what_is_closed_is_given_back() {
    let (running, _certificates) = start(16 << 20, "what_is_closed_is_given_back");
    running.wait().code(0).quiet();
}

#[test]
fn buffers_are_as_large_as_they_need_be() {
    for case in [
        "small_buffers_grow_for_much_data",
        "a_listener_takes_what_there_is",
        "buffers_can_be_asked_for",
    ] {
        let (running, _certificates) = start(16 << 20, case);
        running.wait().code(0).quiet();
    }
}

#[test]
fn every_case_is_tested() {
    guests::has_cases(
        "memory_held",
        &[
            "unix_streams",
            "unix_datagrams",
            "closed_unix_streams",
            "passed_sockets",
            "tcp_connections",
            "tls_configurations",
            "tls_configurations_of_connections",
            "what_is_closed_is_given_back",
            "small_buffers_grow_for_much_data",
            "a_listener_takes_what_there_is",
            "buffers_can_be_asked_for",
        ],
    );
}
