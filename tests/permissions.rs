//! What a guest may do: nothing without a grant, and no more than that with one.

use std::net::{SocketAddr, TcpListener};

use crate::harness::Run;
use crate::harness::components::Folder;

/// What an attempt comes to: the beginning of its line; the whole of one that begins with `ok`, unless a space says that
/// it goes on.
type Expected<'a> = (&'a str, &'a str);

/// Has the guest try things, under these flags.
#[track_caller]
pub(crate) fn check(run: Run, expected: &[Expected<'_>]) {
    let attempts = expected.iter().map(|(attempt, _)| attempt);
    let output = run.args(attempts).output();
    output.code(0).quiet();
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{}", output.stdout);
    for (line, (attempt, expected)) in lines.iter().zip(expected) {
        let goes_on = expected.ends_with(' ') || !line.starts_with("ok");
        let same = line == expected || goes_on && line.starts_with(expected);
        assert!(same, "{attempt}: {line:?} is not {expected:?}");
    }
}

pub(crate) fn probe(flags: &[&str]) -> Run {
    let run = Run::guest("permission_probe");
    flags.iter().fold(run, Run::flag)
}

/// A server on loopback that nobody talks to.
fn server() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

const DENIED: &str = "PermissionDenied: ";

#[test]
fn nothing_is_granted_by_itself() {
    let (_listener, at) = server();
    let refused = format!("refused: no permission to connect to {at}; add --allow-net={at}");
    check(
        probe(&[]).variable("SECRET", "1"),
        &[
            (&format!("connect={at}"), &refused),
            (
                "listen=127.0.0.1:0",
                "refused: no permission to listen on 127.0.0.1:0; add --allow-listen=127.0.0.1:0",
            ),
            (
                "bind=[::1]:80",
                "refused: no permission to listen on [::1]:80; add --allow-listen=[::1]:80",
            ),
            (&format!("std-connect={at}"), DENIED),
            ("std-listen=127.0.0.1:0", DENIED),
            ("std-listen=0.0.0.0:0", DENIED),
            ("std-udp=127.0.0.1:0", DENIED),
            (&format!("std-send={at}"), DENIED),
            ("resolve=localhost", "Uncategorized: failed to lookup"),
            ("env", "ok"),
            ("read=/etc/passwd", "NotFound"),
            ("read=Cargo.toml", "NotFound"),
            ("list=/", "NotFound"),
            ("list=.", "NotFound"),
            ("stat=/etc/passwd", "NotFound"),
            ("lstat=/", "NotFound"),
            ("readlink=/proc/self/exe", "NotFound"),
            ("write=/tmp/curio", "NotFound"),
            ("create=curio", "NotFound"),
            ("mkdir=/tmp/curio", "NotFound"),
        ],
    );
}

#[test]
fn a_granted_address_is_no_other() {
    let (_listener, at) = server();
    let port = at.port();
    let mapped = format!("[::ffff:127.0.0.1]:{port}");
    let flag = format!("--allow-net={at}");
    let refused =
        |to: &str| format!("refused: no permission to connect to {to}; add --allow-net={to}");
    let (other_port, other_host) = (
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.2:{port}"),
    );
    let (any, v6) = (format!("0.0.0.0:{port}"), format!("[::1]:{port}"));
    check(
        probe(&[&flag]),
        &[
            (&format!("connect={at}"), "ok"),
            (&format!("connect={mapped}"), "ok"),
            (&format!("std-connect={at}"), "ok"),
            (&format!("std-send={at}"), "ok"),
            (&format!("connect={other_port}"), &refused(&other_port)),
            (&format!("connect={other_host}"), &refused(&other_host)),
            (&format!("connect={any}"), &refused(&any)),
            (&format!("connect={v6}"), &refused(&v6)),
            (
                &format!("connect=[::ffff:127.0.0.2]:{port}"),
                &refused(&other_host),
            ),
            (&format!("std-connect={other_port}"), DENIED),
            (&format!("std-connect={other_host}"), DENIED),
            (&format!("std-connect={any}"), "InvalidInput: "),
            (&format!("std-connect={v6}"), DENIED),
            (&format!("std-send={other_port}"), DENIED),
            ("listen=127.0.0.1:0", "refused: "),
            ("std-listen=127.0.0.1:0", DENIED),
            ("resolve=localhost", "Uncategorized: failed to lookup"),
        ],
    );
}

#[test]
fn a_granted_place_to_listen_is_no_other() {
    let (listener, at) = server();
    drop(listener);
    let port = at.port();
    check(
        probe(&[
            "--allow-listen=127.0.0.1:0",
            &format!("--allow-listen={at}"),
        ]),
        &[
            ("listen=127.0.0.1:0", "ok"),
            ("std-listen=127.0.0.1:0", "ok"),
            ("std-udp=127.0.0.1:0", "ok"),
            (&format!("listen={at}"), "ok"),
            (&format!("listen=[::ffff:127.0.0.1]:{port}"), "ok"),
            (&format!("listen=127.0.0.1:{}", port ^ 1), "refused: "),
            (&format!("listen=127.0.0.2:{port}"), "refused: "),
            (
                "listen=0.0.0.0:0",
                "refused: no permission to listen on 0.0.0.0:0; add --allow-listen=0.0.0.0:0",
            ),
            (
                "listen=[::]:0",
                "refused: no permission to listen on [::]:0; add --allow-listen=[::]:0",
            ),
            ("listen=[::1]:0", "refused: "),
            ("listen=[::ffff:0.0.0.0]:0", "refused: "),
            ("bind=0.0.0.0:0", "refused: "),
            ("std-listen=0.0.0.0:0", DENIED),
            ("std-listen=[::]:0", DENIED),
            ("std-listen=[::1]:0", DENIED),
            (&format!("std-udp=127.0.0.2:{port}"), DENIED),
            (&format!("connect={at}"), "refused: "),
        ],
    );
}

#[test]
fn listening_everywhere_is_a_grant_of_its_own() {
    check(
        probe(&["--allow-listen=0.0.0.0"]),
        &[
            ("listen=0.0.0.0:0", "ok"),
            ("listen=127.0.0.1:0", "ok"),
            ("listen=[::]:0", "refused: "),
            ("listen=[::1]:0", "refused: "),
        ],
    );
    check(
        probe(&["--allow-listen=*:0"]),
        &[
            ("listen=0.0.0.0:0", "ok"),
            ("listen=[::]:0", "ok"),
            ("std-listen=0.0.0.0:0", "ok"),
            ("listen=0.0.0.0:1", "refused: "),
        ],
    );
}

#[test]
fn a_name_does_not_grant_an_address() {
    check(
        probe(&["--allow-net=example.com"]),
        &[
            ("connect=127.0.0.1:9", "refused: "),
            ("std-connect=127.0.0.1:9", DENIED),
        ],
    );
    // All addresses is all names, too.
    check(
        probe(&["--allow-net=*"]),
        &[("resolve=localhost", "ok 127.0.0.1")],
    );
}

#[test]
fn only_named_variables_are_seen() {
    let run = || probe(&["--env=A", "--env=B=two", "--env=UNSET", "--env=EMPTY="]);
    let run = run()
        .variable("A", "1")
        .variable("B", "hidden")
        .variable("C", "3");
    check(run, &[("env", "ok A=1 B=two EMPTY=")]);
}

#[test]
fn a_file_grants_what_flags_grant() {
    let (_listener, at) = server();
    let folder = Folder::new();
    folder.file("text", "content");
    let text = format!(
        "allow-net = ['{at}']\nallow-listen = ['127.0.0.1:0']\nenv = ['A=1', 'B']\ndir = ['{}::/data::ro']\n",
        folder.path().display()
    );
    let file = folder.file("app.toml", text);
    let run = probe(&["--permissions", file.to_str().unwrap(), "--env=C=3"]);
    check(
        run.variable("B", "2"),
        &[
            (&format!("connect={at}"), "ok"),
            ("connect=127.0.0.2:9", "refused: "),
            ("listen=127.0.0.1:0", "ok"),
            ("listen=127.0.0.2:0", "refused: "),
            ("env", "ok A=1 B=2 C=3"),
            ("read=/data/text", "ok content"),
            ("write=/data/text", DENIED),
        ],
    );
}

#[test]
fn everything_is_granted_if_that_is_asked_for() {
    let (_listener, at) = server();
    let folder = Folder::new();
    folder.file("text", "content");
    let run = probe(&["-A", "--env=B=2"]).directory(folder.path());
    check(
        run.variable("A_VARIABLE", "1"),
        &[
            (&format!("connect={at}"), "ok"),
            (&format!("std-connect={at}"), "ok"),
            ("listen=0.0.0.0:0", "ok"),
            ("std-listen=[::]:0", "ok"),
            ("std-udp=0.0.0.0:0", "ok"),
            ("resolve=localhost", "ok 127.0.0.1"),
            ("read=text", "ok content"),
            ("write=new", "ok"),
        ],
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("new")).unwrap(),
        "written"
    );
    let all = probe(&["-A"])
        .variable("A_VARIABLE", "1")
        .args(["env"])
        .output();
    assert!(all.stdout.contains("A_VARIABLE=1"), "{}", all.stdout);
}
