//! The authorities that the system trusts. They are read when a guest first wants them, on another thread, and kept.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::RootCertStore;

/// The authorities that the system trusts; a clone is the same.
#[derive(Clone, Default)]
pub(crate) struct SystemAuthorities(Arc<Mutex<Option<Arc<RootCertStore>>>>);

impl SystemAuthorities {
    /// Those that were read, if they were. Never waits.
    pub(super) fn known(&self) -> Option<Arc<RootCertStore>> {
        // Whoever is reading them has the lock.
        self.0.try_lock().ok()?.clone()
    }

    /// Reads them, unless they were. Takes its time.
    ///
    /// # Errors
    /// If there are none.
    pub(super) fn load(&self) -> io::Result<Arc<RootCertStore>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})"));
            let why = why.unwrap_or_default();
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "the host's system trusts no certificate authorities{why}; install its ca-certificates, or set \
                     SSL_CERT_FILE in the host's environment, or name the authorities to trust"
                ),
            ));
        }
        let store = Arc::new(store);
        *known = Some(store.clone());
        Ok(store)
    }
}

impl fmt::Debug for SystemAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemAuthorities").finish_non_exhaustive()
    }
}
