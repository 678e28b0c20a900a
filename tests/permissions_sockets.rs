//! Rights to UDP and Unix sockets: nothing without a grant, and no more than that with one.

use std::net::UdpSocket;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use crate::harness::components::Folder;
use crate::permissions::{check, probe};

#[test]
fn every_datagram_s_address_is_checked() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let port = at.port();
    let refused =
        |to: &str| format!("refused: no permission to connect to {to}; add --allow-net={to}");
    let other = format!("127.0.0.2:{port}");
    check(
        probe(&[&format!("--allow-net={at}"), "--allow-listen=127.0.0.1:0"]),
        &[
            ("udp-bind=127.0.0.1:0", "ok"),
            (
                "udp-bind=0.0.0.0:0",
                "refused: no permission to listen on 0.0.0.0:0; add --allow-listen=0.0.0.0:0",
            ),
            ("udp-bind=[::]:0", "refused: "),
            ("udp-bind=[::ffff:0.0.0.0]:0", "refused: "),
            (&format!("udp-connect={at}"), "ok"),
            (&format!("udp-connect={other}"), &refused(&other)),
            (&format!("udp-send={at}"), "ok"),
            (&format!("udp-send=[::ffff:127.0.0.1]:{port}"), "ok"),
            (&format!("udp-send={other}"), &refused(&other)),
            (
                &format!("udp-send=[::ffff:127.0.0.2]:{port}"),
                &refused(&other),
            ),
            (
                &format!("udp-send=0.0.0.0:{port}"),
                &refused(&format!("0.0.0.0:{port}")),
            ),
            (
                &format!("udp-send=[::]:{port}"),
                &refused(&format!("[::]:{port}")),
            ),
            (&format!("udp-send=255.255.255.255:{port}"), "refused: "),
            (&format!("udp-send-msg={at}"), "ok"),
            (&format!("udp-send-msg={other}"), &refused(&other)),
            (&format!("udp-send-bound=127.0.0.1:0>{at}>{at}"), "ok"),
            (
                &format!("udp-send-bound=127.0.0.1:0>{at}>{other}"),
                &refused(&other),
            ),
        ],
    );
    check(
        probe(&[]),
        &[
            ("udp-bind=127.0.0.1:0", "refused: "),
            (&format!("udp-send={at}"), &refused(&at.to_string())),
            (&format!("udp-connect={at}"), &refused(&at.to_string())),
            ("socketpair", "ok"),
        ],
    );
}

#[test]
fn the_standard_library_s_datagrams_are_checked_alike() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let port = at.port();
    let neighbour = UdpSocket::bind(("127.0.0.2", port)).unwrap();
    let other = neighbour.local_addr().unwrap();
    let denied = "PermissionDenied: ";
    let flag = format!("--allow-net={at}");
    check(
        probe(&[&flag]),
        &[
            (&format!("std-send={at}"), "ok"),
            (&format!("std-send={other}"), denied),
            (
                &format!("std-send=[::ffff:127.0.0.2]:{port}"),
                "InvalidInput: ",
            ),
            (&format!("std-send=[::1]:{port}"), denied),
            (&format!("std-send=0.0.0.0:{port}"), "InvalidInput: "),
            (&format!("std-send=255.255.255.255:{port}"), denied),
            (&format!("std-udp-connect={at}"), "ok"),
            (&format!("std-udp-connect={other}"), denied),
            (
                &format!("std-send-connected={at}>{other}"),
                "Uncategorized: Socket is connected",
            ),
            (&format!("std-send-bound=127.0.0.1:0>{at}"), denied),
        ],
    );
    check(
        probe(&[&flag, "--allow-listen=127.0.0.1:0"]),
        &[
            (&format!("std-send-bound=127.0.0.1:0>{at}"), "ok"),
            (&format!("std-send-bound=127.0.0.1:0>{other}"), denied),
        ],
    );
    for (socket, datagrams) in [(server, 3), (neighbour, 0)] {
        socket.set_nonblocking(true).unwrap();
        for _ in 0..datagrams {
            assert_eq!(socket.recv(&mut [0; 10]).unwrap(), 3);
        }
        assert!(socket.recv(&mut [0; 10]).is_err());
    }
}

/// Has the guest send to a server, which a stranger's datagram answers before the server does. What the guest takes
/// for the answer is given.
fn answered(attempt: &str, flags: &[&str]) -> String {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let run = probe(flags).flag(format!("--allow-net={at}"));
    let running = run.args([format!("{attempt}={at}")]).spawn();
    let (_, guest) = server.recv_from(&mut [0; 10]).unwrap();
    stranger.send_to(b"stranger", guest).unwrap();
    server.send_to(b"server", guest).unwrap();
    let output = running.wait();
    output.code(0).quiet();
    output.stdout
}

