//! Unix sockets: connections and servers in one call.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;

use super::ServerOptions;
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
    ServerOptions::new().socket(path.as_ref())
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
    ServerOptions::new().serve(Address::from(path.as_ref()), handler)
}

/// Connects to an address of whatever kind.
pub(crate) async fn connect_to(peer: &Address) -> Result<Socket> {
    let socket = Socket::stream_for(peer)?;
    socket.connect(peer).await?;
    Ok(socket)
}
