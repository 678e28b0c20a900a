//! Sockets that an instance is given at its start, for it to take: those that a supervisor has made, say.
//!
//! They stay as they are: what listens goes on listening, whatever its address. What is done with them afterwards is
//! checked as with the guest's own.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use super::SocketError;
use super::adopt::{adopt, identify};
use super::socket::Socket;
use crate::error::Error;
use crate::kernel::{InstanceKey, Kernel};

/// How much of a name that a guest asks for is repeated.
const QUOTED_CHARS: usize = 80;

/// Sockets that an instance may take, each of them once, by its place in line or by its name.
///
/// An instance also needs [`Permissions::allow_inherited_sockets`](crate::Permissions::allow_inherited_sockets). Clones
/// share the sockets: if several instances are given the same one, each may take it.
///
/// # Examples
///
/// ```
/// use std::net::TcpListener;
///
/// use curio_host::{InheritedSockets, Options};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut options = Options::default();
/// options.permissions.allow_inherited_sockets();
/// options.sockets.add(Some("http"), listener.into())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct InheritedSockets(Vec<Inherited>);

#[derive(Clone, Debug)]
struct Inherited {
    name: Option<String>,
    /// Nothing once it is taken.
    fd: Option<Arc<OwnedFd>>,
}

/// Which one is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// Its place, from 0.
    Position(u32),
    /// The first one of this name that is not taken.
    Name(&'a str),
}

/// Why a socket can't be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There never was one.
    Unknown(String),
    /// It was taken before.
    Taken(String),
}