#[test]
fn who_may_not_listen_hears_no_stranger() {
    for attempt in [
        "udp-answer",
        "udp-answer-recv",
        "udp-answer-peek",
        "udp-answer-msg",
        "udp-answer-passed",
        "std-answer",
    ] {
        assert_eq!(answered(attempt, &[]), "ok server\n", "{attempt}");
    }
    let flag = ["--allow-listen=127.0.0.1:0"];
    assert_eq!(answered("udp-answer-bound", &flag), "ok stranger\n");
    // It does not know of which socket it is asked, and keeps to what both need.
    assert_eq!(answered("std-answer-bound", &flag), "ok server\n");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_unix_socket_is_granted_by_its_path() {
    let folder = Folder::new();
    let at = text(folder.path());
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let _inside = UnixListener::bind(folder.path().join("in/s")).unwrap();
    let _outside = UnixListener::bind(folder.path().join("s")).unwrap();
    let _datagrams = UnixDatagram::bind(folder.path().join("in/d")).unwrap();
    let refused = |verb: &str, flag: &str, path: &str| {
        format!("refused: no permission to {verb} unix:{path}; add {flag}=unix:{path}")
    };
    let outside = format!("{at}/s");
    check(
        probe(&[
            &format!("--allow-net=unix:{at}/in/"),
            &format!("--allow-listen=127.0.0.1:0,unix:{at}/new"),
        ]),
        &[
            (&format!("unix-connect={at}/in/s"), "ok"),
            (&format!("unix-send={at}/in/d"), "ok"),
            (
                &format!("unix-connect={outside}"),
                &refused("connect to", "--allow-net", &outside),
            ),
            (&format!("unix-send={outside}"), "refused: "),
            (&format!("unix-connect={at}/in/../s"), "refused: "),
            (&format!("unix-connect={at}/in"), "refused: "),
            ("unix-connect=s", "refused: "),
            (&format!("unix-connect={at}/in/none"), "NotFound: "),
            (&format!("unix-bind={at}/new"), "ok"),
            (&format!("unix-bind={at}/new"), "AddrInUse: "),
            (&format!("unix-bind={at}/newer"), "refused: "),
            (
                &format!("unix-bind={at}/in/t"),
                &refused("listen on", "--allow-listen", &format!("{at}/in/t")),
            ),
            (&format!("unix-connect={at}/new"), "refused: "),
        ],
    );
    // All addresses are no path.
    check(
        probe(&["--allow-net=*", "--allow-listen=*"]),
        &[
            (&format!("unix-connect={outside}"), "refused: "),
            (&format!("unix-bind={at}/x"), "refused: "),
        ],
    );
    check(
        probe(&["-A"]),
        &[
            (&format!("unix-connect={outside}"), "ok"),
            (&format!("unix-bind={at}/x"), "ok"),
        ],
    );
}

#[test]
fn links_do_not_widen_a_grant() {
    let folder = Folder::new();
    let at = text(folder.path());
    for name in ["in", "out"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let _outside = UnixListener::bind(folder.path().join("out/s")).unwrap();
    let _datagrams = UnixDatagram::bind(folder.path().join("out/d")).unwrap();
    symlink("../out", folder.path().join("in/directory")).unwrap();
    symlink("../out/s", folder.path().join("in/s")).unwrap();
    symlink("../out/d", folder.path().join("in/d")).unwrap();
    symlink("../out/new", folder.path().join("in/new")).unwrap();
    symlink("out", folder.path().join("alias")).unwrap();
    let link = "a symbolic link is in the way; add --allow-net=unix: and the path it leads to";
    let refused = |path: &str| format!("refused: no permission to connect to unix:{path}: {link}");
    let (by_directory, by_link) = (format!("{at}/in/directory/s"), format!("{at}/in/s"));
    check(
        probe(&[
            &format!("--allow-net=unix:{at}/in/"),
            &format!("--allow-listen=unix:{at}/in/"),
        ]),
        &[
            (
                &format!("unix-connect={by_directory}"),
                &refused(&by_directory),
            ),
            (&format!("unix-connect={by_link}"), &refused(&by_link)),
            (&format!("unix-send={at}/in/d"), "refused: "),
            (&format!("unix-bind={at}/in/directory/t"), "refused: "),
            (&format!("unix-bind={at}/in/new"), "AddrInUse: "),
        ],
    );
    // The links in what the operator names are the operator's, and one that is named itself is still no socket.
    check(
        probe(&[&format!("--allow-net=unix:{at}/alias/,unix:{by_link}")]),
        &[
            (&format!("unix-connect={at}/alias/s"), "ok"),
            (&format!("unix-connect={by_link}"), &refused(&by_link)),
        ],
    );
    for path in ["out/t", "out/new"] {
        assert!(!folder.path().join(path).exists(), "{path}");
    }
}
