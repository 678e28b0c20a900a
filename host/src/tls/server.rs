//! How a server is connected to.

use std::sync::Arc;

use rustls::crypto::ring::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConnection};

use super::charge::Charge;
use super::identity::authorities;
use super::stream::Prepared;
use super::{Identity, Tls, TlsError, Version, check_length, check_protocols};
use crate::limits::Allowance;
use crate::sockets::Socket;

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
    charge: Charge,
}

impl ServerConfig {
    /// Reads what was said.
    pub(crate) fn new(
        tls: &Tls,
        settings: ServerSettings,
        allowance: &Allowance,
    ) -> Result<Self, TlsError> {
        let length = check_length(&[&settings.client_authorities])?;
        check_protocols(&settings.alpn)?;
        let charge =
            Charge::of_config(allowance, length, Some(&settings.identity), &settings.alpn)?;
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
            charge,
        })
    }

    /// Begins a connection on a socket.
    pub(crate) fn accept(&self, socket: &Socket) -> Result<Prepared, TlsError> {
        socket.check_stream()?;
        let charge = self.charge.of_connection()?;
        let connection = ServerConnection::new(self.config.clone())
            .map_err(|error| TlsError::Argument(error.to_string()))?;
        Ok(Prepared::new(connection.into(), charge))
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