impl InheritedSockets {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a socket behind the others. Several may have the same name: each time that the name is asked for, the next
    /// one is taken. The socket is closed on `exec`, and never blocks from when it is taken on.
    ///
    /// # Errors
    /// If it is not a TCP or UDP socket or a Unix socket for a stream or datagrams, or the name has control
    /// characters.
    pub fn add(&mut self, name: Option<&str>, fd: OwnedFd) -> Result<(), Error> {
        let wrong = |problem: String| {
            let number = fd.as_raw_fd();
            let called = name.map_or(String::new(), |name| format!(" ({name:?})"));
            Error::InheritedSocket(format!("descriptor {number}{called} {problem}"))
        };
        if name.is_some_and(|name| name.contains(char::is_control)) {
            let problem = "has a name with control characters; leave them out";
            return Err(wrong(problem.to_owned()));
        }
        if identify(&fd).is_none() {
            let problem = match rustix::net::sockopt::socket_type(&fd) {
                Ok(_) => "is a socket of another kind",
                Err(_) => "is no socket",
            };
            return Err(wrong(format!(
                "{problem}; pass TCP and UDP sockets, and Unix streams and datagrams only"
            )));
        }
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)
            .map_err(|error| wrong(format!("can't be kept from other programs: {error}")))?;
        self.0.push(Inherited {
            name: name.map(str::to_owned),
            fd: Some(Arc::new(fd)),
        });
        Ok(())
    }

    /// Those that are not taken: their places and names.
    pub(crate) fn left(&self) -> impl Iterator<Item = (u32, Option<&str>)> {
        let left = (0..).zip(&self.0).filter(|(_, socket)| socket.fd.is_some());
        left.map(|(position, socket)| (position, socket.name.as_deref()))
    }

    /// Finds one that is not taken.
    pub(crate) fn find(&self, which: Which<'_>) -> Result<u32, Missing> {
        let found = self.left().find(|(position, name)| match which {
            Which::Position(wanted) => *position == wanted,
            Which::Name(wanted) => *name == Some(wanted),
        });
        if let Some((position, _)) = found {
            return Ok(position);
        }
        let was_there = match which {
            Which::Position(position) => self.0.get(position as usize).is_some(),
            Which::Name(wanted) => self.0.iter().any(|s| s.name.as_deref() == Some(wanted)),
        };
        let wanted = match which {
            Which::Position(position) => format!("inherited socket {position}"),
            Which::Name(name) => {
                let name: String = name.chars().take(QUOTED_CHARS).collect();
                format!("the inherited socket {name:?}")
            }
        };
        if was_there {
            return Err(Missing::Taken(format!("{wanted} was taken before")));
        }
        Err(Missing::Unknown(format!(
            "{wanted} is not there; {}",
            self.described()
        )))
    }

    /// Makes a socket of the instance's own of one that is not taken.
    ///
    /// # Errors
    /// If the system gives no descriptor, or the kernel can't watch it.
    pub(crate) fn open(
        &self,
        position: u32,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<Socket, SocketError> {
        let gone = SocketError::State("the inherited socket was taken before");
        let socket = self.0.get(position as usize);
        let Some(fd) = socket.and_then(|socket| socket.fd.as_ref()) else {
            return Err(gone);
        };
        let kind = SocketError::Argument("the inherited socket is of another kind by now");
        let mut socket = adopt(fd.try_clone()?, kernel, owner)?.ok_or(kind)?;
        socket.open();
        Ok(socket)
    }

    /// Notes that one was taken.
    pub(crate) fn forget(&mut self, position: u32) {
        if let Some(socket) = self.0.get_mut(position as usize) {
            socket.fd = None;
        }
    }

    /// What there is, or was.
    fn described(&self) -> String {
        let names = self.0.iter().filter_map(|socket| socket.name.as_deref());
        let names: Vec<_> = names.map(|name| format!("{name:?}")).collect();
        match (self.0.len(), names.is_empty()) {
            (0, _) => "the host was given none".to_owned(),
            (count, true) => format!("the host was given {count}, without names"),
            (count, false) => format!("the host was given {count}: {}", names.join(", ")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what a supervisor does")]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixDatagram;

    use rustix::net::{AddressFamily, SocketType};

    use super::*;

    fn sockets() -> InheritedSockets {
        let mut sockets = InheritedSockets::new();
        let tcp = || TcpListener::bind("127.0.0.1:0").unwrap().into();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        sockets.add(Some("a"), tcp()).unwrap();
        sockets.add(None, udp.into()).unwrap();
        sockets.add(Some("a"), tcp()).unwrap();
        let unix = UnixDatagram::unbound().unwrap();
        sockets.add(Some("b"), unix.into()).unwrap();
        sockets
    }

    #[test]
    fn each_is_found_until_it_is_taken() {
        let mut sockets = sockets();
        for (which, position) in [
            (Which::Name("a"), 0),
            (Which::Name("a"), 2),
            (Which::Position(1), 1),
            (Which::Name("b"), 3),
        ] {
            assert_eq!(sockets.find(which), Ok(position));
            assert!(sockets.left().any(|(left, _)| left == position));
            sockets.forget(position);
        }
        assert_eq!(sockets.left().count(), 0);
        let taken = |text: &str| Err(Missing::Taken(text.to_owned()));
        for (which, error) in [
            (
                Which::Name("a"),
                "the inherited socket \"a\" was taken before",
            ),
            (Which::Position(1), "inherited socket 1 was taken before"),
        ] {
            assert_eq!(sockets.find(which), taken(error));
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let unknown = |text: &str| Err(Missing::Unknown(text.to_owned()));
        assert_eq!(
            sockets().find(Which::Name("c")),
            unknown(
                "the inherited socket \"c\" is not there; the host was given 4: \"a\", \"a\", \"b\""
            )
        );
        assert_eq!(
            InheritedSockets::new().find(Which::Position(7)),
            unknown("inherited socket 7 is not there; the host was given none")
        );
        let long = "\n".repeat(1000);
        let Err(Missing::Unknown(text)) = sockets().find(Which::Name(&long)) else {
            panic!("there is no such socket");
        };
        assert!(text.len() < 300 && !text.contains('\n'), "{text}");
    }

    #[test]
    fn other_descriptors_are_refused() {
        let mut sockets = InheritedSockets::new();
        let file = File::open("/dev/null").unwrap();
        let number = file.as_raw_fd();
        let error = sockets.add(Some("f"), file.into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "descriptor {number} (\"f\") is no socket; pass TCP and UDP sockets, and Unix streams \
                 and datagrams only"
            )
        );
        let packets = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None);
        let error = sockets.add(None, packets.unwrap()).unwrap_err();
        assert!(
            error.to_string().contains("is a socket of another kind"),
            "{error}"
        );
        let unix = UnixDatagram::unbound().unwrap();
        let error = sockets.add(Some("a\u{1b}"), unix.into()).unwrap_err();
        assert!(error.to_string().contains("control characters"), "{error}");
        assert_eq!(sockets.left().count(), 0);
    }
}
