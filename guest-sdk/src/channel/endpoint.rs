//! One end of a channel, which accepts or connects.

use std::fmt;
use std::io;

use super::listener::AUTH_TIME;
use super::{Listener, SocketConnection};
#[cfg(doc)]
use crate::Socket;
use crate::error::{Error, Result};
use crate::network::connect_to;
use crate::socket::Address;
use crate::time::ignore_after;

/// An address at which messages are exchanged, for both ends.
///
/// ```no_run
/// use std::net::Ipv4Addr;
///
/// use curio::channel::Channel;
///
/// # async fn example() -> curio::Result<()> {
/// let channel = Channel::new((Ipv4Addr::LOCALHOST, 30000)).with_key("peekaboo");
/// let mut connection = channel.connect().await?;
/// connection.send(&(2, 3)).await?;
/// let sum: i64 = connection.recv().await?;
/// # Ok(())
/// # }
/// ```
pub struct Channel {
    address: Address,
    key: Option<Vec<u8>>,
    listener: Option<Listener>,
}

impl Channel {
    /// A channel at an address. Nothing happens yet.
    pub fn new(address: impl Into<Address>) -> Self {
        Self {
            address: address.into(),
            key: None,
            listener: None,
        }
    }

    /// Wants the other end to have the same key.
    #[doc(alias = "authkey")]
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self.listener = None;
        self
    }

    /// Its address. After [`Channel::bind`] it is that at which it listens, with the port that the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Listens at the address, if it does not yet. Never blocks.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub fn bind(&mut self) -> Result<()> {
        self.listen().map(drop)
    }

    fn listen(&mut self) -> Result<&Listener> {
        let listener = if let Some(listener) = self.listener.take() {
            listener
        } else {
            let listener = Listener::bind(&self.address)?;
            self.address = listener.local_address()?;
            match &self.key {
                Some(key) => listener.with_key(key.clone()),
                None => listener,
            }
        };
        Ok(self.listener.insert(listener))
    }

    /// Accepts a connection: see [`Listener::accept`]. Listens first, if it does not yet.
    ///
    /// # Errors
    /// As [`Listener::bind`] and [`Listener::accept`].
    ///
    /// # Cancellation
    /// As [`Listener::accept`].
    pub async fn accept(&mut self) -> Result<SocketConnection> {
        self.listen()?.accept().await
    }

    /// Connects to the other end.
    ///
    /// # Errors
    /// As [`client`].
    ///
    /// # Cancellation
    /// The connection is closed.
    pub async fn connect(&self) -> Result<SocketConnection> {
        client(&self.address, self.key.as_deref()).await
    }

    /// Listens no more. Connections stay.
    pub fn close(&mut self) {
        self.listener = None;
    }
}

/// Connects to a [`Listener`], with its key if it has one.
///
/// # Errors
/// As [`Socket::connect`]; [`Error::Authentication`] if the listener has another key; an [`Error::Io`] of the kind
/// `TimedOut` if it does not show within a second that it has the same.
///
/// # Cancellation
/// The connection is closed.
#[doc(alias = "Client")]
pub async fn client(address: impl Into<Address>, key: Option<&[u8]>) -> Result<SocketConnection> {
    let address = address.into();
    let mut connection = SocketConnection::over(connect_to(&address).await?);
    if let Some(key) = key {
        let authenticated = ignore_after(AUTH_TIME, connection.authenticate_client(key)).await?;
        if authenticated.is_none() {
            let text = format!("{address} did not show in time that it has the key");
            return Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, text)));
        }
    }
    Ok(connection)
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("address", &self.address)
            .field("has_key", &self.key.is_some())
            .field("listener", &self.listener)
            .finish()
    }
}
