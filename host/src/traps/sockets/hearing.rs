//! Whose datagrams a socket receives. One that was bound under `--allow-listen`, or was handed over, receives from
//! everybody. Another one is bound by the system when it sends; by that it receives from those to whom the guest may
//! send, and what others send to it is thrown away.

use std::net::SocketAddr;

use super::Handle;
use crate::sockets::{Address, Socket};
use crate::traps::{Guest, TrapError};

/// How many datagrams are thrown away at once. If more come, the guest asks again.
const MAX_SKIPPED: usize = 64;

impl Guest {
    /// Throws away what has come and is not for the guest to receive.
    ///
    /// # Errors
    /// As receiving: if nothing else has come, that it would block.
    pub(super) fn skip_unheard(&self, this: &Handle) -> Result<(), TrapError> {
        let socket = self.table.get(this)?;
        if !socket.is_ajar() {
            return Ok(());
        }
        for _ in 0..MAX_SKIPPED {
            let (_, from) = socket.recv_from(0, true)?;
            if self.may_hear(socket, &from) {
                return Ok(());
            }
            socket.recv_from(0, false)?;
        }
        Err(std::io::Error::from(std::io::ErrorKind::WouldBlock).into())
    }

    fn may_hear(&self, socket: &Socket, from: &Address) -> bool {
        let Address::Ip(from) = *from else {
            return true;
        };
        if self.check_connect(from).is_ok() {
            return true;
        }
        let Ok(Address::Ip(local)) = socket.local_address() else {
            return false;
        };
        // It may have its port because it asked for any.
        let grants = [local.port(), 0].map(|port| SocketAddr::new(local.ip(), port));
        let mut grants = grants.iter();
        grants.any(|local| self.permissions.check_listen(*local).is_ok())
    }
}
