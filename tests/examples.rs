//! The examples, as their users run them; and that no guest is forgotten.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Run, Running};

#[test]
fn hello_says_hello() {
    let output = Run::guest("hello").output();
    output.code(0).stdout("Hello from task 1.\n").quiet();
}

#[test]
fn countdown_counts_down() {
    let expected = "\
        Building the Millennium Falcon in Minecraft\n\
        T-minus 3\n\
        T-minus 2\n\
        T-minus 1\n\
        Are we done yet?\n\
        We've got to go!\n\
        Fine. Saving my work.\n\
        Leaving!\n";
    let output = Run::guest("countdown").output();
    output.code(0).stdout(expected).quiet();
}

#[test]
fn producer_consumer_deals_with_every_item() {
    let mut expected: Vec<_> = (0..10).map(|n| format!("Consumer got {n}")).collect();
    expected.push("Producer done".to_owned());
    let output = Run::guest("producer_consumer").output();
    output.code(0).quiet();
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn thread_queue_has_a_thread_get_every_item() {
    let expected: Vec<_> = (0..10).map(|n| format!("Got: {n}")).collect();
    let output = Run::guest("thread_queue").output();
    output.code(0).quiet();
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn abide_has_a_task_and_a_thread_take_turns() {
    let expected = "Parent has the lock\nParent releases the lock\nChild has the lock\nChild has the lock\n\
                    fib(20) is 6765\nGood morning\n";
    Run::guest("abide")
        .output()
        .code(0)
        .stdout(expected)
        .quiet();
}

#[test]
fn condition_hands_over_every_item() {
    let output = Run::guest("condition").output();
    output.code(0).quiet();
    let got: Vec<_> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("Got"))
        .collect();
    assert_eq!(got, ["Got 0", "Got 1", "Got 2", "Got 3", "Got 4"]);
    for last in ["Consumer done\n", "Producer done\n"] {
        assert!(output.stdout.contains(last), "{}", output.stdout);
    }
}

#[test]
fn semaphore_lets_two_work_at_a_time() {
    let output = Run::guest("semaphore").output();
    output.code(0).quiet();
    let (mut working, mut most) = (0, 0);
    let mut began: Vec<u32> = Vec::new();
    for line in output.stdout.lines() {
        match line.split_once(' ') {
            Some((n, "working")) => {
                began.push(n.parse().unwrap());
                working += 1;
            }
            Some((_, "done")) => working -= 1,
            _ => panic!("unexpected: {line}"),
        }
        most = most.max(working);
    }
    assert_eq!(began, (0..10).collect::<Vec<u32>>());
    assert_eq!((working, most), (0, 2));
}

#[test]
fn signals_are_printed_until_sigterm() {
    let flag = "--allow-signal=USR1,HUP,TERM";
    let mut running = Run::guest("signals").flag(flag).spawn();
    assert_eq!(running.line(), "Watching [SIGUSR1, SIGHUP]");
    for signal in [Signal::SIGUSR1, Signal::SIGHUP, Signal::SIGUSR1] {
        running.signal(signal);
        assert_eq!(running.line(), format!("Got signal {signal}"));
    }
    running.signal(Signal::SIGTERM);
    assert_eq!(running.line(), "Goodbye");
    running.wait().code(0).quiet();
}

#[test]
fn event_lets_all_go_on_in_turn() {
    let expected = "\
        Waiter 1 waits\n\
        Waiter 2 waits\n\
        Setting the event\n\
        Waiter 1 goes on\n\
        Waiter 2 goes on\n";
    let output = Run::guest("event").output();
    output.code(0).stdout(expected).quiet();
}

#[test]
fn timeouts_are_told_to_the_right_one() {
    let expected = "\
        The answer is 42\n\
        No answer came in time\n\
        Going on without an answer\n\
        The first answer is 42\n\
        The sum is None\n\
        The inner time passes, and that is handled:\n\
        \x20 the inner block timed out\n\
        \x20 the outer block is well\n\
        The inner time passes, and that is not handled:\n\
        \x20 the inner block timed out\n\
        \x20 the outer block has an inner timeout that nobody handled\n\
        The outer time passes:\n\
        \x20 the inner block was cancelled by the timeout of an outer one\n\
        \x20 the outer block timed out\n\
        The task is not ready; cancelled: false\n\
        Joined at last\n\
        The child goes, too\n\
        The parent is done: false\n\
        Interrupted: timed out\n\
        Saved\n\
        All is done: false\n";
    let output = Run::guest("timeouts").output();
    output.code(0).stdout(expected).quiet();
}

#[test]
fn shield_stops_a_cancellation_or_passes_it_on() {
    let expected = "\
        A task of its own:\n  \
          the author is cancelled\n  \
          the report is written\n\
        A critical section:\n  \
          90 and 0: cancelling\n  \
          10 are moved\n  \
          90 and 10: cancelled\n\
        Children:\n  \
          red ends, too\n  \
          green ends, too\n  \
          their parent is cancelled\n  \
          blue ends, too\n  \
          white ends, too\n  \
          their parent is cancelled\n";
    let output = Run::guest("shield").output();
    output.code(0).stdout(expected).quiet();
}

#[test]
fn task_group_waits_for_all_for_one_and_for_each() {
    let expected = "\
        All:\n  \
          green answers after 30 ms\n  \
          blue answers after 300 ms\n  \
          red answers after 600 ms\n\
        The first:\n  \
          red is told to stop\n  \
          blue is told to stop\n  \
          green answers after 30 ms\n\
        As they come:\n  \
          green answers after 30 ms\n  \
          blue answers after 300 ms\n  \
          red answers after 600 ms\n\
        One that fails:\n  \
          red is told to stop\n  \
          task task_group::break_down failed: out of paper\n";
    let output = Run::guest("task_group").output();
    output.code(0).stdout(expected).quiet();
}

#[test]
fn happy_eyeballs_connects_to_the_first_that_answers() {
    let expected = "\
        the first is quick:\n  \
          a: connecting\n  \
          connected to a\n\
        the first is slow:\n  \
          a: connecting\n  \
          b: connecting\n  \
          a: cancelled\n  \
          connected to b\n\
        the first is just in time:\n  \
          a: connecting\n  \
          b: connecting\n  \
          b: cancelled\n  \
          connected to a\n\
        the first is dead:\n  \
          a: connecting\n  \
          a refused the connection\n  \
          b: connecting\n  \
          connected to b\n\
        all are dead:\n  \
          a: connecting\n  \
          b: connecting\n  \
          b refused the connection\n  \
          a refused the connection\n  \
          not connected: b refused the connection, a refused the connection\n";
    let output = Run::guest("happy_eyeballs").output();
    output.code(0).stdout(expected).quiet();
}

/// Starts the echo server, and says where it listens.
fn start_echo() -> (Running, String) {
    let run = Run::guest("echo").flag("--allow-listen=127.0.0.1");
    let mut server = run.args(["127.0.0.1:0"]).spawn();
    let line = server.line();
    let Some(address) = line.strip_prefix("listening on ") else {
        panic!("should say where it listens: {line}");
    };
    (server, address.to_owned())
}

fn connect(address: &str) -> TcpStream {
    let client = TcpStream::connect(address).expect("the server listens");
    let time = Some(Duration::from_secs(30));
    client.set_read_timeout(time).expect("the time is not zero");
    client
}

/// Sends a text, and gives what comes back of it.
fn echo(client: &mut TcpStream, text: &str) -> String {
    client.write_all(text.as_bytes()).expect("the server reads");
    let mut bytes = vec![0; text.len()];
    client
        .read_exact(&mut bytes)
        .expect("the server sends it back");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn echo_serves_many_clients_until_it_is_told_to_end() {
    let (mut server, address) = start_echo();
    let mut clients: Vec<_> = (0..20).map(|_| connect(&address)).collect();
    for round in 0..3 {
        for (n, client) in clients.iter_mut().enumerate() {
            let text = format!("client {n}, round {round}");
            assert_eq!(echo(client, &text), text);
        }
    }
    // One that has no more to say is hung up on.
    let mut first = clients.remove(0);
    first.shutdown(Shutdown::Write).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
    let text = "long ".repeat(50_000);
    assert_eq!(echo(&mut clients[0], &text), text);

    server.signal(Signal::SIGINT);
    // All have been hung up on when it ends.
    for client in &mut clients {
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
    let output = server.wait();
    let expected = format!("listening on {address}\n");
    output.code(0).stdout(&expected).quiet();
}

#[test]
fn echo_needs_a_right_to_listen() {
    let output = Run::guest("echo").args(["127.0.0.1:0"]).output();
    output.code(1).stdout("").stderr_has(&["--allow-listen"]);
    let output = Run::guest("echo").args(["nowhere"]).output();
    let text = "Error: nowhere is no address such as 127.0.0.1:25000\n";
    output.code(1).stdout("").stderr_has(&[text]);
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is part of the project");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect()
}

#[test]
fn every_guest_is_run_by_some_test() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let tests = root.join("tests");
    let sources: String = names(&tests)
        .iter()
        .map(|name| std::fs::read_to_string(tests.join(name).with_extension("rs")).unwrap())
        .collect();
    let mut guests = names(&root.join("examples"));
    guests.extend(names(&tests.join("guests/src/bin")));
    for guest in guests {
        let used = sources.contains(&format!("\"{guest}\""));
        assert!(used, "no test runs the guest {guest}");
    }
}
