//! The host's own messages, and those of guests: to standard error, if they are grave enough.
//!
//! A message that standard error does not take at once is lost: the kernel's thread waits for no reader.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;

use super::args::OtherArgs;
use super::failure::Failure;
use crate::Error;
use crate::stdio::Output;

/// Where the filter comes from if no option says.
const VARIABLE: &str = "CURIO_LOG";

/// What is logged if nothing is said.
const DEFAULT: &str = "warn";

/// Starts logging.
///
/// # Errors
/// If the filter makes no sense, or the process has no descriptor left.
pub(super) fn start(args: &OtherArgs) -> Result<(), Failure> {
    let Some((origin, filter)) = filter(args) else {
        return Ok(());
    };
    let wrong = |_| {
        Failure::Usage(format!(
            "{origin}: {filter:?} is no log level; \
             give off, error, warn, info, debug or trace, or a filter such as warn,guest=debug"
        ))
    };
    let filter = EnvFilter::builder().parse(&filter).map_err(wrong)?;
    let stderr = Output::stderr().map_err(|source| Error::Setup {
        what: "the log",
        source,
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Arc::new(Lossy(stderr)))
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .finish();
    // An embedder that calls this may log already; then its own way is kept.
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

/// What is to be logged, and who says so; nothing, if it is nothing.
#[expect(clippy::disallowed_methods, reason = "the host's own settings")]
pub(super) fn filter(args: &OtherArgs) -> Option<(&'static str, String)> {
    if args.quiet {
        return None;
    }
    Some(match (&args.log, std::env::var_os(VARIABLE)) {
        (Some(filter), _) => ("--log", filter.clone()),
        (None, Some(filter)) => (VARIABLE, filter.to_string_lossy().into_owned()),
        (None, None) => (VARIABLE, DEFAULT.to_owned()),
    })
}

/// Loses what is not taken at once.
struct Lossy(Output);

impl Write for &Lossy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
