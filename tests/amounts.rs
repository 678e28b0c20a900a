//! A lot of data, both ways at once: all of it arrives, as its digests say.
//!
//! The peer is this program by TCP, and `openssl` by TLS. Every run of the tests sends 64 MiB; those that are ignored
//! send a gibibyte.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use ring::digest::{Context, SHA256};

use crate::harness::certificates::Certificates;
use crate::harness::programs::{openssl, openssl_server};
use crate::harness::{Run, Running};

/// How many bytes go each way.
const MUCH: usize = 64 << 20;
const GIBIBYTE: usize = 1 << 30;

/// How much is sent at a time.
const BLOCK: usize = 1 << 20;

/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(20);

/// A guest that connects to an address, or listens at one.
fn guest(role: &str, kind: &str, address: SocketAddr, amount: usize) -> Run {
    let run = Run::guest("amounts").deadline(PATIENCE);
    let run = match role {
        "connect" => run.flag(format!("--allow-net={address}")),
        _ => run.flag(format!("--allow-listen={address}")),
    };
    run.args([role, kind, &address.to_string(), &amount.to_string()])
}

/// The address that a guest says that it listens at.
fn address_of(guest: &mut Running) -> SocketAddr {
    let line = guest.line();
    let address = line.strip_prefix("listening on ").unwrap();
    address.parse().unwrap()
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Sends to a guest and receives from it at once, and compares the digests. What it is sent by is given back: it
/// may have to stay open.
fn exchange<W: Write + Send>(
    guest: &mut Running,
    mut input: impl Read,
    mut output: W,
    amount: usize,
) -> W {
    let digest = || Context::new(&SHA256);
    let (sent, received, output) = std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let mut digest = digest();
            let mut block = vec![b'x'; BLOCK];
            for n in 0..amount / BLOCK {
                block[n] = b'y';
                digest.update(&block);
                output.write_all(&block).unwrap();
            }
            (hex(digest), output)
        });
        let mut digest = digest();
        let mut block = vec![0; BLOCK];
        for _ in 0..amount / BLOCK {
            input.read_exact(&mut block).unwrap();
            digest.update(&block);
        }
        let received = hex(digest);
        let (sent, output) = sending.join().unwrap();
        (sent, received, output)
    });
    assert_eq!(guest.line(), format!("sent {received}"));
    assert_eq!(guest.line(), format!("received {sent}"));
    output
}

fn hex(digest: Context) -> String {
    let mut text = String::new();
    for byte in digest.finish().as_ref() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn by_tcp(role: &str, amount: usize) {
    let (mut guest, socket) = if role == "connect" {
        let listener = TcpListener::bind(local()).unwrap();
        let address = listener.local_addr().unwrap();
        let guest = guest(role, "plain", address, amount).spawn();
        (guest, listener.accept().unwrap().0)
    } else {
        let mut guest = guest(role, "plain", local(), amount).spawn();
        let address = address_of(&mut guest);
        (guest, TcpStream::connect(address).unwrap())
    };
    exchange(&mut guest, &socket, &socket, amount);
    socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&socket).read(&mut [0]).unwrap(), 0, "no more comes");
    guest.wait().code(0).quiet();
}

fn by_tls(role: &str, amount: usize) {
    let certificates = Certificates::new();
    let allow = |run| certificates.publish(certificates.allow(run, &["site"]));
    let (mut guest, mut peer) = if role == "connect" {
        let (peer, address) = openssl_server(&certificates, &["-quiet"]);
        (allow(guest(role, "tls", address, amount)).spawn(), peer)
    } else {
        let mut guest = allow(guest(role, "tls", local(), amount)).spawn();
        let address = address_of(&mut guest).to_string();
        let mut command = Command::new("openssl");
        let peer = openssl(command.args(["s_client", "-quiet", "-connect", &address]));
        (guest, peer)
    };
    let stdin = peer.0.stdin.take().unwrap();
    let stdout = peer.0.stdout.take().unwrap();
    // It stays open: openssl would end with it.
    let _stdin = exchange(&mut guest, stdout, stdin, amount);
    guest.wait().code(0).quiet();
}

#[test]
fn much_goes_both_ways_to_a_server() {
    by_tcp("connect", MUCH);
}

#[test]
fn much_goes_both_ways_to_a_client() {
    by_tcp("listen", MUCH);
}

#[test]
fn much_goes_both_ways_to_a_server_by_tls() {
    by_tls("connect", MUCH);
}

#[test]
fn much_goes_both_ways_to_a_client_by_tls() {
    by_tls("listen", MUCH);
}

#[test]
#[ignore = "takes a while"]
fn a_gibibyte_goes_both_ways_to_a_server() {
    by_tcp("connect", GIBIBYTE);
}

#[test]
#[ignore = "takes a while"]
fn a_gibibyte_goes_both_ways_to_a_client() {
    by_tcp("listen", GIBIBYTE);
}

#[test]
#[ignore = "takes a while"]
fn a_gibibyte_goes_both_ways_to_a_server_by_tls() {
    by_tls("connect", GIBIBYTE);
}

#[test]
#[ignore = "takes a while"]
fn a_gibibyte_goes_both_ways_to_a_client_by_tls() {
    by_tls("listen", GIBIBYTE);
}
