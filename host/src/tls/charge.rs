//! The memory that TLS takes, and what is charged for that.
//!
//! What is charged covers the most that each may take: the texts as they were given, the largest messages of a
//! handshake, and the buffers of a connection, whose sizes `stream` limits.

use std::sync::Arc;

use super::Identity;
use crate::limits::{Allowance, Held, LimitExceeded};

/// A configuration, besides its texts.
const CONFIG: u64 = 16 * 1024;

/// A connection in its handshake: the largest messages there are, a certificate chain of 64 KiB among them, in and out.
const HANDSHAKE: u64 = 192 * 1024;

/// A connection afterwards, besides the peer's certificates: a record to send, and two that came.
const OPEN: u64 = 72 * 1024;

/// How many times the text of authorities is held: as read, as the names that peers are told, and as a copy of both
/// when connections are made.
const AUTHORITIES_COPIES: u64 = 3;

/// What one name for ALPN takes besides its bytes.
const NAME: u64 = 32;

/// The memory that is held for a configuration, as long as that or one of its connections is there.
#[derive(Clone, Debug)]
pub(super) struct Charge(Arc<Held>);

/// The memory that is held for a connection, and for its configuration.
#[derive(Debug)]
pub(crate) struct ConnectionCharge {
    held: Held,
    /// The library keeps the configuration for as long as a connection needs it.
    _config: Charge,
}

impl Charge {
    /// Holds memory for a configuration.
    ///
    /// # Errors
    /// If there is not enough left.
    pub(super) fn of_config(
        allowance: &Allowance,
        authorities: u64,
        identity: Option<&Identity>,
        alpn: &[Vec<u8>],
    ) -> Result<Self, LimitExceeded> {
        let identity = identity.map_or(0, Identity::given);
        let names: u64 = alpn.iter().map(|name| NAME + name.len() as u64).sum();
        // The names are held twice: as given, and as the library has them.
        let bytes = CONFIG + AUTHORITIES_COPIES * authorities + identity + 2 * names;
        Ok(Self(Arc::new(allowance.hold(bytes)?)))
    }

    /// Holds memory for a connection that begins its handshake.
    ///
    /// # Errors
    /// If there is not enough left.
    pub(super) fn of_connection(&self) -> Result<ConnectionCharge, LimitExceeded> {
        Ok(ConnectionCharge {
            held: self.0.allowance().hold(HANDSHAKE)?,
            _config: self.clone(),
        })
    }
}

impl ConnectionCharge {
    /// Gives back what a connection needs no more once its handshake is done.
    pub(super) fn settle(&mut self, peer_certificates: u64) {
        self.held.shrink_to(OPEN + peer_certificates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn memory_is_held_until_the_last_connection_is_gone() {
        let allowance = Allowance::new(&Limits::default().with_memory(1 << 20));
        for _ in 0..100 {
            let names = [b"h2".to_vec()];
            let config = Charge::of_config(&allowance, 1000, None, &names).unwrap();
            let of_config = allowance.used();
            assert_eq!(of_config, CONFIG + 3000 + 2 * 34);
            let mut connection = config.of_connection().unwrap();
            assert_eq!(allowance.used(), of_config + HANDSHAKE);
            connection.settle(500);
            assert_eq!(allowance.used(), of_config + OPEN + 500);
            drop(config);
            assert_eq!(allowance.used(), of_config + OPEN + 500);
            drop(connection);
            assert_eq!(allowance.used(), 0);
        }
        assert!(Charge::of_config(&allowance, 1 << 20, None, &[]).is_err());
        assert_eq!(allowance.used(), 0);
    }
}
