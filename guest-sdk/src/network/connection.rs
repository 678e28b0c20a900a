//! Connecting to a host.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::attempts::{Failed, first_success, interleave};
use super::{Endpoint, open_unix_connection};
use crate::error::{Error, Result};
use crate::names::IpFamily;
use crate::socket::Socket;

/// How long an attempt to connect has before the next one begins beside it, as RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to a host, or to a Unix socket.
///
/// A host with several addresses is connected to as RFC 8305 says ("Happy Eyeballs"): the addresses are tried in their
/// order, but IPv6 and IPv4 by turns. Each attempt has a head start of 250 ms; then the next one begins beside it. One
/// that fails makes way for the next at once. The first that succeeds wins, and the others are closed.
///
/// ```no_run
/// use std::net::Ipv4Addr;
///
/// # async fn example() -> curio::Result<()> {
/// let by_name = curio::open_connection(("example.com", 80)).await?;
/// let by_address = curio::open_connection((Ipv4Addr::LOCALHOST, 25000)).await?;
/// # drop((by_name, by_address));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`getaddrinfo`](crate::socket::getaddrinfo) and [`Socket::connect`]. If several attempts have failed,
/// the text tells of all, and [`Error::Io`] has a [`ConnectError`] inside.
///
/// # Cancellation
/// All attempts are closed.
pub async fn open_connection(peer: impl Into<Endpoint>) -> Result<Socket> {
    ConnectionOptions::new().open(peer).await
}

/// Connects to a host, as [`open_connection`] does, but tries its addresses one after the other, each when the one before
/// has failed.
///
/// # Errors
/// As [`open_connection`].
///
/// # Cancellation
/// As [`open_connection`].
pub async fn create_connection(peer: impl Into<Endpoint>) -> Result<Socket> {
    ConnectionOptions::new().one_by_one().open(peer).await
}

/// How to connect to a host.
///
/// ```no_run
/// use std::time::Duration;
///
/// use curio::network::ConnectionOptions;
///
/// # async fn example() -> curio::Result<()> {
/// let options = ConnectionOptions::new().head_start(Duration::from_millis(100));
/// let socket = options.open(("example.com", 80)).await?;
/// # drop(socket);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    family: Option<IpFamily>,
    source_address: Option<SocketAddr>,
    head_start: Option<Duration>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            family: None,
            source_address: None,
            head_start: Some(HEAD_START),
        }
    }
}

impl ConnectionOptions {
    /// The options that [`open_connection`] uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which addresses of a host are tried; those of both families, unless it is set.
    #[must_use]
    pub fn family(mut self, family: IpFamily) -> Self {
        self.family = Some(family);
        self
    }

    /// Sets the local address to connect from; port 0 lets the system choose one. Only addresses of the same family are
    /// tried then. `--allow-listen` must cover it.
    #[doc(alias = "source_addr")]
    #[must_use]
    pub fn source_address(mut self, address: SocketAddr) -> Self {
        self.source_address = Some(address);
        self
    }

    /// Sets how long an attempt has before the next one begins beside it; 250 ms unless it is set.
    #[must_use]
    pub fn head_start(mut self, time: Duration) -> Self {
        self.head_start = Some(time);
        self
    }

    /// Lets no two attempts be under way at a time: the next one begins when the one before has failed.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.head_start = None;
        self
    }

    /// Connects to a host: see [`open_connection`].
    ///
    /// # Errors
    /// As [`open_connection`]; and as [`Socket::bind`], if there is a source address. [`Error::InvalidArgument`] if the
    /// host has no address of its family.
    ///
    /// # Cancellation
    /// As [`open_connection`].
    pub async fn open(self, peer: impl Into<Endpoint>) -> Result<Socket> {
        let peer = peer.into();
        if let Some(path) = peer.path() {
            self.check_is_of(None)?;
            return open_unix_connection(path).await;
        }
        let addresses = peer.addresses().await?;
        self.open_one_of(&peer, addresses).await
    }

    /// Connects to one of several addresses, as [`open_connection`] does to those of a host. The best one
    /// comes first.
    ///
    /// # Errors
    /// As [`ConnectionOptions::open`]. [`Error::InvalidArgument`] also if there is none.
    ///
    /// # Cancellation
    /// As [`open_connection`].
    pub async fn open_any(self, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<Socket> {
        let addresses = addresses.into_iter().collect();
        self.open_one_of(&"any of the addresses", addresses).await
    }

    async fn open_one_of(
        self,
        peer: &dyn fmt::Display,
        mut addresses: Vec<SocketAddr>,
    ) -> Result<Socket> {
        if addresses.is_empty() {
            let text = "there is no address to connect to";
            return Err(Error::InvalidArgument(text.to_owned()));
        }
        let others = self.check_is_of(addresses.first().map(|address| IpFamily::of(address.ip())));
        addresses.retain(|address| self.check_is_of(Some(IpFamily::of(address.ip()))).is_ok());
        if addresses.is_empty() {
            others?;
        }
        let attempt = |address| connect(address, self.source_address);
        let connected = first_success(interleave(addresses), self.head_start, attempt).await;
        connected.map_err(|failed| all_failed(peer, failed))
    }

    /// Checks that addresses of a family, or of a Unix socket, are wanted.
    fn check_is_of(&self, family: Option<IpFamily>) -> Result<()> {
        let source = self.source_address.map(|source| IpFamily::of(source.ip()));
        let text = match (self.family, source) {
            (Some(wanted), _) if Some(wanted) != family => {
                format!("no address to connect to is of {wanted}")
            }
            (_, Some(of_source)) if Some(of_source) != family => {
                format!("no address to connect to is of {of_source}, as the source address is")
            }
            _ => return Ok(()),
        };
        Err(Error::InvalidArgument(text))
    }
}

/// One attempt.
async fn connect(peer: SocketAddr, from: Option<SocketAddr>) -> Result<Socket> {
    let socket = Socket::tcp_for(peer)?;
    if let Some(from) = from {
        socket.bind(from)?;
    }
    socket.connect(peer).await?;
    Ok(socket)
}

/// The error that all the attempts come to.
fn all_failed(peer: &dyn fmt::Display, mut failed: Failed) -> Error {
    if failed.len() == 1
        && let Some((_, error)) = failed.pop()
    {
        return error;
    }
    let kind = failed.iter().rev().find_map(|(_, error)| match error {
        Error::Io(error) => Some(error.kind()),
        _ => None,
    });
    let is_limit = failed
        .iter()
        .any(|(_, error)| matches!(error, Error::Limit(_)));
    let error = ConnectError {
        peer: peer.to_string(),
        attempts: failed,
    };
    match kind {
        Some(kind) => io::Error::new(kind, error).into(),
        None if is_limit => Error::Limit(error.to_string()),
        None => Error::Refused(error.to_string()),
    }
}

/// Several attempts to connect to a host have failed. It is inside of an [`io::Error`]: see [`io::Error::get_ref`].
#[derive(Debug)]
pub struct ConnectError {
    peer: String,
    attempts: Failed,
}

impl ConnectError {
    /// The attempts: to which address, and why it failed. They come in the order in which they failed.
    pub fn attempts(&self) -> &[(SocketAddr, Error)] {
        &self.attempts
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't connect to {}", self.peer)?;
        let mut before = ": ";
        for (address, error) in &self.attempts {
            write!(f, "{before}{address}: {error}")?;
            before = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let (_, last) = self.attempts.last()?;
        Some(last)
    }
}
