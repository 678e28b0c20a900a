//! Accepting connections.

use std::fmt;
use std::time::Duration;

use super::SocketConnection;
use crate::bindings::log;
use crate::error::{Error, Result};
use crate::network::{ServerOptions, accept_next};
use crate::socket::{Address, Socket};
use crate::time::ignore_after;

/// How long a peer may take to show that it has the key.
pub(super) const AUTH_TIME: Duration = Duration::from_secs(1);

/// Listens for peers that want to exchange messages.
///
/// ```no_run
/// use std::net::Ipv4Addr;
///
/// use curio::channel::Listener;
///
/// # async fn example() -> curio::Result<()> {
/// let listener = Listener::bind((Ipv4Addr::LOCALHOST, 30000))?.with_key("peekaboo");
/// loop {
///     let mut connection = listener.accept().await?;
///     let name: String = connection.recv().await?;
///     connection.send(&format!("Hello, {name}!")).await?;
/// }
/// # }
/// ```
pub struct Listener {
    socket: Socket,
    key: Option<Vec<u8>>,
    check: Option<Check>,
}

/// Says whether a peer is welcome.
pub(super) type Check = Box<dyn Fn(&Address) -> bool>;

impl Listener {
    /// Listens at an address, be it of a Unix socket; port 0 lets the system choose. Never blocks.
    ///
    /// # Errors
    /// As [`Socket::bind`] and [`Socket::listen`].
    pub fn bind(address: impl Into<Address>) -> Result<Self> {
        Ok(Self {
            socket: ServerOptions::new().socket(address)?,
            key: None,
            check: None,
        })
    }

    /// Wants peers to have the same key.
    #[doc(alias = "authkey")]
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Wants only peers whose address passes a check.
    #[doc(alias = "check_address")]
    #[must_use]
    pub fn with_check(mut self, check: impl Fn(&Address) -> bool + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn local_address(&self) -> Result<Address> {
        self.socket.local_address()
    }

    /// Accepts a connection. A peer that is not welcome, or does not show within a second that it has the key, is
    /// hung up on, which is logged, and the next one is waited for.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the key is empty; [`Error::ResourceBusy`] and [`Error::Io`] if no connection can
    /// be accepted.
    ///
    /// # Cancellation
    /// A peer that is about to show that it has the key is hung up on; others stay in the backlog.
    pub async fn accept(&self) -> Result<SocketConnection> {
        if self.key.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::InvalidArgument("the key is empty".to_owned()));
        }
        loop {
            let (socket, peer) = accept_next(&self.socket).await?;
            if (self.check.as_ref()).is_some_and(|is_welcome| !is_welcome(&peer)) {
                warn(&peer, "its address is not welcome");
                continue;
            }
            let mut connection = SocketConnection::over(socket);
            let Some(key) = &self.key else {
                return Ok(connection);
            };
            match ignore_after(AUTH_TIME, connection.authenticate_server(key)).await {
                Ok(Some(())) => return Ok(connection),
                Ok(None) => warn(&peer, "it did not show in time that it has the key"),
                Err(error @ (Error::Authentication(_) | Error::Io(_))) => {
                    warn(&peer, &error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Listens no more, as when it is dropped.
    pub fn close(self) {
        drop(self);
    }
}

fn warn(peer: &Address, why: &str) {
    let message = format!("hung up on {peer}: {why}");
    log::write(log::Level::Warn, &message);
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}
