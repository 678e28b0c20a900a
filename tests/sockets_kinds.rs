//! Sockets of every kind, and what goes through them: among themselves, between two programs, and with programs outside.

use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::harness::components::Folder;
use crate::harness::{Output, Run, guests};

fn run(guest: &str, flags: &[&str], case: &str) -> Output {
    let run = Run::guest(guest)
        .flag("--allow-listen=127.0.0.1:0,[::]:0")
        .flag("--allow-net=127.0.0.1,[::1]");
    flags.iter().fold(run, Run::flag).args([case]).output()
}

macro_rules! cases {
    ($guest:literal, $flags:expr => $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                super::run($guest, &$flags, stringify!($case)).code(0).stdout("").quiet();
            }
        )*

        pub(super) const CASES: &[&str] = &[$(stringify!($case),)*];
    };
}

mod kinds {
    cases! { "socket_kinds", [] =>
        datagrams_go_back_and_forth
        a_connected_socket_hears_one_peer
        what_is_peeked_at_stays
        a_cancelled_recv_from_loses_nothing
        a_socket_for_ipv6_takes_ipv4_as_well
        pairs_are_connected
        datagrams_wait_for_room
        an_interrupted_send_all_says_how_much_it_sent
        a_large_transfer_arrives_whole
        closing_reaches_who_waits
        a_closed_socket_says_so
        waiting_for_an_unconnected_stream_is_an_error
        those_that_wait_are_known
        each_kind_has_its_own_operations
    }
}

mod passing {
    cases! { "socket_passing", [] =>
        a_connection_is_handed_over
        a_listener_is_handed_over
        only_so_many_are_taken
    }
}

mod passing_with_few_handles {
    cases! { "socket_passing", ["--max-handles=10"] =>
        what_is_on_the_way_counts_as_handles
        what_was_left_on_the_way_counts_until_it_has_arrived
        two_that_pass_to_each_other_may_both_go
    }
}

#[test]
fn every_case_is_tested() {
    guests::has_cases("socket_kinds", kinds::CASES);
    let outside = ["hand_over", "take_over"];
    let all = [passing::CASES, passing_with_few_handles::CASES, &outside].concat();
    guests::has_cases("socket_passing", &all);
}

/// A program that takes sockets over at a path.
fn taker(path: &str) -> crate::harness::Running {
    let run = Run::guest("socket_passing").flag(format!("--allow-listen=unix:{path}"));
    let mut taker = run.args(["take_over", path]).spawn();
    assert_eq!(taker.line(), "ready");
    taker
}

#[test]
fn one_program_hands_a_connection_over_to_another() {
    let folder = Folder::new();
    let path = folder.path().join("s").display().to_string();
    let mut taker = taker(&path);
    let run = Run::guest("socket_passing")
        .flag("--allow-listen=127.0.0.1:0")
        .flag(format!("--allow-net=unix:{path}"));
    let mut front = run.args(["hand_over", &path]).spawn();
    let mut client = TcpStream::connect(front.line()).unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "served by another");
    assert_eq!(taker.line(), "1 taken, 0 refused");
    taker.wait().code(0).quiet();
    front.wait().code(0).quiet();
}

#[test]
fn descriptors_that_are_no_sockets_are_refused() {
    let folder = Folder::new();
    let path = folder.path().join("s").display().to_string();
    let mut taker = taker(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let (pipe, _end) = std::io::pipe().unwrap();
    let mut front = UnixStream::connect(&path).unwrap();
    let descriptors = [file.as_raw_fd(), server.as_raw_fd(), pipe.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let data = [IoSlice::new(b"x")];
    sendmsg::<()>(front.as_raw_fd(), &data, &rights, MsgFlags::empty(), None).unwrap();
    drop(server);
    assert_eq!(taker.line(), "1 taken, 2 refused");
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "served by another");
    let mut thanks = [0; 6];
    front.read_exact(&mut thanks).unwrap();
    taker.wait().code(0).quiet();
}

/// Starts an example that serves, and gives where.
fn serve(example: &str, flags: &[&str], address: &str) -> (crate::harness::Running, String) {
    let run = flags.iter().fold(Run::guest(example), Run::flag);
    let mut server = run.args([address]).spawn();
    let line = server.line();
    (
        server,
        line.strip_prefix("listening on ").unwrap().to_owned(),
    )
}

/// What `socat` brings back from an address.
fn socat(address: &str, text: &str) -> String {
    let mut socat = Command::new("socat")
        .args(["-t", "5", "-", address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("socat is installed");
    socat
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = socat.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn other_programs_talk_to_the_echo_servers() {
    let flags = ["--allow-listen=127.0.0.1:0", "--allow-net=127.0.0.1"];
    let (_server, address) = serve("udp_echo", &flags, "127.0.0.1:0");
    assert_eq!(
        socat(&format!("UDP:{address},shut-none"), "by udp"),
        "by udp"
    );
    let folder = Folder::new();
    let path = folder.path().join("s").display().to_string();
    let flag = format!("--allow-listen=unix:{}/", folder.path().display());
    let (_server, _) = serve("unix_echo", &[&flag], &format!("unix:{path}"));
    assert_eq!(socat(&format!("UNIX-CONNECT:{path}"), "by unix"), "by unix");
}

#[test]
fn unix_datagrams_go_back_to_where_they_came_from() {
    let folder = Folder::new();
    let at = folder.path().display().to_string();
    let flags = [
        format!("--allow-listen=unix:{at}/s"),
        format!("--allow-net=unix:{at}/"),
    ];
    let flags = flags.each_ref().map(String::as_str);
    let (_server, address) = serve("udp_echo", &flags, &format!("unix:{at}/s"));
    assert_eq!(address, format!("unix:{at}/s"));
    let peer = UnixDatagram::bind(folder.path().join("peer")).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let server = folder.path().join("s");
    for text in ["one", "two"] {
        peer.send_to(text.as_bytes(), &server).unwrap();
        let mut buffer = [0; 100];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], text.as_bytes());
        assert_eq!(from.as_pathname(), Some(&*server.canonicalize().unwrap()));
    }
}

#[test]
fn a_guest_connects_to_a_unix_server_outside() {
    let folder = Folder::new();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let address = format!("unix:{}", path.display());
    let client = Run::guest("unix_echo_client").flag(format!("--allow-net={address}"));
    let client = client.args([&address]).spawn();
    let (mut server, _) = listener.accept().unwrap();
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    server.write_all(b"so you say").unwrap();
    drop(server);
    assert_eq!(text, "hello\nhow are you?\ngood-bye\n");
    client.wait().code(0).stdout("so you say").quiet();
}
