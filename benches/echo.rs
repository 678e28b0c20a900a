//! The echo server of the examples, and the same on tokio, each a process of its own.
//!
//! Both take up to 64 KiB at a time and leave the sockets' options alone. `tokio`'s keeps one buffer for each
//! connection. The client is this process: see `load`. Both servers run all the time; only one of them
//! has something to do at a time. CPU time is the server's alone, all its threads together.

use std::net::SocketAddr;
use std::time::Duration;

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::load::Load;
use crate::program::{Program, Side};

/// A server and its clients.
struct Server {
    program: Program,
    address: SocketAddr,
}

impl Server {
    fn start(side: Side) -> Self {
        let mut program = Program::start(side, "echo", &["127.0.0.1:0".to_owned()]);
        let line = program.line();
        let address = line.trim().strip_prefix("listening on ");
        let address = address.expect("it says where it listens").parse();
        Self {
            program,
            address: address.expect("it listens at an address"),
        }
    }
}

pub(crate) fn run(effort: Effort) {
    title("echo", "messages of 1 KiB, sent back by a server process");
    let length = effort.pick(Duration::from_millis(1_500), Duration::from_millis(400));
    let (curio, tokio) = (Server::start(Side::Curio), Server::start(Side::Tokio));
    for (connections, label, target) in [
        (1, "1 connection", ""),
        (10, "10 connections", ""),
        (100, "100 connections", "target >= 0.85x"),
        (1_000, "1,000 connections", ""),
    ] {
        let mut to_curio = Load::connect(curio.address, connections);
        let mut to_tokio = Load::connect(tokio.address, connections);
        let [mut throughput, mut user, mut system] = [const { Rounds::EMPTY }; 3];
        to_curio.run(length / 5);
        to_tokio.run(length / 5);
        take_turns(effort.pick(7, 3), |side| {
            let (server, load) = match side {
                Side::Curio => (&curio, &mut to_curio),
                Side::Tokio => (&tokio, &mut to_tokio),
            };
            let before = server.program.cpu_time();
            let (messages, took) = load.run(length);
            let after = server.program.cpu_time();
            let messages = figure(messages);
            throughput.push(side, messages / took.as_secs_f64());
            user.push(side, (after.user - before.user) * 1e6 / messages);
            system.push(side, (after.system - before.system) * 1e6 / messages);
        });
        throughput.print(label, "/s", target);
        user.print("  user CPU a message", "µs", "");
        system.print("  system CPU a message", "µs", "");
    }
}
