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
