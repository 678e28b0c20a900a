//! `curio:kernel/log`: a guest's messages in the host's log.

use super::Guest;
use crate::bindings::log::{self, Level};
use crate::printable;

/// How many characters of a message are written.
const MAX_MESSAGE: usize = 4096;

impl log::Host for Guest {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        // Escaped, so that a guest can't paint on the operator's terminal or forge lines.
        let message: String = message.chars().take(MAX_MESSAGE).collect();
        let message = printable::escape(&message, &['\t']);
        match level {
            Level::Error => tracing::error!(target: "guest", "{message}"),
            Level::Warn => tracing::warn!(target: "guest", "{message}"),
            Level::Info => tracing::info!(target: "guest", "{message}"),
            Level::Debug => tracing::debug!(target: "guest", "{message}"),
            Level::Trace => tracing::trace!(target: "guest", "{message}"),
        }
        Ok(())
    }
}
