//! Unix sockets: connections and servers in one call.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::panic::Location;
use std::path::Path;
use std::rc::Rc;

use super::server::{ServerOptions, serve_until};
use crate::error::Result;
use crate::socket::{Address, Socket};
#[cfg(doc)]
use crate::tcp_server;

/// Connects to a Unix socket. The path is the host's, and absolute.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let socket = curio::open_unix_connection("/run/app.sock").await?;
/// socket.send_all(b"hello\n").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Socket::connect`].
///
/// # Cancellation
/// The socket is closed.
pub async fn open_unix_connection(path: impl AsRef<Path>) -> Result<Socket> {
    connect_to(&path.as_ref().into()).await
}

/// Makes a Unix socket that listens at a path. That must not be there yet, and stays when the socket is closed. Never
/// blocks.
///
/// # Errors
/// As [`Socket::bind`] and [`Socket::listen`].
pub fn unix_server_socket(path: impl AsRef<Path>) -> Result<Socket> {
    ServerOptions::new().unix_socket(path)
}

/// Serves connections at a Unix socket, each by a task of its own that runs `handler`, until it is cancelled. The path
/// must not be there yet, and stays when the server ends.
///
/// ```no_run
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     curio::unix_server("/run/app.sock", async |client, _peer| {
///         client.send_all(b"hello\n").await
///     })
///     .await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// As [`tcp_server`].
///
/// # Cancellation
/// As [`tcp_server`].
#[track_caller]
pub fn unix_server<P, H>(path: P, handler: H) -> impl Future<Output = Result<Infallible>>
where
    P: AsRef<Path>,
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    ServerOptions::new().serve_unix(path, handler)
}

/// Unix sockets, of which the backlog alone can be set.
impl ServerOptions {
    /// Makes a Unix socket that listens: see [`unix_server_socket`]. Never blocks.
    ///
    /// # Errors
    /// As [`unix_server_socket`].
    pub fn unix_socket(&self, path: impl AsRef<Path>) -> Result<Socket> {
        let socket = Socket::unix_stream()?;
        socket.bind(path.as_ref())?;
        socket.listen(self.backlog)?;
        Ok(socket)
    }

    /// Serves connections at a Unix socket: see [`unix_server`].
    ///
    /// # Errors
    /// As [`unix_server`].
    ///
    /// # Cancellation
    /// As [`unix_server`].
    #[track_caller]
    pub fn serve_unix<P, H>(self, path: P, handler: H) -> impl Future<Output = Result<Infallible>>
    where
        P: AsRef<Path>,
        H: AsyncFn(Socket, Address) -> Result<()> + 'static,
    {
        let place = Location::caller();
        async move {
            let socket = self.unix_socket(path)?;
            serve_until(pending(), socket, Rc::new(handler), place).await
        }
    }

    /// Makes a socket that listens, of whatever kind.
    pub(crate) fn socket_for(&self, address: &Address) -> Result<Socket> {
        match address {
            Address::Ip(address) => self.socket(*address),
            Address::Unix(path) => self.unix_socket(path),
            Address::Unnamed => {
                let socket = Socket::unix_stream()?;
                socket.bind(address)?;
                Ok(socket)
            }
        }
    }
}

/// Connects to an address of whatever kind.
pub(crate) async fn connect_to(peer: &Address) -> Result<Socket> {
    let socket = Socket::stream_for(peer)?;
    socket.connect(peer).await?;
    Ok(socket)
}
