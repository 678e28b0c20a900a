//! Servers and connections over TLS, in one call.

use std::convert::Infallible;
use std::net::SocketAddr;

use pem_rfc7468::LineEnding;

use super::{ClientContext, ServerContext, TlsStream};
use crate::bindings::log;
use crate::error::{Error, Result};
use crate::network::{open_connection, run_server, tcp_server_socket};
use crate::socket::Socket;

/// Connects to a peer, and makes the handshake. `server_name` is what its certificate is checked for.
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use curio::ssl;
///
/// # async fn example(peer: SocketAddr) -> curio::Result<()> {
/// let context = ssl::create_default_context().await?;
/// let stream = ssl::open_tls_connection(peer, "example.org", &context).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`open_connection`], [`ClientContext::wrap_socket`] and [`TlsStream::do_handshake`].
///
/// # Cancellation
/// The connection is closed.
#[doc(alias = "open_connection(ssl=True)")]
pub async fn open_tls_connection<'a>(
    peer: impl Into<SocketAddr>,
    server_name: impl Into<Option<&'a str>>,
    context: &ClientContext,
) -> Result<TlsStream> {
    let socket = open_connection(peer).await?;
    let stream = context.wrap_socket(socket, server_name)?;
    stream.do_handshake().await?;
    Ok(stream)
}

/// Serves TLS connections at an address, each by a task of its own, until it is cancelled. The task makes the
/// handshake, and then runs `handler`. A client whose handshake fails is hung up on, which is logged as `info`, and
/// disturbs nobody else.
///
/// ```no_run
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// use curio::ssl::{Identity, ServerContext, tls_server};
///
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     let context = ServerContext::builder(Identity::named("site")).build()?;
///     let address = (Ipv4Addr::LOCALHOST, 25000);
///     tls_server(address, &context, async |client, _peer| {
///         loop {
///             let data = client.recv(65_536).await?;
///             if data.is_empty() {
///                 return client.close().await;
///             }
///             client.send_all(&data).await?;
///         }
///     })
///     .await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// As [`tcp_server`](crate::tcp_server).
///
/// # Cancellation
/// As [`tcp_server`](crate::tcp_server).
#[doc(alias = "tcp_server(ssl=...)")]
pub async fn tls_server<H>(
    address: impl Into<SocketAddr>,
    context: &ServerContext,
    handler: H,
) -> Result<Infallible>
where
    H: AsyncFn(TlsStream, SocketAddr) -> Result<()> + 'static,
{
    run_tls_server(tcp_server_socket(address)?, context, handler).await
}

/// As [`tls_server`], on a socket that listens already.
///
/// # Errors
/// As [`tls_server`].
///
/// # Cancellation
/// As [`tls_server`].
#[doc(alias = "run_server(ssl=...)")]
pub async fn run_tls_server<H>(
    socket: Socket,
    context: &ServerContext,
    handler: H,
) -> Result<Infallible>
where
    H: AsyncFn(TlsStream, SocketAddr) -> Result<()> + 'static,
{
    let context = context.clone();
    let serve = async move |client: Socket, peer: SocketAddr| match accept(&context, client).await {
        Ok(stream) => handler(stream, peer).await,
        Err(error) if is_the_peers(&error) => {
            let message = format!("the TLS handshake with {peer} failed: {error}");
            log::write(log::Level::Info, &message);
            Ok(())
        }
        Err(error) => Err(error),
    };
    run_server(socket, serve).await
}

async fn accept(context: &ServerContext, client: Socket) -> Result<TlsStream> {
    let stream = context.wrap_socket(client)?;
    stream.do_handshake().await?;
    Ok(stream)
}

/// Whether it is the peer who makes a handshake fail.
fn is_the_peers(error: &Error) -> bool {
    matches!(error, Error::Ssl(_) | Error::Io(_))
}

/// Connects to a server, and gives its certificate in PEM. It is not checked.
///
/// # Errors
/// As [`open_tls_connection`]; [`Error::InvalidState`] if the server has shown none.
///
/// # Cancellation
/// The connection is closed.
pub async fn get_server_certificate<'a>(
    peer: impl Into<SocketAddr>,
    server_name: impl Into<Option<&'a str>>,
) -> Result<String> {
    let context = ClientContext::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .await?;
    let stream = open_tls_connection(peer, server_name, &context).await?;
    let Some(certificate) = stream.peer_certificate() else {
        let text = "the server has shown no certificate";
        return Err(Error::InvalidState(text.to_owned()));
    };
    pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, &certificate).map_err(Error::other)
}
