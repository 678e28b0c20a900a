//! Signals that guests watch: sets, queues and events of them.

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Options, Permissions, Signals, Stdio,
};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;

use crate::harness::components::Folder;
use crate::harness::{Run, Running, guests};

/// What most of the cases are allowed.
const ALLOWED: &str = "--allow-signal=USR1,USR2,HUP,RTMIN,RTMIN+1,RTMIN+2";

fn case(name: &str) -> Run {
    Run::guest("signal_sets").args([name])
}

/// Starts a case, and waits for its first line.
fn start(name: &str, line: &str) -> Running {
    let mut running = case(name).flag(ALLOWED).spawn();
    assert_eq!(running.line(), line);
    running
}

/// Sends `SIGRTMIN+n`, which the system keeps all of.
#[expect(unsafe_code, reason = "nix knows no real-time signals")]
fn send_real_time(running: &Running, n: i32) {
    let process = i32::try_from(running.process().id()).unwrap();
    let value = libc::sigval {
        sival_ptr: std::ptr::null_mut(),
    };
    // SAFETY: it takes numbers, and a pointer that nobody follows.
    while unsafe { libc::sigqueue(process, libc::SIGRTMIN() + n, value) } != 0 {
        // As many are on the way as may be.
        assert_eq!(Errno::last(), Errno::EAGAIN);
        std::thread::yield_now();
    }
}

#[test]
fn every_case_is_tested() {
    let cases = [
        "every_set_gets_every_signal_in_order",
        "many_are_counted",
        "waiters_are_served_in_order",
        "a_timeout_loses_nothing",
        "a_cancelled_waiter_lets_the_next_one_wait",
        "signals_between_calls_do_what_they_do",
        "ignored_signals_are_lost",
        "nested_guards_share_a_queue",
        "events",
        "an_event_cleared_at_once_has_been_seen",
        "a_stream",
        "the_program_is_told_itself",
        "nobody_watches",
        "some_program",
        "refused",
        "invalid",
        "not_taken",
        "handles",
        "sets_come_and_go",
    ];
    guests::has_cases("signal_sets", &cases);
}

#[test]
fn every_set_gets_every_signal_in_order() {
    let mut running = start("every_set_gets_every_signal_in_order", "ready");
    for n in 0..1000 {
        let name = match n % 5 {
            0 | 3 => {
                running.signal(Signal::SIGUSR1);
                "SIGUSR1"
            }
            1 | 2 => {
                running.signal(Signal::SIGHUP);
                "SIGHUP"
            }
            _ => {
                send_real_time(&running, 1);
                "SIGRTMIN+1"
            }
        };
        assert_eq!(running.line(), name);
    }
    running.wait().code(0).quiet();
}

#[test]
fn ten_thousand_are_counted() {
    let mut running = start("many_are_counted", "ready");
    for _ in 0..5000 {
        send_real_time(&running, 1);
        send_real_time(&running, 2);
    }
    running.write(".");
    assert_eq!(running.line(), "[5000, 5000]");
    running.wait().code(0).quiet();
}

#[test]
fn waiters_are_served_in_order() {
    let mut running = start("waiters_are_served_in_order", "ready");
    for (n, signal) in [Signal::SIGUSR2, Signal::SIGUSR1, Signal::SIGUSR2]
        .into_iter()
        .enumerate()
    {
        running.signal(signal);
        assert_eq!(running.line(), format!("{n} {signal}"));
    }
    running.wait().code(0).quiet();
}

#[test]
fn a_timeout_loses_nothing() {
    let mut running = start("a_timeout_loses_nothing", "ready");
    for n in 1..=10 {
        for _ in 0..10 {
            send_real_time(&running, 1);
        }
        assert_eq!(running.line(), (10 * n).to_string());
    }
    running.wait().code(0).quiet();
}

#[test]
fn one_signal_is_for_one_wait() {
    for name in [
        "a_cancelled_waiter_lets_the_next_one_wait",
        "an_event_cleared_at_once_has_been_seen",
    ] {
        let mut running = start(name, "ready");
        running.signal(Signal::SIGUSR1);
        running.wait().code(0).quiet();
    }
}

#[test]
fn signals_between_calls_do_what_they_do() {
    let mut running = start("signals_between_calls_do_what_they_do", "ready");
    running.signal(Signal::SIGUSR1);
    assert_eq!(running.line(), "between");
    running.signal(Signal::SIGUSR1);
    running.wait().ended_by(Signal::SIGUSR1).quiet();
}

#[test]
fn ignored_signals_are_lost() {
    let mut running = start("ignored_signals_are_lost", "ignoring");
    running.signal(Signal::SIGUSR1);
    send_real_time(&running, 0);
    assert_eq!(running.line(), "watching");
    running.signal(Signal::SIGUSR1);
    assert_eq!(running.line(), "ignoring");
    running.signal(Signal::SIGUSR1);
    send_real_time(&running, 0);
    running.wait().code(0).quiet();
}

#[test]
fn nested_guards_share_a_queue() {
    let mut running = start("nested_guards_share_a_queue", "ready");
    running.signal(Signal::SIGUSR1);
    assert_eq!(running.line(), "ready");
    running.signal(Signal::SIGUSR1);
    running.wait().code(0).quiet();
}

