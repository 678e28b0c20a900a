//! The two ways a permission says no: [`Denied`] to the guest, [`InvalidPermission`] to the operator.
//!
//! Invariant: each is one line of text, and each says what would help. What a guest or an operator wrote
//! appears either checked or quoted with its control characters escaped, so that neither can write to
//! the terminal through an error. Raised by the other files of this folder, reported by the traps and
//! the command line.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

use super::signal::Signal;

/// How much of a text from a guest an error repeats, so that a huge name is not copied about.
const QUOTED_CHARS: usize = 80;

/// The refusal of a guest's request, naming the flag that would allow it.
///
/// # Examples
///
/// ```
/// use curio_host::Permissions;
///
/// let denied = Permissions::none().check_connect("10.0.0.1:80".parse()?).unwrap_err();
/// assert_eq!(
///     denied.to_string(),
///     "no permission to connect to 10.0.0.1:80; add --allow-net=10.0.0.1:80",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denied {
    /// No grant covers connecting or sending to this address.
    #[error("no permission to connect to {to}; add --allow-net={}", grant_for(*to))]
    Connect {
        /// The address, an IPv4-mapped one as plain IPv4.
        to: SocketAddr,
    },
    /// No grant covers listening on this address.
    #[error("no permission to listen on {addr}; add --allow-listen={addr}")]
    Listen {
        /// The address, an IPv4-mapped one as plain IPv4.
        addr: SocketAddr,
    },
    /// No grant covers this name.
    #[error("no permission to look up {host}; add --allow-net={}", name_and_port(host, *port))]
    Resolve {
        /// The name in lower case, without a trailing dot; or an address whose names are wanted.
        host: String,
        /// The port it was wanted for, 0 if none was named.
        port: u16,
    },
    /// The name is granted, but leads to an address that only a numeric grant allows.
    #[error(
        "\"{host}\" resolves to {}, which a name does not grant; add --allow-net={}",
        to.ip(),
        grant_for(*to)
    )]
    Special {
        /// The name in lower case, without a trailing dot.
        host: String,
        /// The address the name led to.
        to: SocketAddr,
    },
    /// No grant covers the name of the machine, which is not told here.
    #[error(
        "no permission to know the name of this machine; add --allow-net with that name, or with *"
    )]
    OwnName,
    /// No granted directory covers this path.
    #[error("no permission to use {path:?}; add --dir=HOST::GUEST for a directory that holds it")]
    Path {
        /// The path as asked for, cut short if it is long.
        path: String,
    },
    /// The directory that covers this path is granted for reading only.
    #[error("no permission to change {path:?}; grant its directory without ::ro")]
    ReadOnly {
        /// The path as asked for, cut short if it is long.
        path: String,
    },
    /// No grant covers this path of a Unix socket.
    #[error("no permission to {usage} unix:{path}; add {}=unix:{}", usage.flag(), path_for(path))]
    Unix {
        /// The path.
        path: String,
        /// What was to be done with it.
        usage: SocketUse,
    },
    /// A grant covers the path of a Unix socket, but there is a symbolic link in it.
    #[error(
        "no permission to {usage} unix:{path}: a symbolic link is in the way; add {}=unix: and the path it leads to",
        usage.flag()
    )]
    UnixLink {
        /// The path.
        path: String,
        /// What was to be done with it.
        usage: SocketUse,
    },
    /// The text is no path that a Unix socket could be granted by.
    #[error(
        "no permission to use the Unix socket {path:?}, which {problem}; give an absolute path"
    )]
    NotAPath {
        /// The text as asked for, cut short if it is long.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The text is no host name, so no grant could allow looking it up.
    #[error("no permission to look up {host:?}: not a host name; give a name or a full IP address")]
    NotAName {
        /// The text as asked for, cut short if it is long.
        host: String,
    },
    /// The sockets that were handed over are not for the guest.
    #[error("no permission to take sockets that the host was started with; add --inherit-sockets")]
    InheritedSockets,
    /// No grant covers this program.
    #[error("no permission to run {program:?}; add --allow-run={}", program.escape_debug())]
    Run {
        /// The program as asked for, cut short if it is long.
        program: String,
    },
    /// A program is granted, but so is writing to where it is found.
    #[error("no permission to run {program:?}, whose file this guest can change; {remedy}")]
    RunWritable {
        /// What to do about it.
        remedy: &'static str,
        /// The program as asked for, cut short if it is long.
        program: String,
    },
    /// No grant has this variable, or not with this value.
    #[error(
        "no permission to set {name:?} so for a program; add --run-env={}",
        name.escape_debug()
    )]
    RunVariable {
        /// The variable's name, cut short if it is long.
        name: String,
    },
    /// There is no TLS identity of this name.
    #[error(
        "no permission to use the TLS identity {name:?}; add --tls-identity={}=CERT.pem,KEY.pem",
        name.escape_debug()
    )]
    TlsIdentity {
        /// The name as asked for, cut short if it is long.
        name: String,
    },
    /// No grant covers this signal.
    #[error(
        "no permission to watch {signal}; add --allow-signal={}",
        signal.to_string().trim_start_matches("SIG")
    )]
    Signal {
        /// The signal.
        signal: Signal,
    },
}

impl Denied {
    pub(super) fn connect(to: SocketAddr) -> Self {
        Self::Connect { to: plain(to) }
    }

    pub(super) fn names_of(ip: IpAddr) -> Self {
        let host = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self::Resolve { host, port: 0 }
    }

    pub(super) fn listen(addr: SocketAddr) -> Self {
        Self::Listen { addr: plain(addr) }
    }

