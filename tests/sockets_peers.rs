//! Sockets, and programs outside at their other ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::harness::{Run, Running};

/// How many bytes go each way.
const AMOUNT: usize = 64 << 20;

/// Starts a case of the guest that connects to an address.
fn start(case: &str, peer: &TcpListener) -> Running {
    let peer = peer.local_addr().unwrap().to_string();
    let run = Run::guest("socket_peer").flag(format!("--allow-net={peer}"));
    run.args([case, &peer]).spawn()
}

/// The bytes from `at` on of a stream that are all known, and differ in every place. Whole words only.
fn stream(at: usize, length: usize) -> Vec<u8> {
    let words = at as u64 / 8..(at + length) as u64 / 8;
    words
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect()
}

fn send(mut socket: &TcpStream) {
    for at in (0..AMOUNT).step_by(1 << 16) {
        socket.write_all(&stream(at, 1 << 16)).unwrap();
    }
    socket.shutdown(std::net::Shutdown::Write).unwrap();
}

fn receive(mut socket: &TcpStream) {
    let mut data = vec![0; 1 << 16];
    for at in (0..AMOUNT).step_by(1 << 16) {
        socket.read_exact(&mut data).unwrap();
        assert!(data == stream(at, 1 << 16), "wrong data after {at} bytes");
    }
    assert_eq!(socket.read(&mut data).unwrap(), 0);
}

#[test]
fn much_data_goes_both_ways_at_the_peer_s_speed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = start("transfer", &listener);
    let (socket, _) = listener.accept().unwrap();
    let line = guest.line();
    let fit: usize = line.strip_suffix(" bytes fit").unwrap().parse().unwrap();
    assert!((1..AMOUNT).contains(&fit), "{line}");
    std::thread::scope(|scope| {
        scope.spawn(|| send(&socket));
        receive(&socket);
    });
    guest.wait().code(0).quiet();
}

#[test]
fn a_guest_connects_to_a_server_outside() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(address).unwrap();
        let mut guest = start("talk", &listener);
        let (mut socket, peer) = listener.accept().unwrap();
        assert_eq!(guest.line(), peer.to_string());
        let mut data = [0; 4];
        socket.read_exact(&mut data).unwrap();
        assert_eq!(&data, b"ping");
        // So slowly that it is blocked.
        std::thread::sleep(Duration::from_millis(50));
        socket.write_all(b"pong").unwrap();
        guest.wait().code(0).quiet();
    }
}

#[test]
fn a_peer_that_vanishes_is_an_error_and_no_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = start("talk", &listener);
    let (socket, _) = listener.accept().unwrap();
    guest.line();
    // What was not read makes the end a reset.
    std::thread::sleep(Duration::from_millis(50));
    drop(socket);
    guest.wait().code(1).stderr_has(&["reset"]);
}
