//! The echo server among the examples, under load.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

use crate::harness::{Output, Run, Running};

/// How many threads drive the connections.
const THREADS: usize = 4;

/// How long a peer waits for an answer before it calls that lost.
const PATIENCE: Duration = Duration::from_secs(30);

fn start(flags: &[&str]) -> (Running, SocketAddr) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let mut run = Run::guest("echo").flag("--allow-listen=127.0.0.1:0");
    for flag in flags {
        run = run.flag(flag);
    }
    let run = run.deadline(Duration::from_mins(5)).args(["127.0.0.1:0"]);
    let mut server = run.spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let address = address.parse().unwrap();
    (server, address)
}

/// Ends the server as an operator would.
fn end(mut server: Running) -> Output {
    server.signal(Signal::SIGTERM);
    server.wait()
}

fn connect(to: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(to).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A message that tells connections and rounds apart, of a length of its own.
fn message(connection: usize, round: usize) -> Vec<u8> {
    let text = format!("connection {connection} round {round};");
    text.repeat(1 + (connection + round) % 5).into_bytes()
}

/// Sends a message on each connection, and only then looks for the answers.
fn round(sockets: &mut [(usize, TcpStream)], round: usize) {
    for (n, socket) in &mut *sockets {
        socket.write_all(&message(*n, round)).unwrap();
    }
    let mut answer = Vec::new();
    for (n, socket) in sockets {
        let expected = message(*n, round);
        answer.resize(expected.len(), 0);
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(answer, expected);
    }
}

/// No more comes than was sent.
fn finish(sockets: Vec<(usize, TcpStream)>) {
    for (_, mut socket) in sockets {
        socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(socket.read(&mut [0; 1]).unwrap(), 0);
    }
}

/// Splits connections among threads.
fn on_threads(connections: usize, drive: impl Fn(Range<usize>) + Sync) {
    let each = connections / THREADS;
    std::thread::scope(|scope| {
        for n in 0..THREADS {
            let drive = &drive;
            scope.spawn(move || drive(n * each..(n + 1) * each));
        }
    });
}

#[test]
fn a_thousand_connections_lose_no_byte() {
    let (server, address) = start(&[]);
    on_threads(1000, |numbers| {
        let mut sockets: Vec<_> = numbers.map(|n| (n, connect(address))).collect();
        for n in 0..100 {
            round(&mut sockets, n);
        }
        finish(sockets);
    });
    end(server).code(0).quiet();
}

#[test]
fn clients_that_go_disturb_nobody() {
    let (server, address) = start(&[]);
    on_threads(200, |numbers| {
        let mut sockets: Vec<_> = numbers.map(|n| (n, connect(address))).collect();
        for n in 0..10 {
            round(&mut sockets, n);
        }
        // Half of them go: in the middle of a message, by a reset, without a word.
        let (mut gone, mut stay): (Vec<_>, Vec<_>) =
            sockets.into_iter().partition(|(n, _)| n % 2 == 0);
        for (n, socket) in &mut gone {
            match *n % 3 {
                0 => socket.write_all(&vec![0; 100_000]).unwrap(),
                1 => socket.write_all(b"nobody reads the answer").unwrap(),
                _ => socket.shutdown(Shutdown::Both).unwrap(),
            }
        }
        drop(gone);
        for n in 10..30 {
            round(&mut stay, n);
        }
        let mut new: Vec<_> = (0..20).map(|n| (n, connect(address))).collect();
        round(&mut new, 30);
        finish(stay);
        finish(new);
    });
    let output = end(server);
    // Only a client that went without reading may be worth a word.
    output.code(0);
    for line in output.stderr.lines() {
        assert!(
            line.contains("reset") || line.contains("Broken pipe"),
            "{line}"
        );
    }
}

#[test]
fn a_slow_client_holds_up_nobody() {
    let (server, address) = start(&[]);
    let mut slow = connect(address);
    slow.set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    // It sends and never reads, until the server can't send either.
    let data = vec![7; 1 << 20];
    let mut sent = 0;
    while let Ok(more) = slow.write(&data) {
        sent += more;
    }
    let mut others: Vec<_> = (0..50).map(|n| (n, connect(address))).collect();
    for n in 0..20 {
        round(&mut others, n);
    }
    finish(others);
    let mut back = 0;
    let mut buffer = vec![0; 1 << 20];
    while back < sent {
        back += slow.read(&mut buffer).unwrap();
    }
    assert_eq!(back, sent);
    end(server).code(0).quiet();
}

#[test]
fn a_server_without_handles_serves_again_when_there_are_some() {
    // One for the server's own socket, two for clients.
    let (server, address) = start(&["--max-handles=3"]);
    let mut first: Vec<_> = (0..2).map(|n| (n, connect(address))).collect();
    round(&mut first, 0);
    // Full, and nobody else at the door: that is worth no word.
    std::thread::sleep(Duration::from_millis(200));
    let mut waiting: Vec<_> = (2..5).map(|n| (n, connect(address))).collect();
    for (_, socket) in &mut waiting {
        socket.write_all(b"early").unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    round(&mut first, 1);
    finish(first);
    for (_, mut socket) in waiting {
        let mut answer = [0; 5];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"early");
    }
    let output = end(server);
    // Once each time that it filled up, however long that lasted.
    output.code(0);
    let lines = output.stderr.lines();
    let warning = " WARN guest: can't accept another connection for now: limit of 3 handles";
    assert!(lines.clone().all(|line| line.starts_with(warning)));
    assert!((1..=3).contains(&lines.count()), "{}", output.stderr);
}