    pub(super) fn special(host: String, to: SocketAddr) -> Self {
        Self::Special {
            host,
            to: plain(to),
        }
    }

    pub(super) fn path(path: &str) -> Self {
        Self::Path { path: cut(path) }
    }

    pub(super) fn read_only(path: &str) -> Self {
        Self::ReadOnly { path: cut(path) }
    }

    pub(super) fn not_a_path(path: &str, problem: &'static str) -> Self {
        Self::NotAPath {
            path: cut(path),
            problem,
        }
    }

    pub(super) fn not_a_name(host: &str) -> Self {
        Self::NotAName { host: cut(host) }
    }

    pub(super) fn run(program: &str) -> Self {
        let program = cut(program);
        Self::Run { program }
    }

    pub(crate) fn run_writable(program: &str, remedy: &'static str) -> Self {
        let program = cut(program);
        Self::RunWritable { remedy, program }
    }

    pub(super) fn run_variable(name: &str) -> Self {
        Self::RunVariable { name: cut(name) }
    }

    pub(super) fn tls_identity(name: &str) -> Self {
        Self::TlsIdentity { name: cut(name) }
    }
}

/// What a Unix socket's path is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketUse {
    /// Connecting or sending.
    Connect,
    /// Binding.
    Listen,
}

impl SocketUse {
    /// The flag that grants it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Connect => "--allow-net",
            Self::Listen => "--allow-listen",
        }
    }
}

impl fmt::Display for SocketUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect to",
            Self::Listen => "listen on",
        })
    }
}

/// A grant that makes no sense, with the flag it was given to, the offending text and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{flag}: {message}")]
pub struct InvalidPermission {
    /// The flag, as typed on the command line.
    flag: &'static str,
    /// The offending text, what is wrong with it, and what to write instead.
    message: String,
}

impl InvalidPermission {
    /// `problem` continues a sentence that begins with the quoted text.
    pub(super) fn new(flag: &'static str, text: &str, problem: &str) -> Self {
        Self {
            flag,
            message: format!("{:?} {problem}", cut(text)),
        }
    }

    pub(super) fn with_message(flag: &'static str, message: String) -> Self {
        Self { flag, message }
    }

    /// The flag at fault, for example `--allow-net`.
    pub fn flag(&self) -> &str {
        self.flag
    }
}

/// The address as a grant compares it: IPv4-mapped addresses are IPv4, and no scope id, which a grant
/// cannot name.
fn plain(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// What to give `--allow-net` for `to`; it refuses port 0, so that port asks for all of them.
fn grant_for(to: SocketAddr) -> String {
    match to {
        SocketAddr::V4(v4) if to.port() == 0 => v4.ip().to_string(),
        SocketAddr::V6(v6) if to.port() == 0 => format!("[{}]", v6.ip()),
        SocketAddr::V4(_) | SocketAddr::V6(_) => to.to_string(),
    }
}

/// What to grant for a path; one with a comma can only be granted by its directory.
fn path_for(path: &str) -> &str {
    match path.split_once(',') {
        Some((before, _)) => &path[..=before.rfind('/').unwrap_or(0)],
        None => path,
    }
}

fn name_and_port(host: &str, port: u16) -> String {
    if port == 0 {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_name_the_flag() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let resolve = |port| Denied::Resolve {
            host: "example.com".to_owned(),
            port,
        };
        for (denied, text) in [
            (
                Denied::connect(at("[::ffff:10.0.0.1]:80")),
                "no permission to connect to 10.0.0.1:80; add --allow-net=10.0.0.1:80",
            ),
            (
                Denied::connect(at("[fe80::1%3]:0")),
                "no permission to connect to [fe80::1]:0; add --allow-net=[fe80::1]",
            ),
            (
                Denied::listen(at("127.0.0.1:8080")),
                "no permission to listen on 127.0.0.1:8080; add --allow-listen=127.0.0.1:8080",
            ),
            (
                Denied::Unix {
                    path: "/run/a.sock".to_owned(),
                    usage: SocketUse::Listen,
                },
                "no permission to listen on unix:/run/a.sock; add --allow-listen=unix:/run/a.sock",
            ),
            (
                Denied::Unix {
                    path: "/run/app/a,b/c".to_owned(),
                    usage: SocketUse::Connect,
                },
                "no permission to connect to unix:/run/app/a,b/c; add --allow-net=unix:/run/app/",
            ),
            (
                resolve(443),
                "no permission to look up example.com; add --allow-net=example.com:443",
            ),
            (
                resolve(0),
                "no permission to look up example.com; add --allow-net=example.com",
            ),
            (
                Denied::special("example.com".to_owned(), at("127.0.0.1:80")),
                "\"example.com\" resolves to 127.0.0.1, which a name does not grant; \
                 add --allow-net=127.0.0.1:80",
            ),
        ] {
            assert_eq!(denied.to_string(), text);
        }
    }

    #[test]
    fn texts_of_others_are_escaped_and_cut() {
        let hostile = format!("\x1b[2J\n{}", "é".repeat(1_000_000));
        for text in [
            Denied::not_a_name(&hostile).to_string(),
            Denied::tls_identity(&hostile).to_string(),
            Denied::run(&hostile).to_string(),
            Denied::run_writable(&hostile, "").to_string(),
            Denied::run_variable(&hostile).to_string(),
            InvalidPermission::new("--env", &hostile, "is wrong").to_string(),
        ] {
            assert!(!text.contains(char::is_control), "{text}");
            assert!(text.chars().count() < 400, "{text}");
        }
    }
}
