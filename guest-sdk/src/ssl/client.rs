//! How a client connects.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::{Identity, TlsStream, TlsVersion, protocols};
use crate::bindings::{tls as kernel, types};
use crate::error::{Error, Result};
use crate::socket::Socket;
use crate::traps::wait_for;

/// How a client connects. A clone is the same context.
///
/// ```no_run
/// use std::time::Duration;
///
/// use curio::ssl::ClientContext;
///
/// # async fn example(authority: Vec<u8>) -> curio::Result<()> {
/// let context = ClientContext::builder()
///     .authorities(authority)
///     .system_authorities(false)
///     .alpn_protocols(["h2", "http/1.1"])
///     .handshake_timeout(Duration::from_secs(5))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SSLContext")]
#[derive(Clone)]
pub struct ClientContext {
    config: Rc<kernel::ClientConfig>,
    handshake_timeout: Option<Duration>,
}

/// Says how a client shall connect: [`ClientBuilder::build`] makes a [`ClientContext`] of it.
#[derive(Debug)]
#[must_use = "`build` makes a context of it"]
pub struct ClientBuilder {
    system_authorities: bool,
    authorities: Vec<u8>,
    check_hostname: bool,
    accept_invalid_certs: bool,
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    minimum_version: TlsVersion,
    handshake_timeout: Option<Duration>,
}

/// How most clients connect: servers are checked as the host's system would.
///
/// # Errors
/// As [`ClientBuilder::build`].
///
/// # Cancellation
/// As [`ClientBuilder::build`].
pub async fn create_default_context() -> Result<ClientContext> {
    ClientContext::builder().build().await
}

impl ClientContext {
    /// Begins with what most clients do: the certificate must be signed by an authority that the host's system trusts,
    /// for the name that is connected to, and valid now.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            system_authorities: true,
            authorities: Vec::new(),
            check_hostname: true,
            accept_invalid_certs: false,
            identity: None,
            alpn: Vec::new(),
            minimum_version: TlsVersion::Tls12,
            handshake_timeout: None,
        }
    }

    /// Makes a TLS connection of a connected socket. Its handshake is made by [`TlsStream::do_handshake`], or
    /// else when data is first sent or received. `server_name` is what the certificate is checked for, a host's name or
    /// its address; a name is told to the server, too. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if that is no name, or if there is none and it should be checked;
    /// [`Error::Limit`] if the program may not have more memory; [`Error::Io`] if the socket is not connected.
    /// The socket is closed then.
    pub fn wrap_socket<'a>(
        &self,
        socket: Socket,
        server_name: impl Into<Option<&'a str>>,
    ) -> Result<TlsStream> {
        let handle = self.config.wrap(socket.into_handle(), server_name.into())?;
        Ok(TlsStream::new(handle, self.handshake_timeout))
    }
}

impl fmt::Debug for ClientContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientContext")
            .field("handshake_timeout", &self.handshake_timeout)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Trusts these authorities, in PEM, besides those of the system.
    #[doc(alias = "load_verify_locations")]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = pem.into();
        self
    }

    /// Whether the authorities are trusted that the host's system trusts; they are, unless this says otherwise.
    #[doc(alias = "load_default_certs")]
    pub fn system_authorities(mut self, trust: bool) -> Self {
        self.system_authorities = trust;
        self
    }

    /// Shows this to servers that ask who the client is.
    #[doc(alias = "load_cert_chain")]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Offers protocols by ALPN, the most wanted first.
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

    /// How long a handshake may take; for as long as it does, by default.
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.handshake_timeout = timeout.into();
        self
    }

    /// With `false`, a certificate may be for any name. It must still be signed by an authority that is trusted: each
    /// of the servers that these have signed for can pass for any other one.
    pub fn check_hostname(mut self, check: bool) -> Self {
        self.check_hostname = check;
        self
    }

    /// With `true`, whatever certificate is accepted. Whoever is between the program and the server can then read
    /// and change everything.
    #[doc(alias = "CERT_NONE")]
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid_certs = accept;
        self
    }

    /// Makes a context of it. Blocks while the host reads the system's authorities for the first time.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a text can't be used, or if nobody is trusted; [`Error::Refused`] if the host has
    /// no identity of that name; [`Error::Limit`]; [`Error::Io`] if the system has no authorities.
    ///
    /// # Cancellation
    /// There is no context.
    pub async fn build(self) -> Result<ClientContext> {
        let config = kernel::ClientConfig::create(&kernel::ClientSettings {
            system_authorities: self.system_authorities,
            authorities: self.authorities,
            check: match (self.accept_invalid_certs, self.check_hostname) {
                (true, _) => kernel::ServerCheck::None,
                (false, false) => kernel::ServerCheck::AnyName,
                (false, true) => kernel::ServerCheck::Full,
            },
            identity: self.identity.map(Identity::into_kernel),
            alpn: self.alpn,
            minimum_version: self.minimum_version.into(),
        })?;
        loop {
            match config.ready() {
                Err(types::Error::WouldBlock) => wait_for(|by| config.read_wait(by)).await?,
                Err(error) => return Err(Error::from(error)),
                Ok(()) => break,
            }
        }
        Ok(ClientContext {
            config: Rc::new(config),
            handshake_timeout: self.handshake_timeout,
        })
    }
}
