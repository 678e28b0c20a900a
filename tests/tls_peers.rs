//! TLS, with programs outside at the other ends: openssl and curl.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::certificates::Certificates;
use crate::harness::components::Folder;
use crate::harness::programs::{Program, openssl_server, openssl_server_as};
use crate::harness::{Run, Running};

/// How long a peer may take to do anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts a guest that serves with the site's certificate.
fn serve(run: Run, args: &[&str], certificates: &Certificates) -> (Running, SocketAddr) {
    let run = run.flag("--allow-listen=127.0.0.1:0");
    let run = certificates.allow(run, &["site"]);
    let mut server = run.args(args).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let address = address.parse().unwrap();
    (server, address)
}

/// A case of the guest that is a client.
fn client(certificates: &Certificates, case: &str, to: SocketAddr) -> Run {
    let run = Run::guest("ssl_peer").flag(format!("--allow-net={to}"));
    let run = certificates.publish(certificates.allow(run, &["client"]));
    run.args([case, &to.to_string()])
}

/// Runs a program that talks to a guest, and gives its standard output.
fn talk(command: &mut Command, input: &str) -> String {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = Program(command.spawn().expect("openssl is installed"));
    let mut stdin = child.0.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    let mut stdout = child.0.stdout.take().unwrap();
    let mut text = vec![0; input.len()];
    stdout.read_exact(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn openssl_is_a_client_of_a_guest() {
    let certificates = Certificates::new();
    let echo = Run::guest("tls_echo");
    let (_server, address) = serve(echo, &["127.0.0.1:0", "site"], &certificates);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", version]);
        command.args(["-connect", &address.to_string()]);
        command.args(["-servername", "localhost", "-verify_hostname", "localhost"]);
        command
            .arg("-CAfile")
            .arg(certificates.path("authority.pem"));
        assert_eq!(talk(&mut command, "hello\n"), "hello\n", "{version}");
    }
}

#[test]
fn a_guest_is_a_client_of_openssl() {
    let certificates = Certificates::new();
    for (version, shown) in [("-tls1_2", "Some(Tls12)"), ("-tls1_3", "Some(Tls13)")] {
        let args = ["-www", "-alpn", "http/1.0", version];
        let (_peer, address) = openssl_server(&certificates, &args);
        let run = client(&certificates, "get", address);
        let expected = format!("{shown} \"http/1.0\"\nHTTP/1.0 200 ok\n");
        let output = run.args(["localhost", "authority"]).output();
        output.code(0).stdout(&expected).quiet();
    }
}

#[test]
fn openssl_with_a_bad_certificate_is_refused() {
    let certificates = Certificates::new();
    for (identity, text) in [
        ("elsewhere", "not valid for name \"localhost\""),
        ("expired", "it expired "),
        ("future", "it is not valid before another "),
        ("self-signed", "none of the trusted authorities"),
        ("stranger", "none of the trusted authorities"),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let (_peer, address) = openssl_server_as(&certificates, identity, &["-www", version]);
            let run = client(&certificates, "get", address);
            let output = run.args(["localhost", "authority"]).output();
            let refused = "the peer's certificate was refused: ";
            output.code(1).stdout("").stderr_has(&[refused, text]);
        }
    }
}

#[test]
fn servers_that_speak_no_tls_are_told_of() {
    let certificates = Certificates::new();
    // The head of a record of 100 bytes, and a part of it.
    let part = [&[0x16, 3, 3, 0, 100, 2, 0, 0, 90][..], &[7; 20]].concat();
    for (said, text) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "is no TLS"),
        (b"220 mail.example.org\r\n", "is no TLS"),
        (&[0xff; 100], "is no TLS"),
        (&part, "hung up during the TLS handshake"),
        (b"", "hung up during the TLS handshake"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let run = client(&certificates, "get", listener.local_addr().unwrap());
        let guest = run.args(["localhost", "authority"]).spawn();
        let (mut socket, _) = listener.accept().unwrap();
        // All of what the guest says first is read, so that the end is no reset.
        let mut head = [0; 5];
        socket.read_exact(&mut head).unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        socket.read_exact(&mut hello).unwrap();
        socket.write_all(said).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        guest.wait().code(1).stdout("").stderr_has(&[text]);
    }
}

#[test]
fn openssl_asks_a_guest_who_it_is() {
    let certificates = Certificates::new();
    let authority = certificates.path("authority.pem");
    let authority = authority.to_str().unwrap();
    let args = [
        "-www",
        "-Verify",
        "2",
        "-verify_return_error",
        "-CAfile",
        authority,
    ];
    let (_peer, address) = openssl_server(&certificates, &args);
    let get = || client(&certificates, "get", address).args(["localhost", "authority"]);
    let output = get().args(["client"]).output();
    output.code(0).quiet();
    assert!(
        output.stdout.contains("HTTP/1.0 200 ok"),
        "{}",
        output.stdout
    );
    let output = get().output();
    let text = "the peer refused the connection: TLS alert CertificateRequired";
    output.code(1).stderr_has(&[text]);
}