#[test]
fn an_event_is_set_by_any_of_its_signals() {
    let mut running = start("events", "ready");
    running.signal(Signal::SIGUSR2);
    for n in 0..3 {
        assert_eq!(running.line(), format!("waiter {n}"));
    }
    assert_eq!(running.line(), "ready");
    running.signal(Signal::SIGUSR1);
    running.wait().code(0).quiet();
}

#[test]
fn a_stream_brings_signals() {
    let mut running = start("a_stream", "ready");
    for signal in [Signal::SIGUSR1, Signal::SIGUSR1, Signal::SIGUSR2] {
        running.signal(signal);
        assert_eq!(running.line(), signal.to_string());
    }
    running.wait().code(0).quiet();
}

#[test]
fn a_program_that_watches_sigint_is_ended_by_it_only_when_it_no_longer_does() {
    for flag in ["--allow-signal=SIGINT", "-A"] {
        let mut running = case("the_program_is_told_itself").flag(flag).spawn();
        assert_eq!(running.line(), "watching");
        for _ in 0..3 {
            running.signal(Signal::SIGINT);
            assert_eq!(running.line(), "SIGINT");
        }
        assert_eq!(running.line(), "no longer");
        running.signal(Signal::SIGINT);
        assert_eq!(running.line(), "told");
        running.wait().code(130);
    }
}

#[test]
fn the_two_that_end_a_program_do_so_if_nobody_watches_them() {
    for (flag, signal, status) in [
        (ALLOWED, Signal::SIGTERM, 143),
        ("--allow-signal=TERM,INT", Signal::SIGTERM, 143),
        ("-A", Signal::SIGINT, 130),
    ] {
        let mut running = case("some_program").flag(flag).spawn();
        assert_eq!(running.line(), "ready");
        running.signal(signal);
        assert_eq!(running.line(), "told");
        running.wait().code(status);
    }
}

#[test]
fn a_signal_that_nobody_watches_does_what_it_does() {
    for (signal, ends) in [
        (Signal::SIGUSR1, true),
        (Signal::SIGHUP, true),
        (Signal::SIGALRM, true),
        (Signal::SIGCHLD, false),
        (Signal::SIGWINCH, false),
        (Signal::SIGURG, false),
        (Signal::SIGCONT, false),
    ] {
        let mut running = case("nobody_watches").flag("-A").spawn();
        assert_eq!(running.line(), "ready");
        running.signal(signal);
        if ends {
            running.wait_for_end().ended_by(signal).quiet();
        } else {
            running.write(".");
            running.wait().code(0).quiet();
        }
    }
}

#[test]
fn a_program_can_be_stopped_and_go_on() {
    let mut running = case("nobody_watches").flag("-A").own_group().spawn();
    assert_eq!(running.line(), "ready");
    running.signal(Signal::SIGTSTP);
    running.process().becomes('T');
    running.signal(Signal::SIGCONT);
    running.write(".");
    running.wait().code(0).quiet();
}

#[test]
fn refusals_name_the_flag() {
    let output = case("refused").flag("--allow-signal=HUP").output();
    output.code(0).quiet();
}

#[test]
fn what_can_t_be_watched_is_told_whatever_is_allowed() {
    for flag in [ALLOWED, "-A"] {
        case("invalid").flag(flag).output().code(0).quiet();
    }
}

#[test]
fn watching_takes_handles() {
    let run = case("handles").flag(ALLOWED).flag("--max-handles=2");
    run.output().code(0).quiet();
    let run = case("sets_come_and_go").flag(ALLOWED);
    let run = run.flag("--max-handles=1").flag("--max-memory=16MiB");
    run.output().code(0).quiet();
}

#[test]
fn a_file_may_allow_signals() {
    let folder = Folder::new();
    let file = folder.file("app.toml", "allow-signal = ['SIGHUP']");
    let output = case("refused").flag("--permissions").flag(file).output();
    output.code(0).quiet();
}

#[test]
fn flags_that_make_no_sense_say_why() {
    for (spec, hint) in [
        (
            "KILL",
            "\"KILL\" can't be watched: the system never hands it over",
        ),
        ("USR1,SIGSTOP", "\"SIGSTOP\" can't be watched"),
        ("11", "\"11\" can't be watched: it is how the processor"),
        ("USR3", "\"USR3\" is no signal; give a name such as USR1"),
        ("", "\"\" is no signal"),
    ] {
        let flag = format!("--allow-signal={spec}");
        let output = case("refused").flag(flag).output();
        output.complains(2, &["--allow-signal: ", hint]);
    }
}

#[test]
fn an_embedder_says_which_signals_there_are() {
    let options = EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    };
    let engine = Engine::new(&options).unwrap();
    let component = Component::load(&engine, guests::path("signal_sets")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let mut options = Options::default();
    options.permissions.allow_signal("USR1").unwrap();
    options.args = vec!["signal_sets".to_owned(), "not_taken".to_owned()];
    options.stdio = Stdio::Null;
    let instance = host.start(&component, options).unwrap();
    assert_eq!(host.run(instance).unwrap(), Exit::Code(0));
    // Of none, any number of hosts may be told; each once.
    let mut watch = || host.watch_signals(Signals::take(&Permissions::none()).unwrap());
    watch().unwrap();
    let error = watch().unwrap_err().to_string();
    assert!(error.contains("watches signals already"), "{error}");
}
