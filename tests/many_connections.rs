//! Many connections at the same time: a thousand over TLS, and ten thousand of which none has anything to say.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::harness::certificates::Certificates;
use crate::harness::{Run, Running};

/// How many connections there are over TLS.
const TLS: usize = 1000;

/// How many threads their clients are.
const THREADS: usize = 8;

/// How many connections there are that say nothing.
const IDLE: usize = 10_000;

/// How long a peer waits for an answer before it calls that lost.
const PATIENCE: Duration = Duration::from_mins(1);

type Client = StreamOwned<ClientConnection, TcpStream>;

/// Starts a server among the examples.
fn start(run: Run, args: &[&str]) -> (Running, SocketAddr) {
    let run = run.flag("--allow-listen=127.0.0.1:0");
    let run = run.deadline(Duration::from_mins(10)).args(["127.0.0.1:0"]);
    let mut server = run.args(args).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let address = address.parse().unwrap();
    (server, address)
}

/// Ends a server as an operator would.
fn end(mut server: Running) {
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

/// Makes room for as many descriptors as the system lets this program have.
fn allow_descriptors(number: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let wanted = hard.max(number);
    let allowed = setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).is_ok();
    assert!(
        allowed,
        "this needs {number} descriptors; raise the hard limit of {hard}: ulimit -Hn"
    );
}

fn connect(to: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(to).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn trust(certificates: &Certificates) -> Arc<ClientConfig> {
    let mut authorities = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(certificates.path("authority.pem"));
    authorities.add(authority.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(authorities);
    Arc::new(config.with_no_client_auth())
}

/// Connects, and makes the handshake.
fn connect_by_tls(to: SocketAddr, config: &Arc<ClientConfig>) -> Client {
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = ClientConnection::new(config.clone(), name).unwrap();
    let mut socket = connect(to);
    while tls.is_handshaking() {
        tls.complete_io(&mut socket).unwrap();
    }
    StreamOwned::new(tls, socket)
}

/// Sends something of its own on each connection, and only then looks for the answers.
fn echo<S: Read + Write>(clients: &mut [S], round: usize) {
    let texts: Vec<_> = (0..clients.len())
        .map(|n| format!("{n} of round {round}").into_bytes())
        .collect();
    for (client, text) in clients.iter_mut().zip(&texts) {
        client.write_all(text).unwrap();
    }
    for (client, text) in clients.iter_mut().zip(&texts) {
        let mut answer = vec![0; text.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, text);
    }
}

/// Says good-bye on each connection, and waits until the server has said so, too.
fn finish(clients: Vec<Client>) {
    for mut client in clients {
        client.conn.send_close_notify();
        client.conn.complete_io(&mut client.sock).unwrap();
        // It would be an error without the good-bye.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_thousand_tls_connections_at_once_leave_nothing_behind() {
    allow_descriptors(3 * TLS as u64);
    let certificates = Certificates::new();
    let config = trust(&certificates);
    // What is left behind by one round is missing in the next.
    let run = certificates.allow(Run::guest("tls_echo"), &["site"]);
    let run = run.flag(format!("--max-handles={}", TLS + 10));
    let (server, address) = start(run.flag("--max-memory=384MiB"), &["site"]);
    let process = server.process();
    let before = process.descriptors();
    let mut occupied = Vec::new();
    for _ in 0..2 {
        let barrier = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (barrier, config) = (&barrier, &config);
                scope.spawn(move || {
                    let connect = |_| connect_by_tls(address, config);
                    let mut clients: Vec<_> = (0..TLS / THREADS).map(connect).collect();
                    barrier.wait();
                    assert_eq!(process.descriptors(), before + TLS);
                    echo(&mut clients, thread);
                    barrier.wait();
                    finish(clients);
                });
            }
        });
        process.has_descriptors(before);
        occupied.push(process.resident());
    }
    // What the first round needed is there for the next one.
    let (first, last) = (occupied[0], occupied[1]);
    assert!(last < first + (8 << 20), "memory grows: {occupied:?}");
    end(server);
}

#[test]
fn ten_thousand_idle_connections_need_no_time() {
    allow_descriptors(IDLE as u64 + 5000);
    let (server, address) = start(Run::guest("echo"), &[]);
    let process = server.process();
    let before = process.descriptors();
    let mut clients = Vec::new();
    // No more at a time than may wait to be accepted. Each of them is answered.
    for n in 0..IDLE / 100 {
        let mut some: Vec<_> = (0..100).map(|_| connect(address)).collect();
        echo(&mut some, n);
        clients.append(&mut some);
    }
    assert_eq!(process.descriptors(), before + IDLE);
    let ticks = process.ticks();
    std::thread::sleep(Duration::from_secs(3));
    let spent = process.ticks() - ticks;
    assert!(spent <= 2, "{spent} hundredths of a second were spent");
    echo(&mut clients, IDLE);
    drop(clients);
    process.has_descriptors(before);
    end(server);
}
