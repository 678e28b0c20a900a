//! The web server among the examples, with curl and with clients that don't behave.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::certificates::Certificates;
use crate::harness::components::Folder;
use crate::harness::{Run, Running};

fn start(run: Run, args: &[&str]) -> (Running, SocketAddr) {
    let run = run.flag("--allow-listen=127.0.0.1:0");
    let mut server = run.args(["127.0.0.1:0"]).args(args).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let address = address.parse().unwrap();
    (server, address)
}

/// Runs curl, and gives what it writes.
fn curl(args: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(args)
        .output()
        .expect("curl is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{text}{errors}")
}

/// Sends something, and gives all that comes back.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    // It may be hung up on before it has said all.
    drop(socket.write_all(request.as_bytes()));
    drop(socket.shutdown(Shutdown::Write));
    let mut bytes = Vec::new();
    drop(socket.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn curl_gets_pages() {
    let (mut server, address) = start(Run::guest("http_hello"), &[]);
    let url = format!("http://{address}/");
    assert_eq!(curl(&[&url]), "Hello, world!\n");
    // Two requests, one connection.
    let format = "%{num_connects} %{http_code}\n";
    let text = curl(&["--write-out", format, &url, &format!("{url}nothing")]);
    let expected = "Hello, world!\n1 200\nThere is nothing at /nothing.\n0 404\n";
    assert_eq!(text, expected);
    let head = curl(&["--head", &url]);
    for line in [
        "HTTP/1.1 200 OK\r\n",
        "Content-Length: 14\r\n",
        "Connection: keep-alive\r\n",
        "Date: ",
    ] {
        assert!(head.contains(line), "{head}");
    }
    assert!(!head.contains("Hello"), "{head}");
    let posted = curl(&["--data", "x", "--write-out", "%{http_code}", &url]);
    assert!(posted.ends_with("405"), "{posted}");
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

#[test]
fn curl_gets_pages_over_tls() {
    let certificates = Certificates::new();
    let run = certificates.allow(Run::guest("http_hello"), &["site"]);
    let (mut server, address) = start(run, &["site"]);
    let url = format!("https://localhost:{}/", address.port());
    let authority = certificates.path("authority.pem");
    let authority = authority.to_str().unwrap();
    let to = format!("localhost:{}:127.0.0.1", address.port());
    let format = "%{num_connects} %{http_version}\n";
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let common = [
            "--resolve",
            &to,
            "--write-out",
            format,
            "--cacert",
            authority,
        ];
        let version = version
            .split_once('=')
            .map_or(vec![version], |(a, b)| vec![a, b]);
        let text = curl(&[&common[..], &version, &[&url, &url]].concat());
        assert_eq!(text, "Hello, world!\n1 1.1\nHello, world!\n0 1.1\n");
    }
    let other = certificates.path("other-authority.pem");
    let text = curl(&["--resolve", &to, "--cacert", other.to_str().unwrap(), &url]);
    assert!(text.contains("certificate"), "{text}");
    // Plain HTTP is hung up on.
    let text = curl(&[&format!("http://{address}/")]);
    assert!(text.contains("curl: "), "{text}");
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

#[test]
fn curl_asks_a_hundred_times_by_one_connection() {
    let (mut server, address) = start(Run::guest("http_hello"), &[]);
    let url = format!("http://{address}/");
    let all = [
        &["--write-out", "%{num_connects}\n"],
        &[url.as_str(); 100][..],
    ]
    .concat();
    let text = curl(&all);
    let expected = format!("Hello, world!\n1\n{}", "Hello, world!\n0\n".repeat(99));
    assert_eq!(text, expected);
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

#[test]
fn curl_may_not_send_a_body() {
    let (mut server, address) = start(Run::guest("http_hello"), &[]);
    let url = format!("http://{address}/");
    let folder = Folder::new();
    for length in [1, 100_000, 10_000_000] {
        let body = folder.file("body", vec![b'x'; length]);
        let body = format!("@{}", body.display());
        for header in [
            "Expect:",
            "Expect: 100-continue",
            "Transfer-Encoding: chunked",
        ] {
            let text = curl(&[
                "--http1.1",
                "--header",
                header,
                "--data-binary",
                &body,
                "--write-out",
                "%{http_code} %{http_version}",
                &url,
            ]);
            let expected = "This server answers GET and HEAD, without a body.\n405 1.1";
            assert_eq!(text, expected, "{length} bytes, {header}");
        }
    }
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}

#[test]
fn curl_refuses_bad_certificates() {
    let certificates = Certificates::new();
    let authority = certificates.path("authority.pem");
    let authority = authority.to_str().unwrap();
    for (identity, text) in [
        (
            "elsewhere",
            "no alternative certificate subject name matches",
        ),
        ("expired", "certificate has expired"),
        ("future", "certificate is not yet valid"),
        ("self-signed", "self-signed certificate"),
        ("stranger", "unable to get local issuer certificate"),
    ] {
        let run = certificates.allow(Run::guest("http_hello"), &[identity]);
        let (mut server, address) = start(run, &[identity]);
        let url = format!("https://localhost:{}/", address.port());
        let to = format!("localhost:{}:127.0.0.1", address.port());
        let common = ["--resolve", &to, "--cacert", authority, &url];
        let answer = curl(&common);
        assert!(answer.contains(text), "{identity}: {answer}");
        assert!(!answer.contains("Hello"), "{identity}: {answer}");
        let answer = curl(&[&["--insecure"], &common[..]].concat());
        assert_eq!(answer, "Hello, world!\n", "{identity}");
        server.signal(Signal::SIGTERM);
        server.wait().code(0).quiet();
    }
}

#[test]
fn requests_must_make_sense() {
    let (mut server, address) = start(Run::guest("http_hello"), &[]);
    for (request, status) in [
        ("nonsense\r\n\r\n", "400 Bad Request"),
        ("\x16\x03\x01\x02", "400 Bad Request"),
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (
            "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
            "505 HTTP Version Not Supported",
        ),
        (
            "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
            "405 Method Not Allowed",
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
            "405 Method Not Allowed",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "200 OK"),
    ] {
        let answer = ask(address, request);
        let begin = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(&begin), "{request:?}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n", "a".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    for request in [long, many] {
        let answer = ask(address, &request);
        let begin = "HTTP/1.1 431 Request Header Fields Too Large\r\n";
        assert!(answer.is_empty() || answer.starts_with(begin), "{answer}");
    }
    // Half a request is none; several at once are answered in turn.
    assert_eq!(ask(address, "GET / HT"), "");
    let one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let answers = ask(address, &one.repeat(3));
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    assert_eq!(answers.matches("Content-Length: 14\r\n").count(), 3);
    server.signal(Signal::SIGTERM);
    server.wait().code(0).quiet();
}
