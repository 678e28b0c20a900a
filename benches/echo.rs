//! The echo servers of the examples, and the same on tokio, each a process of its own: over TCP, UDP and TLS.
//!
//! All take up to 64 KiB at a time and leave the sockets' options alone. `tokio`'s keep one buffer for each
//! connection. The client is this process: see `load`. Both servers run all the time; only one of them
//! has something to do at a time. CPU time is the server's alone, all its threads together.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::load::Load;
use crate::program::{Program, Side};

/// A server.
struct Server {
    program: Program,
    address: SocketAddr,
}

impl Server {
    fn start(side: Side, name: &str, flags: &[String], args: &[&str]) -> Self {
        let args: Vec<String> = ["127.0.0.1:0"]
            .iter()
            .chain(args)
            .map(ToString::to_string)
            .collect();
        let mut program = Program::start_with(side, name, flags, &args);
        let address = program.address();
        Self { program, address }
    }
}

/// Two servers that do the same.
struct Servers {
    curio: Server,
    tokio: Server,
}

impl Servers {
    /// Lets clients keep both busy by turns.
    fn measure<S: Read + Write>(
        &self,
        effort: Effort,
        label: &str,
        target: &str,
        connect: impl Fn(SocketAddr) -> Load<S>,
    ) {
        let length = effort.pick(Duration::from_millis(1_500), Duration::from_millis(400));
        let mut to_curio = connect(self.curio.address);
        let mut to_tokio = connect(self.tokio.address);
        let [mut throughput, mut user, mut system] = [const { Rounds::EMPTY }; 3];
        to_curio.run(length / 5);
        to_tokio.run(length / 5);
        take_turns(effort.pick(7, 3), |side| {
            let (server, load) = match side {
                Side::Curio => (&self.curio, &mut to_curio),
                Side::Tokio => (&self.tokio, &mut to_tokio),
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

pub(crate) fn run(effort: Effort) {
    title("echo", "messages of 1 KiB, sent back by a server process");
    let servers = Servers {
        curio: Server::start(Side::Curio, "echo", &[], &[]),
        tokio: Server::start(Side::Tokio, "echo", &[], &[]),
    };
    for (connections, label, target) in [
        (1, "1 connection", ""),
        (10, "10 connections", ""),
        (100, "100 connections", "target >= 0.85x"),
        (1_000, "1,000 connections", ""),
    ] {
        servers.measure(effort, label, target, |to| Load::connect(to, connections));
    }
}

pub(crate) fn run_udp(effort: Effort) {
    title(
        "udp",
        "datagrams of 1 KiB, sent back by a server with one socket",
    );
    let allow = ["--allow-net=127.0.0.1".to_owned()];
    let servers = Servers {
        curio: Server::start(Side::Curio, "udp_echo", &allow, &[]),
        tokio: Server::start(Side::Tokio, "udp_echo", &[], &[]),
    };
    for (sockets, label, target) in [
        (1, "1 client", ""),
        (10, "10 clients", "target >= 0.8x"),
        // More would not fit into the socket's buffer.
        (50, "50 clients", ""),
    ] {
        servers.measure(effort, label, target, |to| Load::connect_udp(to, sockets));
    }
}

pub(crate) fn run_tls(effort: Effort) {
    title(
        "tls",
        "messages of 1 KiB over TLS 1.3, sent back by a server process",
    );
    let certificate = Certificate::new();
    let [chain, key] = certificate.paths();
    let allow = [format!("--tls-identity=site={chain},{key}")];
    let servers = Servers {
        curio: Server::start(Side::Curio, "tls_echo", &allow, &["site"]),
        tokio: Server::start(Side::Tokio, "tls_echo", &[], &[&chain, &key]),
    };
    for (connections, label, target) in [
        (1, "1 connection", ""),
        (10, "10 connections", ""),
        (100, "100 connections", "target >= 0.85x"),
    ] {
        servers.measure(effort, label, target, |to| {
            Load::connect_through(to, connections, |stream| certificate.client(stream))
        });
    }
}
