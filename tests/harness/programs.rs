//! Programs of others, to talk with guests.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Running;
use super::certificates::Certificates;

/// How long a program may run, or take to bind its socket.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts a program, with pipes for the standard streams.
pub(crate) fn start(program: &str, args: &[&str]) -> Running {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let line = format!("{command:?}");
    let child = command.spawn();
    let child = child.unwrap_or_else(|error| panic!("{program} has to be installed: {error}"));
    Running::new(child, line, PATIENCE)
}

/// A program with pipes for more than lines. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts `openssl` with a command of its own, and pipes for its standard input and output.
pub(crate) fn openssl(command: &mut Command) -> Program {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Program(child.expect("openssl is installed"))
}

/// Starts `openssl s_server` with the site's certificate, and waits until it listens.
pub(crate) fn openssl_server(certificates: &Certificates, args: &[&str]) -> (Program, SocketAddr) {
    openssl_server_as(certificates, "site", args)
}

/// As [`openssl_server`], with another certificate.
pub(crate) fn openssl_server_as(
    certificates: &Certificates,
    identity: &str,
    args: &[&str],
) -> (Program, SocketAddr) {
    // It does not say which port it got.
    let address = free_tcp();
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-accept", &address.to_string()])
        .arg("-cert")
        .arg(certificates.path(&format!("{identity}.pem")))
        .arg("-key")
        .arg(certificates.path(&format!("{identity}.key")))
        .args(args);
    let program = openssl(&mut command);
    listens_at(address);
    (program, address)
}

/// A local address that nobody has at the moment, for a program that can't say which one it got.
pub(crate) fn free_tcp() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0");
    let socket = socket.expect("the system has free ports");
    socket.local_addr().expect("it is bound")
}

/// As [`free_tcp`], for datagrams.
pub(crate) fn free_udp() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0");
    let socket = socket.expect("the system has free ports");
    socket.local_addr().expect("it is bound")
}

/// Waits until a program listens at an address of IPv4.
pub(crate) fn listens_at(address: SocketAddr) {
    // In the state LISTEN.
    let row = format!(" {} 00000000:0000 0A ", in_table(address));
    wait_for_row("tcp", |text| text.contains(&row));
}

/// Waits until a program receives datagrams at an address of IPv4.
pub(crate) fn receives_at(address: SocketAddr) {
    let row = format!(" {} ", in_table(address));
    wait_for_row("udp", |text| text.contains(&row));
}

/// Waits until a program listens at a path, or receives datagrams there.
pub(crate) fn is_at(path: &Path) {
    let path = path.to_str().expect("our paths are UTF-8");
    wait_for_row("unix", |text| {
        let mut rows = text.lines().map(|row| row.split_whitespace());
        rows.any(|mut row| {
            // The flags, which have a bit for listening, the type, and in the end the path.
            let (flags, kind) = (row.nth(3), row.next());
            row.next_back() == Some(path) && (flags == Some("00010000") || kind == Some("0002"))
        })
    });
}

/// As the system writes an address in its tables.
fn in_table(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => {
            let ip = u32::from_le_bytes(v4.ip().octets());
            format!("{ip:08X}:{:04X}", v4.port())
        }
        SocketAddr::V6(_) => panic!("{address} is in another table"),
    }
}

fn wait_for_row(table: &str, is_there: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    let table = Path::new("/proc/net").join(table);
    while !is_there(&std::fs::read_to_string(&table).expect("Linux has it")) {
        assert!(Instant::now() < deadline, "nobody has bound a socket");
        std::thread::sleep(Duration::from_millis(5));
    }
}
