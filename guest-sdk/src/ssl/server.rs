//! How a server is connected to.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::{Identity, TlsStream, TlsVersion, protocols};
use crate::bindings::tls as kernel;
use crate::error::Result;
use crate::socket::Socket;

/// How long a handshake may take, unless said otherwise: a client that says nothing shall not stay for ever.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a server is connected to. A clone is the same context.
///
/// ```no_run
/// use curio::ssl::{Identity, ServerContext};
///
/// # fn example() -> curio::Result<()> {
/// let context = ServerContext::builder(Identity::named("site"))
///     .alpn_protocols(["http/1.1"])
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SSLContext")]
#[derive(Clone)]
pub struct ServerContext {
    config: Rc<kernel::ServerConfig>,
    handshake_timeout: Option<Duration>,
}

/// Says how a server shall be connected to: [`ServerBuilder::build`] makes a [`ServerContext`] of it.
#[derive(Debug)]
#[must_use = "`build` makes a context of it"]
pub struct ServerBuilder {
    identity: Identity,
    client_check: kernel::ClientCheck,
    client_authorities: Vec<u8>,
    alpn: Vec<Vec<u8>>,
    minimum_version: TlsVersion,
    handshake_timeout: Option<Duration>,
}

impl ServerContext {
    /// Begins with what most servers do: clients are told who the server is, and not asked who they are.
    pub fn builder(identity: Identity) -> ServerBuilder {
        ServerBuilder {
            identity,
            client_check: kernel::ClientCheck::None,
            client_authorities: Vec::new(),
            alpn: Vec::new(),
            minimum_version: TlsVersion::Tls12,
            handshake_timeout: Some(HANDSHAKE_TIMEOUT),
        }
    }

    /// Makes a TLS connection of a socket that was accepted. Its handshake is made by [`TlsStream::do_handshake`], or
    /// else when data is first sent or received. Never blocks.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit) if the program may not have more memory;
    /// [`Error::Io`](crate::Error::Io) if the socket is not connected. The socket is closed then.
    pub fn wrap_socket(&self, socket: Socket) -> Result<TlsStream> {
        let handle = self.config.wrap(socket.into_handle())?;
        Ok(TlsStream::new(handle, self.handshake_timeout))
    }
}

impl fmt::Debug for ServerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerContext")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}

impl ServerBuilder {
    /// Serves only clients that show a certificate which one of these authorities, in PEM, has signed.
    #[doc(alias = "CERT_REQUIRED")]
    pub fn require_client_certificate(mut self, authorities: impl Into<Vec<u8>>) -> Self {
        self.client_check = kernel::ClientCheck::Required;
        self.client_authorities = authorities.into();
        self
    }

    /// Asks clients for a certificate, and serves those as well that have none. One that is shown must be
    /// signed by one of these authorities, in PEM.
    #[doc(alias = "CERT_OPTIONAL")]
    pub fn request_client_certificate(mut self, authorities: impl Into<Vec<u8>>) -> Self {
        self.client_check = kernel::ClientCheck::Optional;
        self.client_authorities = authorities.into();
        self
    }

    /// Chooses among these protocols by ALPN, the most wanted first. A client that offers others only is refused;
    /// one that offers none is served.
    #[doc(alias = "set_alpn_protocols")]
    pub fn alpn_protocols<N: AsRef<[u8]>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.alpn = protocols(names);
        self
    }

    /// Refuses older versions than this. TLS 1.2 is the oldest there is.
    pub fn minimum_version(mut self, version: TlsVersion) -> Self {
        self.minimum_version = version;
        self
    }

    /// How long a handshake may take; 10 seconds, by default.
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.handshake_timeout = timeout.into();
        self
    }

    /// Makes a context of it. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if a text can't be used, or the key is not that of the
    /// certificate; [`Error::Refused`](crate::Error::Refused) if the host has no identity of that name;
    /// [`Error::Limit`](crate::Error::Limit).
    pub fn build(self) -> Result<ServerContext> {
        let config = kernel::ServerConfig::create(&kernel::ServerSettings {
            identity: self.identity.into_kernel(),
            client_check: self.client_check,
            client_authorities: self.client_authorities,
            alpn: self.alpn,
            minimum_version: self.minimum_version.into(),
        })?;
        Ok(ServerContext {
            config: Rc::new(config),
            handshake_timeout: self.handshake_timeout,
        })
    }
}
