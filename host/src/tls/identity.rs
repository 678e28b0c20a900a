//! Identities: a certificate, those that lead from it to an authority, and its key.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::{TlsError, check_length};
use crate::error::advice;
use crate::permissions::TlsIdentity;
use crate::regular_file::{self, MAX_PEM};

/// Who a connection's own end is.
#[derive(Clone)]
pub(crate) struct Identity {
    certified: Arc<CertifiedKey>,
    /// How many bytes a guest gave for it: none for one that stays in the host.
    given: u64,
}

impl Identity {
    /// Reads a certificate's chain and its key.
    ///
    /// # Errors
    /// If one is no PEM, or they don't fit together.
    pub(crate) fn new(
        chain: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let given = check_length(&[chain, key])?;
        let chain = certificates(chain, "the certificate chain")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            wrong(
                "the key is no PEM of a private key that is not encrypted (PKCS#8, PKCS#1 or SEC1)",
            )
        })?;
        let certified = CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| TlsError::Argument(unusable(&error)))?;
        Ok(Self {
            certified: Arc::new(certified),
            given,
        })
    }

    /// How many bytes a guest gave for it.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// What chooses it for every connection.
    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(self.certified.clone().into())
    }
}

/// Says nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn unusable(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key is not that of the certificate; give the two that belong together".to_owned()
        }
        error => format!("the certificate or its key can't be used: {error}"),
    }
}

/// Identities that stay in the host, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities(Arc<HashMap<String, Identity>>);

impl Identities {
    /// Reads those that an operator granted.
    ///
    /// # Errors
    /// If one can't be used: a line that names it.
    pub(crate) fn load(granted: &[TlsIdentity]) -> Result<Self, String> {
        let provider = ring::default_provider();
        let mut identities = HashMap::new();
        for grant in granted {
            let name = &grant.name;
            let chain = read(name, &grant.certificate)?;
            let key = read(name, &grant.key)?;
            let identity = Identity::new(&chain, &key, &provider).map_err(|error| {
                let (chain, key) = (grant.certificate.display(), grant.key.display());
                format!("--tls-identity {name}: {chain}, {key}: {error}")
            })?;
            let identity = Identity {
                given: 0,
                ..identity
            };
            identities.insert(name.clone(), identity);
        }
        Ok(Self(Arc::new(identities)))
    }

    /// The one of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Identity> {
        self.0.get(name)
    }
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>, String> {
    regular_file::read(path, MAX_PEM).map_err(|error| {
        let (path, advice) = (path.display(), advice(&error));
        format!("--tls-identity {name}: {path}: {advice}")
    })
}

/// Reads authorities.
///
/// # Errors
/// If the text is no PEM of certificates, or one can't be an authority.
pub(super) fn authorities(text: &[u8], into: &mut RootCertStore) -> Result<(), TlsError> {
    for certificate in certificates(text, "the authorities' text")? {
        into.add(certificate)
            .map_err(|error| TlsError::Argument(format!("an authority can't be used: {error}")))?;
    }
    Ok(())
}

/// Reads one or more certificates.
fn certificates(text: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(wrong(&format!(
            "{what} has no PEM of certificates, or has something wrong in it"
        ))),
    }
}

fn wrong(text: &str) -> TlsError {
    TlsError::Argument(text.to_owned())
}
