//! The examples that need a network, as their users run them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::Run;
use crate::harness::components::Folder;

#[test]
fn happy_eyeballs_connects_to_a_real_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let host = format!("localhost:{}", address.port());
    let flag = format!("--allow-net={host}");
    let run = || Run::guest("happy_eyeballs").args([&host]);
    let output = run().flag(&flag).output();
    output.code(0).quiet();
    let connected = format!("\nconnected to {address}\n");
    assert!(output.stdout.ends_with(&connected), "{}", output.stdout);
    let is_at = format!("{host} is at {address}\n");
    assert!(output.stdout.contains(&is_at), "{}", output.stdout);
    let output = run().output();
    output.code(1).stdout("").stderr_has(&[&flag]);
}

/// Somebody who chats.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Comes in, and is asked for a name.
    fn new(address: &str, name: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        let time = Some(Duration::from_secs(30));
        stream.set_read_timeout(time).expect("the time is not zero");
        let mut client = Self(BufReader::new(stream));
        let mut question = [0; 11];
        client.0.read_exact(&mut question).expect("the server asks");
        assert_eq!(&question, b"Your name: ");
        client.say(name);
        client
    }

    fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        let stream = self.0.get_mut();
        stream.write_all(line.as_bytes()).expect("the server reads");
    }

    fn hears(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the server sends lines");
        assert_eq!(line.trim_end(), expected);
    }

    fn is_hung_up_on(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("the server closes");
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn chat_passes_on_what_each_says() {
    let run = Run::guest("chat").flag("--allow-listen=127.0.0.1");
    let mut server = run.args(["127.0.0.1:0"]).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").expect("it says where");
    let mut ann = Client::new(address, "ann");
    let mut bob = Client::new(address, "bob");
    bob.say("anybody?");
    ann.hears("bob: has joined");
    ann.hears("bob: anybody?");
    let mut eve = Client::new(address, "eve");
    for client in [&mut ann, &mut bob] {
        client.hears("eve: has joined");
    }
    ann.say("hello\nall");
    for client in [&mut bob, &mut eve] {
        client.hears("ann: hello");
        client.hears("ann: all");
    }
    // One that hangs up is missed.
    drop(eve);
    for client in [&mut ann, &mut bob] {
        client.hears("eve: has gone away");
    }
    // What has no end comes in pieces.
    bob.say(&"x".repeat(1500));
    ann.hears(&format!("bob: {}", "x".repeat(1000)));
    ann.hears(&format!("bob: {}", "x".repeat(500)));

    server.signal(Signal::SIGINT);
    for client in [&mut ann, &mut bob] {
        client.hears("The server is going away.");
    }
    for client in [&mut ann, &mut bob] {
        client.is_hung_up_on();
    }
    let output = server.wait();
    output.code(0).stdout(&format!("{line}\n")).quiet();
}

#[test]
fn chat_needs_a_right_to_listen() {
    let output = Run::guest("chat").args(["127.0.0.1:0"]).output();
    output.code(1).stdout("").stderr_has(&["--allow-listen"]);
    let output = Run::guest("chat").args(["nowhere"]).output();
    output
        .code(1)
        .stderr_has(&["\"nowhere\" is no host with a port"]);
}

#[test]
fn udp_echo_and_its_client_talk() {
    let run = Run::guest("udp_echo").flag("--allow-listen=127.0.0.1:0");
    let mut server = run
        .flag("--allow-net=127.0.0.1")
        .args(["127.0.0.1:0"])
        .spawn();
    let address = server.line();
    let address = address.strip_prefix("listening on ").unwrap().to_owned();
    let client = Run::guest("udp_echo_client").flag(format!("--allow-net={address}"));
    let output = client.args([&address]).output();
    output
        .code(0)
        .stdout("hello\nhow are you?\ngood-bye\n")
        .quiet();

    let other = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    other
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let long = vec![7; 60_000];
    for data in [&b"x"[..], b"", &long] {
        other.send_to(data, &address).unwrap();
        let mut buffer = vec![0; 65_536];
        let (length, from) = other.recv_from(&mut buffer).unwrap();
        assert_eq!(
            (&buffer[..length], from.to_string()),
            (data, address.clone())
        );
    }
    server.signal(Signal::SIGINT);
    server.wait().code(0).quiet();
}

#[test]
fn unix_echo_and_its_client_talk() {
    let folder = Folder::new();
    let path = folder.path().join("echo.sock");
    let address = format!("unix:{}", path.display());
    let server = Run::guest("unix_echo").flag(format!("--allow-listen={address}"));
    let mut server = server.args([&address]).spawn();
    assert_eq!(server.line(), format!("listening on {address}"));
    let client = Run::guest("unix_echo_client").flag(format!("--allow-net={address}"));
    let output = client.args([&address]).output();
    output
        .code(0)
        .stdout("hello\nhow are you?\ngood-bye\n")
        .quiet();

    let mut other = std::os::unix::net::UnixStream::connect(&path).unwrap();
    other
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    other.write_all(b"from outside").unwrap();
    let mut buffer = [0; 12];
    other.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"from outside");
    server.signal(Signal::SIGINT);
    server.wait().code(0).quiet();
    assert!(path.exists(), "it is for whoever made the folder to remove");
}

#[test]
fn fib_server_answers_a_number_a_line() {
    let run = Run::guest("fib_server").flag("--allow-listen=127.0.0.1");
    let mut server = run.args(["127.0.0.1:0"]).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").expect("it says where");
    let connect = || {
        let stream = TcpStream::connect(address).expect("the server listens");
        let time = Some(Duration::from_secs(30));
        stream.set_read_timeout(time).expect("the time is not zero");
        BufReader::new(stream)
    };
    let ask = |stream: &mut BufReader<TcpStream>, question: &str| {
        let question = format!("{question}\n");
        stream.get_mut().write_all(question.as_bytes()).unwrap();
    };
    let answer = |stream: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        stream.read_line(&mut line).expect("the server answers");
        line.trim_end().to_owned()
    };
    // Somebody keeps one of the processes busy for long.
    let mut greedy = connect();
    ask(&mut greedy, "60");
    let mut client = connect();
    for (question, expected) in [
        ("1", "1"),
        ("10", "55"),
        (" 20 ", "6765"),
        ("x", "error: invalid digit found in string"),
        ("-1", "error: invalid digit found in string"),
        (
            "94",
            "error: the Fibonacci number of 94 has more than 64 bits",
        ),
    ] {
        if std::thread::available_parallelism().is_ok_and(|count| count.get() > 1) {
            ask(&mut client, question);
            assert_eq!(answer(&mut client), expected);
        }
    }
    let workers = server.process().children();
    server.signal(Signal::SIGTERM);
    server.wait_for_end().code(0).quiet();
    for worker in workers {
        worker.is_gone();
    }
}