#[test]
fn the_system_s_authorities_are_those_of_the_host() {
    let certificates = Certificates::new();
    let (_peer, address) = openssl_server(&certificates, &["-www"]);
    let nothing = Folder::new();
    let get = || {
        let run = client(&certificates, "get", address);
        let run = run.variable("SSL_CERT_DIR", nothing.path());
        run.args(["localhost", "system"])
    };
    let authority = certificates.path("authority.pem");
    let output = get().variable("SSL_CERT_FILE", &authority).output();
    output.code(0).quiet();
    let other = certificates.path("other-authority.pem");
    let output = get().variable("SSL_CERT_FILE", &other).output();
    output
        .code(1)
        .stderr_has(&["none of the trusted authorities has signed it"]);
    let empty = nothing.file("empty.pem", "");
    let output = get().variable("SSL_CERT_FILE", &empty).output();
    output.code(1).stderr_has(&[
        "the host's system trusts no certificate authorities",
        "install",
    ]);
}

/// Lets bytes through between a guest and a server, until told otherwise.
struct Between {
    client: TcpStream,
    server: TcpStream,
}

impl Between {
    /// Starts the guest's case `talk` with an echo server of another guest, and stands between them.
    fn start(certificates: &Certificates, server: SocketAddr) -> (Self, Running) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let guest = client(certificates, "talk", address).spawn();
        let client = listener.accept().unwrap().0;
        let server = TcpStream::connect(server).unwrap();
        for (mut from, mut to) in [(&client, &server), (&server, &client)]
            .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
        {
            std::thread::spawn(move || {
                if std::io::copy(&mut from, &mut to).is_ok() {
                    drop(to.shutdown(Shutdown::Write));
                }
            });
        }
        (Self { client, server }, guest)
    }
}

#[test]
fn a_stream_that_is_cut_off_is_told_from_one_that_ends() {
    let certificates = Certificates::new();
    let echo = Run::guest("tls_echo");
    let (_server, address) = serve(echo, &["127.0.0.1:0", "site"], &certificates);
    let (between, mut guest) = Between::start(&certificates, address);
    assert_eq!(guest.line(), "answered");
    between.client.shutdown(Shutdown::Write).unwrap();
    let line = guest.line();
    assert!(
        line.starts_with("UnexpectedEof: the stream was cut off"),
        "{line}"
    );
    guest.wait().code(0).quiet();
}

#[test]
fn damaged_and_truncated_records_are_refused() {
    let certificates = Certificates::new();
    for (forged, expected) in [
        // A record of 20 bytes that nobody has the key for, then a part of one.
        (
            &[&[0x17, 3, 3, 0, 20][..], &[7; 20]].concat()[..],
            "Protocol: ",
        ),
        (&[0x17, 3, 3, 0x40], "UnexpectedEof: "),
    ] {
        let echo = Run::guest("tls_echo");
        let (_server, address) = serve(echo, &["127.0.0.1:0", "site"], &certificates);
        let (mut between, mut guest) = Between::start(&certificates, address);
        assert_eq!(guest.line(), "answered");
        between.client.write_all(forged).unwrap();
        between.client.shutdown(Shutdown::Write).unwrap();
        let line = guest.line();
        assert!(line.starts_with(expected), "{line}");
        guest.wait().code(0).quiet();
        drop(between.server);
    }
}

#[test]
fn silent_and_strange_clients_fail_alone() {
    let certificates = Certificates::new();
    let echo = Run::guest("tls_echo").flag("--log=info");
    let (mut server, address) = serve(echo, &["127.0.0.1:0", "site"], &certificates);
    let silent = TcpStream::connect(address).unwrap();
    let mut strange = TcpStream::connect(address).unwrap();
    strange.write_all(b"EHLO\r\n").unwrap();
    let mut alert = Vec::new();
    strange.set_read_timeout(Some(PATIENCE)).unwrap();
    strange.read_to_end(&mut alert).unwrap();
    assert_eq!(alert[..2], [21, 3], "an alert in TLS's words");
    // 10 seconds, by default.
    let mut nothing = [0; 1];
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!((&silent).read(&mut nothing).unwrap(), 0);
    server.signal(nix::sys::signal::Signal::SIGTERM);
    let output = server.wait();
    output
        .code(0)
        .stderr_has(&["what the peer sent is no TLS", "took longer than 10s"]);
    assert_eq!(output.stderr.lines().count(), 2, "{}", output.stderr);
}
