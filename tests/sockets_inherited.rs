//! Sockets that a supervisor hands over: real ones, at descriptors from 3 on.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, InheritedSockets, Options, Stdio,
};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};

use crate::harness::components::Folder;
use crate::harness::{Run, Running, guests};
use crate::permissions::{check, probe};

const GUEST: &str = "socket_inherited";

fn run(case: &str) -> Run {
    Run::guest(GUEST).args([case])
}

fn granted(case: &str) -> Run {
    run(case).flag("--inherit-sockets")
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A TCP socket that is bound, and does not listen.
fn bound() -> (OwnedFd, SockaddrIn) {
    let made = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    );
    let made = made.unwrap();
    bind(
        std::os::fd::AsRawFd::as_raw_fd(&made),
        &SockaddrIn::new(127, 0, 0, 1, 0),
    )
    .unwrap();
    let at = getsockname(std::os::fd::AsRawFd::as_raw_fd(&made)).unwrap();
    (made, at)
}

fn talk(mut client: impl Read + Write, word: &str) {
    client.write_all(word.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, word);
}

fn ends_well(running: Running) {
    running.wait().code(0).stdout("").quiet();
}

#[test]
fn every_case_is_tested() {
    guests::has_cases(
        GUEST,
        &[
            "nothing_is_there",
            "nothing_is_there_without_the_flag",
            "a_server_serves",
            "what_is_bound_listens",
            "datagrams_come_and_are_answered",
            "a_connection_goes_on",
            "only_its_own_address_is_granted",
            "each_is_taken_once",
            "names_are_asked_for_in_turn",
            "the_limit_of_handles_counts",
        ],
    );
}

#[test]
fn a_server_serves() {
    let server = listener();
    let at = server.local_addr().unwrap();
    // Who comes before the server is there waits for it.
    let early = TcpStream::connect(at).unwrap();
    let running = granted("a_server_serves").hand_over([("server", server.into())]);
    let running = running.spawn();
    talk(early, "early");
    talk(TcpStream::connect(at).unwrap(), "later");
    talk(TcpStream::connect(at).unwrap(), "last");
    ends_well(running);

    let folder = Folder::new();
    let path = folder.path().join("s");
    let server = UnixListener::bind(&path).unwrap();
    let running = granted("a_server_serves").hand_over([("server", server.into())]);
    let running = running.spawn();
    talk(UnixStream::connect(path).unwrap(), "last");
    ends_well(running);
}

#[test]
fn a_server_is_the_supervisor_s_still() {
    let server = listener();
    let at = server.local_addr().unwrap();
    for word in ["last", "last"] {
        let server = server.try_clone().unwrap();
        let running = granted("a_server_serves").hand_over([("server", server.into())]);
        let running = running.spawn();
        talk(TcpStream::connect(at).unwrap(), word);
        ends_well(running);
    }
}

#[test]
fn what_is_bound_listens() {
    let (socket, at) = bound();
    let running = granted("what_is_bound_listens")
        .hand_over([("server", socket)])
        .spawn();
    let at = (at.ip(), at.port());
    let client = loop {
        if let Ok(client) = TcpStream::connect(at) {
            break client;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    talk(client, "last");
    ends_well(running);
}

#[test]
fn datagrams_come_and_are_answered() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (at, from) = (server.local_addr().unwrap(), client.local_addr().unwrap());
    let case = "datagrams_come_and_are_answered";
    let handed = [("datagrams", OwnedFd::from(server.try_clone().unwrap()))];
    let running = granted(case).flag(format!("--allow-net={from}"));
    let running = running.hand_over(handed).spawn();
    client.send_to(b"ping", at).unwrap();
    let mut answer = [0; 10];
    let (length, from) = client.recv_from(&mut answer).unwrap();
    assert_eq!((&answer[..length], from), (&b"pong"[..], at));
    ends_well(running);

    // Whoever writes is heard, but may not be answered for that.
    client.send_to(b"ping", at).unwrap();
    let output = granted(case).hand_over([("datagrams", server.into())]);
    let output = output.output();
    output.code(1).stderr_has(&["--allow-net=127.0.0.1:"]);

    let folder = Folder::new();
    let (server, client) = (folder.path().join("server"), folder.path().join("client"));
    let at = server.clone();
    let server = UnixDatagram::bind(server).unwrap();
    let own = UnixDatagram::bind(&client).unwrap();
    own.send_to(b"ping", at).unwrap();
    let flag = format!("--allow-net=unix:{}", client.display());
    let running = granted(case).flag(flag);
    ends_well(running.hand_over([("datagrams", server.into())]).spawn());
    let length = own.recv(&mut answer).unwrap();
    assert_eq!(&answer[..length], b"pong");
}

#[test]
fn a_connection_goes_on() {
    let server = listener();
    let mut peer = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let (connection, _) = server.accept().unwrap();
    peer.write_all(b"ping").unwrap();
    let running = granted("a_connection_goes_on").hand_over([("peer", connection.into())]);
    let running = running.spawn();
    let mut answer = [0; 4];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"pong");
    peer.shutdown(Shutdown::Write).unwrap();
    ends_well(running);
}

#[test]
fn only_its_own_address_is_granted() {
    let folder = Folder::new();
    let unix = UnixDatagram::bind(folder.path().join("s")).unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.connect(peer.local_addr().unwrap()).unwrap();
    let run = granted("only_its_own_address_is_granted").hand_over([
        ("listener", listener().into()),
        ("bound", bound().0),
        ("datagrams", datagrams.into()),
        ("unix", unix.into()),
    ]);
    ends_well(run.spawn());
    let mut data = [0; 10];
    assert_eq!(peer.recv(&mut data).unwrap(), 4);
    peer.set_nonblocking(true).unwrap();
    assert!(peer.recv(&mut data).is_err());
}

