//! Who a connection's own end is.

use std::fmt;

use crate::bindings::tls as kernel;

/// A certificate and its key: who a server is, or a client that is asked.
#[derive(Clone)]
pub struct Identity(kernel::Identity);

impl Identity {
    /// A certificate and its key, both in PEM. In `chain`, the certificate is followed by those that lead from it to
    /// an authority. The key is PKCS#8, PKCS#1 or SEC1, and not encrypted.
    ///
    /// ```no_run
    /// # fn example() -> std::io::Result<()> {
    /// let chain = std::fs::read("/tls/site.pem")?;
    /// let key = std::fs::read("/tls/site.key")?;
    /// let identity = curio::ssl::Identity::from_pem(chain, key);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "load_cert_chain")]
    pub fn from_pem(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self(kernel::Identity::Given(kernel::CertificateAndKey {
            chain: chain.into(),
            key: key.into(),
        }))
    }

    /// What the host has under this name, by `--tls-identity NAME=CERT.pem,KEY.pem`. The program uses the key, and
    /// can't read it.
    pub fn named(name: impl Into<String>) -> Self {
        Self(kernel::Identity::Named(name.into()))
    }

    pub(super) fn into_kernel(self) -> kernel::Identity {
        self.0
    }
}

/// Shows no key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            kernel::Identity::Given(_) => f.write_str("Identity::from_pem(..)"),
            kernel::Identity::Named(name) => write!(f, "Identity::named({name:?})"),
        }
    }
}
