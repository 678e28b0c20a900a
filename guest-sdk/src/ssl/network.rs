//! Servers and connections over TLS, in one call.

use std::convert::Infallible;
use std::future::Future;

use pem_rfc7468::LineEnding;

use super::{ClientContext, ServerContext, TlsStream};
use crate::bindings::log;
use crate::error::{Error, Result};
#[cfg(doc)]
use crate::network::open_connection;
use crate::network::{ConnectionOptions, Endpoint, ServerOptions, run_server};
use crate::socket::{Address, Socket};

/// Connects to a host, and makes the handshake. `server_name` is what its certificate is checked for: the host's name or
/// address, unless another one is given.
///
/// ```no_run
/// use curio::ssl;
///
/// # async fn example() -> curio::Result<()> {
/// let context = ssl::create_default_context().await?;
/// let stream = ssl::open_tls_connection(("example.org", 443), None, &context).await?;
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
    peer: impl Into<Endpoint>,
    server_name: impl Into<Option<&'a str>>,
    context: &ClientContext,
) -> Result<TlsStream> {
    ConnectionOptions::new()
        .open_tls(peer, server_name, context)
        .await
}

impl ConnectionOptions {
    /// Connects to a host, and makes the handshake: see [`open_tls_connection`].
    ///
    /// # Errors
    /// As [`open_tls_connection`].
    ///
    /// # Cancellation
    /// As [`open_tls_connection`].
    pub async fn open_tls<'a>(
        self,
        peer: impl Into<Endpoint>,
        server_name: impl Into<Option<&'a str>>,
        context: &ClientContext,
    ) -> Result<TlsStream> {
        let peer = peer.into();
        let host = peer.host();
        let socket = self.open(peer).await?;
        let server_name = server_name.into().or(host.as_deref());
        let stream = context.wrap_socket(socket, server_name)?;
        stream.do_handshake().await?;
        Ok(stream)
    }
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
#[track_caller]
pub fn tls_server<A, H>(
    address: A,
    context: &ServerContext,
    handler: H,
) -> impl Future<Output = Result<Infallible>> + use<A, H>
where
    A: Into<Endpoint>,
    H: AsyncFn(TlsStream, Address) -> Result<()> + 'static,
{
    ServerOptions::new().serve_tls(address, context, handler)
}

impl ServerOptions {
    /// Serves TLS connections: see [`tls_server`].
    ///
    /// # Errors
    /// As [`tls_server`]; [`Error::InvalidArgument`] if the address is of another family than was set.
    ///
    /// # Cancellation
    /// As [`tls_server`].
    #[track_caller]
    pub fn serve_tls<A, H>(
        self,
        address: A,
        context: &ServerContext,
        handler: H,
    ) -> impl Future<Output = Result<Infallible>> + use<A, H>
    where
        A: Into<Endpoint>,
        H: AsyncFn(TlsStream, Address) -> Result<()> + 'static,
    {
        self.serve(address, over_tls(context, handler))
    }
}

/// As [`tls_server`], on a socket that listens already.
///
/// # Errors
/// As [`tls_server`].
///
/// # Cancellation
/// As [`tls_server`].
#[doc(alias = "run_server(ssl=...)")]
#[track_caller]
pub fn run_tls_server<H>(
    socket: Socket,
    context: &ServerContext,
    handler: H,
) -> impl Future<Output = Result<Infallible>> + use<H>
where
    H: AsyncFn(TlsStream, Address) -> Result<()> + 'static,
{
    run_server(socket, over_tls(context, handler))
}

/// Makes the handshake before each connection is handled.
fn over_tls<H>(
    context: &ServerContext,
    handler: H,
) -> impl AsyncFn(Socket, Address) -> Result<()> + use<H> + 'static
where
    H: AsyncFn(TlsStream, Address) -> Result<()> + 'static,
{
    let context = context.clone();
    async move |client: Socket, peer: Address| match accept(&context, client).await {
        Ok(stream) => handler(stream, peer).await,
        Err(error) if is_the_peers(&error) => {
            let message = format!("the TLS handshake with {peer} failed: {error}");
            log::write(log::Level::Info, &message);
            Ok(())
        }
        Err(error) => Err(error),
    }
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
    peer: impl Into<Endpoint>,
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
