//! How a client connects.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, RootCertStore};

use super::charge::Charge;
use super::identity::authorities;
use super::stream::Prepared;
use super::verify::AnyName;
use super::{Identity, SystemAuthorities, Tls, TlsError, Version, check_length, check_protocols};
use crate::background::{Brought, Errand, Lane};
use crate::kernel::{InstanceKey, Kernel, SourceKey};
use crate::limits::Allowance;
use crate::sockets::{Address, Socket};

/// What an own copy of the system's authorities takes: some 150 names and keys.
const AUTHORITIES_MEMORY: u64 = 256 * 1024;

/// What a client asks of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerCheck {
    /// That it is good for the name.
    Full,
    /// That it is good for some name.
    AnyName,
    /// Nothing.
    None,
}

/// How a client connects, as it was said.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    pub(crate) system_authorities: bool,
    pub(crate) authorities: Vec<u8>,
    pub(crate) check: ServerCheck,
    pub(crate) identity: Option<Identity>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) minimum_version: Version,
}

/// How a client connects.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct ClientConfig {
    tls: Tls,
    settings: ClientSettings,
    /// Authorities that the settings name.
    named: RootCertStore,
    /// What brings the system's authorities.
    errand: Option<Errand<io::Result<Arc<RootCertStore>>>>,
    /// What it has become once everything is there.
    ready: Option<Arc<rustls::ClientConfig>>,
    charge: Charge,
}

impl ClientConfig {
    /// Reads what was said.
    pub(crate) fn new(
        tls: &Tls,
        mut settings: ClientSettings,
        allowance: &Allowance,
    ) -> Result<Self, TlsError> {
        let authorities_length = check_length(&[&settings.authorities])?;
        let copied = settings.system_authorities && !settings.authorities.is_empty();
        let charge = Charge::of_config(
            allowance,
            authorities_length + if copied { AUTHORITIES_MEMORY } else { 0 },
            settings.identity.as_ref(),
            &settings.alpn,
        )?;
        check_protocols(&settings.alpn)?;
        let mut named = RootCertStore::empty();
        let text = std::mem::take(&mut settings.authorities);
        if !text.is_empty() {
            authorities(&text, &mut named)?;
        }
        if settings.check == ServerCheck::None {
            settings.system_authorities = false;
        } else if !settings.system_authorities && named.is_empty() {
            let text = "there is nobody to trust: name authorities, or trust the system's";
            return Err(TlsError::Argument(text.to_owned()));
        }
        Ok(Self {
            tls: tls.clone(),
            settings,
            named,
            errand: None,
            ready: None,
            charge,
        })
    }

    /// Makes it ready to connect with.
    pub(crate) fn get_ready(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
    ) -> Result<(), TlsError> {
        if self.ready.is_none() {
            let system = if self.settings.system_authorities {
                Some(self.system_authorities(kernel, owner, lane)?)
            } else {
                None
            };
            self.ready = Some(Arc::new(self.build(system)?));
        }
        Ok(())
    }

    /// The system's authorities; sends for them if they are not known.
    fn system_authorities(
        &mut self,
        kernel: &mut Kernel,
        owner: InstanceKey,
        lane: &Lane,
    ) -> Result<Arc<RootCertStore>, TlsError> {
        let authorities: SystemAuthorities = self.tls.authorities.clone();
        if let Some(known) = authorities.known() {
            return Ok(known);
        }
        let errand = self
            .errand
            .get_or_insert_with(|| Errand::new(kernel, owner, lane));
        match errand.bring() {
            Brought::Result(result) => return Ok(result?),
            Brought::Nothing => errand.send(move || authorities.load()),
            Brought::NotYet => {}
            Brought::Lost => {
                let lost = "the host could not read the system's certificate authorities";
                return Err(io::Error::other(lost).into());
            }
        }
        Err(io::Error::from(io::ErrorKind::WouldBlock).into())
    }

    fn build(&self, system: Option<Arc<RootCertStore>>) -> Result<rustls::ClientConfig, TlsError> {
        let provider = self.tls.provider.clone();
        let authorities = match system {
            Some(system) if self.named.is_empty() => system,
            Some(system) => {
                let mut both = self.named.clone();
                both.extend(system.roots.iter().cloned());
                Arc::new(both)
            }
            None => Arc::new(self.named.clone()),
        };
        let verifier: Arc<dyn ServerCertVerifier> = match self.settings.check {
            ServerCheck::Full => {
                WebPkiServerVerifier::builder_with_provider(authorities, provider.clone())
                    .build()
                    .map_err(|error| TlsError::Argument(error.to_string()))?
            }
            ServerCheck::AnyName => Arc::new(AnyName::new(Some(authorities), &provider)),
            ServerCheck::None => Arc::new(AnyName::new(None, &provider)),
        };
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.settings.minimum_version.and_later())
            .map_err(|error| TlsError::Argument(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.settings.identity {
            Some(identity) => config.with_client_cert_resolver(identity.resolver()),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.settings.alpn);
        // What could be kept of a server is of its own choice, certificates and all.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// The kernel's entry, for a task to wait on, if there is something to wait for.
    pub(crate) fn source(&self) -> Option<SourceKey> {
        self.errand.as_ref().map(Errand::source)
    }

    /// Begins a connection on a socket.
    pub(crate) fn connect(
        &self,
        socket: &Socket,
        name: Option<String>,
    ) -> Result<Prepared, TlsError> {
        let Some(config) = &self.ready else {
            return Err(TlsError::State("the configuration is not ready yet"));
        };
        let name = self.server_name(name, &socket.check_stream()?)?;
        let charge = self.charge.of_connection()?;
        let connection = ClientConnection::new(config.clone(), name)
            .map_err(|error| TlsError::Argument(error.to_string()))?;
        Ok(Prepared::new(connection.into(), charge))
    }

    fn server_name(
        &self,
        name: Option<String>,
        peer: &Address,
    ) -> Result<ServerName<'static>, TlsError> {
        match name {
            Some(name) => {
                let wrong = format!("{:?} is no host name", name.chars().take(80).collect::<String>());
                ServerName::try_from(name).map_err(|_| TlsError::Argument(wrong))
            }
            None if self.settings.check == ServerCheck::Full => Err(TlsError::Argument(
                "a server's certificate can't be checked without a name for it: give the name, or switch the check of \
                 the name off"
                    .to_owned(),
            )),
            // An address is not told to the server.
            None => Ok(ServerName::IpAddress(match peer {
                Address::Ip(peer) => peer.ip().into(),
                Address::Unix(_) | Address::Unnamed => IpAddr::from(Ipv4Addr::LOCALHOST).into(),
            })),
        }
    }

    /// Forgets what was sent for.
    pub(crate) fn close(&self, kernel: &mut Kernel) {
        if let Some(errand) = &self.errand {
            errand.close(kernel);
        }
    }
}
