//! The program `curio-host`: see `curio_host::cli`, which is all of it.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (status, message) = match curio_host::cli::run(std::env::args_os().collect()) {
        Ok(status) => (status, None),
        Err(failure) => (failure.status(), Some(failure.to_string())),
    };
    if let Some(message) = message {
        // Nobody is left to be told if this fails.
        drop(writeln!(std::io::stderr(), "curio-host: {message}"));
    }
    ExitCode::from(status)
}
