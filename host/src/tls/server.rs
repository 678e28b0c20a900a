//! How a server is connected to.

use std::sync::Arc;

use rustls::crypto::ring::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConnection};

use super::identity::authorities;
use super::{Identity, Tls, TlsError, TlsStream, Version, check_length, check_protocols};
use crate::sockets::Socket;

/// What a server's configuration takes, besides its texts.
const BASE_MEMORY: u64 = 16 * 1024;

/// Whether a server asks its clients for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientCheck {
    None,
    Optional,
    Required,
}

/// How a server is connected to, as it was said.
#[derive(Debug)]
pub(crate) struct ServerSettings {
    pub(crate) identity: Identity,
    pub(crate) client_check: ClientCheck,
    pub(crate) client_authorities: Vec<u8>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) minimum_version: Version,
}

/// How a server is connected to.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct ServerConfig {
    config: Arc<rustls::ServerConfig>,
    memory: u64,
}

impl ServerConfig {
    /// Reads what was said.
    pub(crate) fn new(tls: &Tls, settings: ServerSettings) -> Result<Self, TlsError> {
        let length = check_length(&[&settings.client_authorities])?;
        check_protocols(&settings.alpn)?;
        let mut config = rustls::ServerConfig::builder_with_provider(tls.provider.clone())
            .with_protocol_versions(settings.minimum_version.and_later())
            .map_err(|error| TlsError::Argument(error.to_string()))?
            .with_client_cert_verifier(verifier(tls, &settings)?)
            .with_cert_resolver(settings.identity.resolver());
        config.alpn_protocols = settings.alpn;
        // Clients keep what they resume their sessions by; that costs nothing here.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().map_err(std::io::Error::other)?;
        Ok(Self {
            config: Arc::new(config),
            memory: BASE_MEMORY + length,
        })
    }

    /// How much memory it counts for, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Begins a connection on a socket.
    pub(crate) fn accept(&self, socket: &Socket) -> Result<rustls::Connection, TlsError> {
        socket.check_stream()?;
        let connection = ServerConnection::new(self.config.clone())
            .map_err(|error| TlsError::Argument(error.to_string()))?;
        Ok(TlsStream::prepare(connection.into()))
    }
}

fn verifier(tls: &Tls, settings: &ServerSettings) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if settings.client_check == ClientCheck::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let mut trusted = RootCertStore::empty();
    authorities(&settings.client_authorities, &mut trusted)?;
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), tls.provider.clone());
    if settings.client_check == ClientCheck::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder
        .build()
        .map_err(|error| TlsError::Argument(error.to_string()))
}
