//! Sockets of every kind, with `socat` and `nc` at the other ends: as clients of guests, and as servers.

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::harness::components::Folder;
use crate::harness::{Run, Running, programs};

/// Starts an example that echoes, and gives where.
fn serve(example: &str, flags: &[&str], at: &str) -> (Running, String) {
    let run = flags.iter().fold(Run::guest(example), Run::flag);
    let mut server = run.args([at]).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    (server, address.to_owned())
}

/// A program that is a client sends lines to a guest that echoes, and gets them back.
fn is_echoed(program: &str, args: &[&str]) {
    let mut client = programs::start(program, args);
    for text in ["hello", "how are you?", &"x".repeat(1000)] {
        client.write(&format!("{text}\n"));
        assert_eq!(client.line(), text, "{program}");
    }
}

fn end(mut server: Running) {
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

/// A guest that is a client sends lines to a program that is a server, and is answered.
fn is_answered(mut server: Running, guest: Run) {
    let mut guest = guest.spawn();
    for (heard, said) in [("one", "first"), ("two", "second")] {
        assert_eq!(server.line(), heard);
        server.write(&format!("{said}\n"));
        assert_eq!(guest.line(), said);
    }
    guest.wait().code(0).quiet();
}

/// A guest that may connect to an address.
fn client(peer: &str, args: &[&str]) -> Run {
    let run = Run::guest("peer_talk").flag(format!("--allow-net={peer}"));
    run.args(args)
}

/// A path in a folder, and the same as an address.
fn path(folder: &Folder, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let address = format!("unix:{}", path.display());
    (path, address)
}

#[test]
fn clients_by_tcp() {
    let (server, address) = serve("echo", &["--allow-listen=127.0.0.1:0"], "127.0.0.1:0");
    let at: SocketAddr = address.parse().unwrap();
    is_echoed("socat", &["-", &format!("TCP:{address}")]);
    is_echoed("nc", &[&at.ip().to_string(), &at.port().to_string()]);
    end(server);
}

#[test]
fn clients_by_tcp_over_ipv6() {
    let (server, address) = serve("echo", &["--allow-listen=[::1]:0"], "[::1]:0");
    let at: SocketAddr = address.parse().unwrap();
    is_echoed("socat", &["-", &format!("TCP6:{address}")]);
    is_echoed("nc", &["::1", &at.port().to_string()]);
    end(server);
}

#[test]
fn servers_by_tcp() {
    for program in ["socat", "nc"] {
        let at = programs::free_tcp();
        let port = at.port().to_string();
        let server = match program {
            "socat" => {
                let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1");
                programs::start(program, &["-", &listen])
            }
            _ => programs::start(program, &["-l", "127.0.0.1", &port]),
        };
        programs::listens_at(at);
        let at = at.to_string();
        is_answered(server, client(&at, &["stream", &at]));
    }
}

#[test]
fn clients_by_udp() {
    let flags = ["--allow-listen=127.0.0.1:0", "--allow-net=127.0.0.1"];
    let (server, address) = serve("udp_echo", &flags, "127.0.0.1:0");
    let at: SocketAddr = address.parse().unwrap();
    is_echoed("socat", &["-", &format!("UDP:{address}")]);
    is_echoed("nc", &["-u", &at.ip().to_string(), &at.port().to_string()]);
    end(server);
}

#[test]
fn servers_by_udp() {
    for program in ["socat", "nc"] {
        let at = programs::free_udp();
        let port = at.port().to_string();
        let server = match program {
            "socat" => {
                let listen = format!("UDP-LISTEN:{port},bind=127.0.0.1");
                programs::start(program, &["-", &listen])
            }
            _ => programs::start(program, &["-lu", "127.0.0.1", &port]),
        };
        programs::receives_at(at);
        let at = at.to_string();
        let guest = client(&at, &["datagram", &at, "127.0.0.1:0"]);
        is_answered(server, guest.flag("--allow-listen=127.0.0.1:0"));
    }
}

#[test]
fn clients_by_unix_streams() {
    let folder = Folder::new();
    let (path, address) = path(&folder, "s");
    let flag = format!("--allow-listen={address}");
    let (server, _) = serve("unix_echo", &[&flag], &address);
    let path = path.to_str().unwrap();
    is_echoed("socat", &["-", &format!("UNIX-CONNECT:{path}")]);
    is_echoed("nc", &["-U", path]);
    end(server);
}

#[test]
fn servers_by_unix_streams() {
    let folder = Folder::new();
    for program in ["socat", "nc"] {
        let (path, address) = path(&folder, program);
        let at = path.to_str().unwrap();
        let server = match program {
            "socat" => programs::start(program, &["-", &format!("UNIX-LISTEN:{at}")]),
            _ => programs::start(program, &["-lU", at]),
        };
        programs::is_at(&path);
        is_answered(server, client(&address, &["stream", &address]));
    }
}

#[test]
fn clients_by_unix_datagrams() {
    let folder = Folder::new();
    let (at, address) = path(&folder, "s");
    let flags = [
        format!("--allow-listen={address}"),
        format!("--allow-net=unix:{}/", folder.path().display()),
    ];
    let (server, _) = serve("udp_echo", &flags.each_ref().map(String::as_str), &address);
    let at = at.to_str().unwrap();
    let (own, _) = path(&folder, "socat");
    let from = format!("UNIX-SENDTO:{at},bind={}", own.display());
    is_echoed("socat", &["-", &from]);
    let (own, _) = path(&folder, "nc");
    is_echoed("nc", &["-uU", "-s", own.to_str().unwrap(), at]);
    end(server);
}

#[test]
fn servers_by_unix_datagrams() {
    let folder = Folder::new();
    for program in ["socat", "nc"] {
        let (at, address) = path(&folder, program);
        let (to, own) = path(&folder, &format!("guest-{program}"));
        let (name, to) = (at.to_str().unwrap(), to.display());
        let server = match program {
            // It sends to one address, whoever has sent to it.
            "socat" => {
                let both = format!("UNIX-SENDTO:{to},bind={name}");
                programs::start(program, &["-", &both])
            }
            _ => programs::start(program, &["-luU", name]),
        };
        programs::is_at(&at);
        let guest = client(&address, &["datagram", &address, &own]);
        is_answered(server, guest.flag(format!("--allow-listen={own}")));
    }
}

#[test]
fn a_datagram_for_nobody_is_an_error_and_no_fault() {
    let folder = Folder::new();
    let (at, address) = path(&folder, "gone");
    drop(UnixDatagram::bind(&at).unwrap());
    let (_, own) = path(&folder, "own");
    let guest = client(&address, &["datagram", &address, &own]);
    let output = guest.flag(format!("--allow-listen={own}")).output();
    output.code(1).stderr_has(&["refused"]);
}
