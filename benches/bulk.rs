//! Much data over one connection: how fast a server process takes it in, or gives it out, 64 KiB at a time.
//!
//! The other end is a thread of this process with a blocking socket and pieces of 256 KiB, which is as quick as
//! it can be. CPU time is the server's alone.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::{Program, Side};

/// How much the client sends or receives at once.
const PIECE: usize = 256 * 1024;

const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn run(effort: Effort) {
    title("bulk", "one connection, 64 KiB at a time");
    measure(effort, "receive", "target >= 0.85x", send_for);
    measure(effort, "send", "target >= 0.85x", receive_for);
}

fn measure(
    effort: Effort,
    way: &str,
    target: &str,
    transfer: fn(SocketAddr, Duration) -> (u64, Duration),
) {
    let length = effort.pick(Duration::from_millis(1_500), Duration::from_millis(400));
    let start = |side| {
        let args = ["127.0.0.1:0", way].map(str::to_owned);
        let mut program = Program::start(side, "bench-bulk", &args);
        let address = program.address();
        (program, address)
    };
    let (curio, tokio) = (start(Side::Curio), start(Side::Tokio));
    let [mut throughput, mut user, mut system] = [const { Rounds::EMPTY }; 3];
    transfer(curio.1, length / 5);
    transfer(tokio.1, length / 5);
    take_turns(effort.pick(7, 3), |side| {
        let (program, address) = match side {
            Side::Curio => &curio,
            Side::Tokio => &tokio,
        };
        let before = program.cpu_time();
        let (bytes, took) = transfer(*address, length);
        let after = program.cpu_time();
        let mebibytes = figure(bytes) / MIB;
        throughput.push(side, mebibytes / took.as_secs_f64());
        user.push(side, (after.user - before.user) * 1e6 / mebibytes);
        system.push(side, (after.system - before.system) * 1e6 / mebibytes);
    });
    throughput.print(way, "MiB/s", target);
    user.print("  user CPU a MiB", "µs", "");
    system.print("  system CPU a MiB", "µs", "");
}

/// Sends for a time, and waits until all has arrived. Returns how many bytes that were, and how long it took.
fn send_for(to: SocketAddr, length: Duration) -> (u64, Duration) {
    let mut stream = TcpStream::connect(to).expect("the server listens");
    let piece = vec![b'x'; PIECE];
    let (begun, mut bytes) = (Instant::now(), 0);
    while begun.elapsed() < length {
        stream.write_all(&piece).expect("the server reads");
        bytes += PIECE as u64;
    }
    stream.shutdown(Shutdown::Write).expect("it is connected");
    let end = stream.read(&mut [0]).expect("the server closes");
    assert_eq!(end, 0, "the server says nothing");
    (bytes, begun.elapsed())
}

/// Receives for a time. Returns how many bytes that were, and how long it took.
fn receive_for(from: SocketAddr, length: Duration) -> (u64, Duration) {
    let mut stream = TcpStream::connect(from).expect("the server listens");
    let mut piece = vec![0; PIECE];
    let (begun, mut bytes) = (Instant::now(), 0);
    while begun.elapsed() < length {
        bytes += stream.read(&mut piece).expect("the server sends") as u64;
    }
    (bytes, begun.elapsed())
}