#[test]
fn each_is_taken_once() {
    let run = granted("each_is_taken_once").hand_over([
        ("a", listener().into()),
        ("", UdpSocket::bind("[::1]:0").unwrap().into()),
        ("b", listener().into()),
    ]);
    ends_well(run.spawn());
}

#[test]
fn names_are_asked_for_in_turn() {
    let all = [("a", listener().into()), ("a", listener().into())];
    let run = granted("names_are_asked_for_in_turn").hand_over(all);
    ends_well(run.spawn());
}

#[test]
fn the_limit_of_handles_counts() {
    let all = [("a", listener().into()), ("b", listener().into())];
    let run = granted("the_limit_of_handles_counts").flag("--max-handles=1");
    ends_well(run.hand_over(all).spawn());
}

#[test]
fn nothing_is_there() {
    ends_well(granted("nothing_is_there").spawn());
    // What is for another process is left alone.
    let run = granted("nothing_is_there").variable("LISTEN_PID", "1");
    ends_well(run.hand_over([("server", listener().into())]).spawn());
}

#[test]
fn nothing_is_there_without_the_flag() {
    let case = "nothing_is_there_without_the_flag";
    ends_well(run(case).spawn());
    let server = listener();
    let run = run(case).hand_over([("server", server.into())]);
    let output = run.output();
    output
        .code(0)
        .stderr_has(&["1 sockets were handed over, and are closed; add --inherit-sockets"]);
}

#[test]
fn files_and_everything_grant_it_too() {
    let folder = Folder::new();
    let file = folder.file("app.toml", "inherit-sockets = true");
    for flags in [&["--permissions", file.to_str().unwrap()][..], &["-A"]] {
        let all = [("a", listener().into()), ("a", listener().into())];
        let run = flags
            .iter()
            .fold(run("names_are_asked_for_in_turn"), Run::flag);
        ends_well(run.hand_over(all).spawn());
    }
}

#[test]
fn other_descriptors_are_refused_by_their_number() {
    let file = || File::open("/dev/null").unwrap().into();
    let run = granted("nothing_is_there").hand_over([("a", listener().into()), ("b", file())]);
    let text = "descriptor 4 (\"b\") is no socket; pass TCP and UDP sockets";
    run.output().complains(1, &[text]);
    let packets = socket(
        AddressFamily::Unix,
        SockType::SeqPacket,
        SockFlag::SOCK_CLOEXEC,
        None,
    );
    let run = granted("nothing_is_there").hand_over([("", packets.unwrap())]);
    let text = "descriptor 3 is a socket of another kind";
    run.output().complains(1, &[text]);
    // Without the flag, nobody asks what they are.
    let run = self::run("nothing_is_there_without_the_flag").hand_over([("a", file())]);
    run.output().code(0);
}

#[test]
fn a_supervisor_s_lies_are_told() {
    let handed = || {
        granted("nothing_is_there").hand_over([("a", listener().into()), ("b", listener().into())])
    };
    for (name, value, text) in [
        (
            "LISTEN_FDS",
            "3",
            "LISTEN_FDS is 3, and LISTEN_FDNAMES has 2 names",
        ),
        ("LISTEN_FDS", "x", "LISTEN_FDS is \"x\", which is no number"),
        ("LISTEN_PID", "", "LISTEN_PID is \"\", which is no number"),
        ("LISTEN_FDNAMES", "a", "LISTEN_FDNAMES has 1 names"),
        (
            "LISTEN_FDNAMES",
            "a:\u{1b}",
            "descriptor 4 (\"\\u{1b}\") has a name with control characters",
        ),
    ] {
        let output = handed().variable(name, value).output();
        output.complains(1, &[text]);
    }
    let run = handed()
        .variable("LISTEN_FDS", "3")
        .variable("LISTEN_FDNAMES", "a:b:c");
    run.output()
        .complains(1, &["descriptor 5 was to be handed over, but: "]);
}

#[test]
fn the_variables_are_the_host_s() {
    let run = probe(&["--env=LISTEN_FDS", "--env=A=1"]);
    check(
        run.flag("--inherit-sockets")
            .hand_over([("a", listener().into())]),
        &[("env", "ok A=1")],
    );
    let run = probe(&["-A"]).hand_over([("a", listener().into())]);
    let output = run.args(["env"]).output();
    output.code(0).quiet();
    assert!(output.stdout.contains("PATH="), "{}", output.stdout);
    assert!(!output.stdout.contains("LISTEN_"), "{}", output.stdout);
}

#[test]
fn an_embedder_gives_sockets_to_several() {
    let options = EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    };
    let engine = Engine::new(&options).unwrap();
    let component = Component::load(&engine, guests::path(GUEST)).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let mut sockets = InheritedSockets::new();
    for _ in 0..2 {
        sockets.add(Some("a"), listener().into()).unwrap();
    }
    let mut start = |case: &str, allowed: bool, sockets: &InheritedSockets| {
        let mut options = Options {
            args: vec![GUEST.to_owned(), case.to_owned()],
            stdio: Stdio::Null,
            sockets: sockets.clone(),
            ..Options::default()
        };
        if allowed {
            options.permissions.allow_inherited_sockets();
        }
        host.start(&component, options).unwrap()
    };
    let instances = [
        start("names_are_asked_for_in_turn", true, &sockets),
        start("names_are_asked_for_in_turn", true, &sockets),
        start("nothing_is_there_without_the_flag", false, &sockets),
        start("nothing_is_there", true, &InheritedSockets::new()),
    ];
    for instance in instances {
        assert_eq!(host.run(instance).unwrap(), Exit::Code(0));
    }
}
