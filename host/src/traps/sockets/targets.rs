//! The addresses that a guest may connect, send or bind to.

use crate::bindings::sockets::Address;
use crate::sockets::Target;
use crate::traps::{Guest, TrapError};

impl Guest {
    /// Checks that the guest may connect or send to an address.
    pub(super) fn to_reach(&self, to: Address) -> Result<Target, TrapError> {
        let address = match to {
            Address::Ipv4(v4) => v4.into(),
            Address::Ipv6(v6) => v6.into(),
            Address::Unix(path) => {
                let place = self.permissions.check_connect_unix(&path)?;
                return Ok(Target::Unix(path, place));
            }
            Address::Unnamed => return Err(unnamed()),
        };
        self.check_connect(address)?;
        Ok(Target::Ip(address))
    }

    /// Checks that the guest may bind to an address.
    pub(super) fn to_bind(&self, to: Address) -> Result<Target, TrapError> {
        let address = match to {
            Address::Ipv4(v4) => v4.into(),
            Address::Ipv6(v6) => v6.into(),
            Address::Unix(path) => {
                let place = self.permissions.check_listen_unix(&path)?;
                return Ok(Target::Unix(path, place));
            }
            Address::Unnamed => return Err(unnamed()),
        };
        self.permissions.check_listen(address)?;
        Ok(Target::Ip(address))
    }
}

fn unnamed() -> TrapError {
    TrapError::invalid_argument("an unnamed address leads nowhere")
}
