//! Nothing that a guest or its peer does with a socket makes the kernel's thread wait.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Options, Permissions, Stdio,
};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg, sockopt};

use crate::harness::certificates::Certificates;
use crate::harness::components::Folder;
use crate::harness::{Run, Running, guests};

const GUEST: &str = "hostile_sockets";

fn run(case: &str) -> Run {
    Run::guest(GUEST)
        .flag("--allow-listen=127.0.0.1:0")
        .flag("--allow-net=127.0.0.1")
        .args([case])
}

macro_rules! cases {
    ($($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                run(stringify!($case)).output().code(0).stdout("").quiet();
            }
        )*

        const CASES: &[&str] = &[$(stringify!($case),)*];
    };
}

cases! {
    lingering_sockets_close_at_once
    lingering_sockets_are_open_at_the_end
    lingering_sockets_are_passed_along
    what_lingers_for_less_than_a_second_arrives
    what_lingers_for_no_time_is_reset
    shared_with_itself
}

#[test]
fn every_case_is_tested() {
    let others = [
        "a_tls_stream_lingers",
        "take_and_drop",
        "take_none",
        "receive_data_alone",
        "close_unreceived",
        "accept",
        "connect",
    ];
    guests::has_cases(GUEST, &[CASES, &others].concat());
}

#[test]
fn a_tls_stream_lingers() {
    let certificates = Certificates::new();
    let run = certificates.allow(run("a_tls_stream_lingers"), &["site"]);
    run.output().code(0).stdout("").quiet();
}

/// The hostile guest's instances on a host, and another one that ticks.
#[test]
fn who_ticks_beside_lingering_sockets_goes_on() {
    let engine = Engine::new(&EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool: None,
    })
    .unwrap();
    let mut host = Host::new(&engine).unwrap();
    let folder = Folder::new();
    let mut start = |guest: &str, args: &[&str]| {
        let component = Component::load(&engine, guests::path(guest)).unwrap();
        let mut permissions = Permissions::none();
        permissions.allow_listen("127.0.0.1:0").unwrap();
        permissions.allow_net("127.0.0.1").unwrap();
        let out = format!("{}::/out", folder.path().display());
        permissions.allow_dir(&out).unwrap();
        let args = [&[guest], args].concat();
        let options = Options {
            args: args.into_iter().map(str::to_owned).collect(),
            stdio: Stdio::Null,
            permissions,
            ..Options::default()
        };
        host.start(&component, options).unwrap()
    };
    let ticker = start("instance_work", &["tick", "100"]);
    let hostile: Vec<_> = CASES.iter().map(|case| start(GUEST, &[case])).collect();
    assert_eq!(host.run(ticker).unwrap(), Exit::Code(0));
    for instance in hostile {
        assert_eq!(host.run(instance).unwrap(), Exit::Code(0));
    }
}

/// A peer of the guest's, at the other end of a Unix socket.
struct Peer {
    listener: UnixListener,
    folder: Folder,
}

impl Peer {
    fn new() -> Self {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        Self { listener, folder }
    }

    fn start(&self, case: &str, flags: &[&str], args: &[&str]) -> Running {
        let path = self.folder.path().join("s").display().to_string();
        let run = Run::guest(GUEST).flag(format!("--allow-net=unix:{path}"));
        let run = flags.iter().fold(run, Run::flag);
        run.args([&[case, &path], args].concat()).spawn()
    }

    /// Passes a socket to the guest.
    fn pass(&self, socket: impl AsFd) -> UnixStream {
        let (guest, _) = self.listener.accept().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut passed = SendAncillaryBuffer::new(&mut space);
        let sockets = [socket.as_fd()];
        assert!(passed.push(SendAncillaryMessage::ScmRights(&sockets)));
        let data = [std::io::IoSlice::new(b"x")];
        sendmsg(&guest, &data, &mut passed, SendFlags::empty()).unwrap();
        guest
    }
}

/// Lets a guest that waits for it go on.
fn go(guest: &mut UnixStream) {
    let mut byte = [0];
    guest.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"g");
    guest.write_all(b"r").unwrap();
}

/// A connection that lingers for very long, and has more to send than the system takes.
fn lingering() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nonblocking(true).unwrap();
    while client.write(&[0; 16_000]).is_ok() {}
    sockopt::set_socket_linger(&client, Some(Duration::from_mins(1000))).unwrap();
    (client, server)
}

#[test]
fn a_socket_that_a_peer_lets_linger_holds_up_nobody() {
    for case in [
        "take_and_drop",
        "take_none",
        "receive_data_alone",
        "close_unreceived",
    ] {
        let peer = Peer::new();
        let running = peer.start(case, &[], &[]);
        let (client, _server) = lingering();
        let mut guest = peer.pass(&client);
        drop(client);
        if case == "take_and_drop" {
            go(&mut guest);
        }
        running.wait().code(0).stdout("").quiet();
    }
}

/// Makes a socket a blocking one, over and over again.
struct Blocking {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Blocking {
    fn new(socket: OwnedFd) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                rustix::io::ioctl_fionbio(&socket, false).unwrap();
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        let thread = Some(thread);
        Self { stop, thread }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_listener_that_a_peer_makes_blocking_holds_up_nobody() {
    let peer = Peer::new();
    let mut running = peer.start("accept", &[], &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let mut guest = peer.pass(&listener);
    let blocking = Blocking::new(listener.into());
    go(&mut guest);
    assert_eq!(running.line(), "no connection");
    for _ in 0..3 {
        let mut client = TcpStream::connect(at).unwrap();
        client.write_all(b"hello").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "to you, too");
    }
    running.wait().code(0).quiet();
    drop(blocking);
}

/// A listener whose queue is full, so that who connects waits.
fn busy() -> (OwnedFd, SocketAddr, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let patience = Duration::from_millis(300);
    let mut clients = Vec::new();
    while let Ok(client) = TcpStream::connect_timeout(&at, patience) {
        clients.push(client);
    }
    (listener.into(), at, clients)
}

#[test]
fn a_socket_that_a_peer_makes_blocking_connects_without_holding_up_anybody() {
    let (_listener, at, _clients) = busy();
    let at = at.to_string();
    let peer = Peer::new();
    let running = peer.start("connect", &[&format!("--allow-net={at}")], &[&at]);
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let mut guest = peer.pass(&socket);
    let _blocking = Blocking::new(socket);
    go(&mut guest);
    running.wait().code(0).stdout("").quiet();
}

#[test]
fn files_of_flags_are_regular_ones() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = pipe.display().to_string();
    let large = folder.file("large", vec![b'#'; (1 << 20) + 1]);
    let large = large.display().to_string();
    let run = |flag: String| run("cases").flag(flag).output();
    for file in ["/dev/zero", &pipe] {
        let what = "this is no regular file; give a file, not a pipe, socket or device";
        run(format!("--permissions={file}")).complains(1, &[file, what]);
        let flag = format!("--tls-identity=a={file},{file}");
        run(flag).complains(1, &["--tls-identity", file, what]);
    }
    let what = "more than 1048576 bytes";
    run(format!("--permissions={large}")).complains(1, &[&large, what]);
    let flag = format!("--tls-identity=a={large},{large}");
    run(flag).complains(1, &["--tls-identity", &large, what]);
}
