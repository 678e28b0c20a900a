//! TLS: connections over a guest's sockets, whose records the host makes and reads.
//!
//! Nothing here waits: what can't go on says that it would block, and the kernel watches the socket. Invariant: a
//! key that the operator named, and no guest was given, is in no value that a trap returns.
//!
//! - `stream`: a connection, from its handshake to its end
//! - `client`, `server`: how connections are made
//! - `verify`: which certificates are accepted
//! - `identity`: certificates with their keys, those that stay in the host among them
//! - `authorities`: who may sign certificates, by the system's own word
//! - `charge`: the memory that all of this takes
//! - `error`: what can go wrong

mod authorities;
mod charge;
mod client;
mod error;
mod identity;
mod server;
mod stream;
mod verify;

use std::fmt;
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};

pub(crate) use self::authorities::SystemAuthorities;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::client::ClientConfig;
pub(crate) use self::client::{ClientSettings, ServerCheck};
pub(crate) use self::error::{PeerErrorKind, TlsError};
pub(crate) use self::identity::{Identities, Identity};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::server::ServerConfig;
pub(crate) use self::server::{ClientCheck, ServerSettings};
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::stream::TlsStream;
pub(crate) use self::stream::{Prepared, Progress};

/// How many bytes all the texts of one configuration may have.
const MAX_TEXT: usize = 1 << 20;

/// How many protocols may be named for ALPN.
const MAX_PROTOCOLS: usize = 100;

/// What the host keeps for an instance's TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    /// How to compute.
    provider: Arc<CryptoProvider>,
    /// Whom the system trusts; shared by all instances of a host.
    authorities: SystemAuthorities,
    /// Whose keys the instance may use, but not read.
    identities: Identities,
}

impl Tls {
    /// What an instance gets.
    pub(crate) fn new(authorities: SystemAuthorities, identities: Identities) -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            authorities,
            identities,
        }
    }

    /// Reads an identity that the guest has.
    ///
    /// # Errors
    /// As [`Identity::new`].
    pub(crate) fn read_identity(&self, chain: &[u8], key: &[u8]) -> Result<Identity, TlsError> {
        Identity::new(chain, key, &self.provider)
    }

    /// An identity that stays in the host.
    pub(crate) fn identity(&self, name: &str) -> Option<&Identity> {
        self.identities.get(name)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("identities", &self.identities)
            .finish_non_exhaustive()
    }
}

/// The versions from TLS 1.3 on.
static ONLY_TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

impl Version {
    /// The versions that may be chosen if this is the oldest.
    fn and_later(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => rustls::ALL_VERSIONS,
            Self::Tls13 => ONLY_TLS13,
        }
    }
}

/// Checks the names of protocols, for ALPN.
fn check_protocols(protocols: &[Vec<u8>]) -> Result<(), TlsError> {
    if protocols.len() > MAX_PROTOCOLS {
        let text = format!("more than {MAX_PROTOCOLS} protocols can't be named");
        return Err(TlsError::Argument(text));
    }
    for name in protocols {
        if !(1..=255).contains(&name.len()) {
            let text = "the name of a protocol has 1 to 255 bytes";
            return Err(TlsError::Argument(text.to_owned()));
        }
    }
    Ok(())
}

/// Checks that texts are not too long to be read while everybody waits.
fn check_length(texts: &[&[u8]]) -> Result<u64, TlsError> {
    let length: usize = texts.iter().map(|text| text.len()).sum();
    if length > MAX_TEXT {
        let text = "certificates and keys of more than 1 MiB can't be used";
        return Err(TlsError::Argument(text.to_owned()));
    }
    Ok(length as u64)
}
