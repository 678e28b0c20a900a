//! The program `curio-host`: see `curio_host::cli`, which is all of it.

use std::process::ExitCode;

use curio_host::cli;

fn main() -> ExitCode {
    let status = cli::run(std::env::args_os().collect()).unwrap_or_else(|failure| {
        cli::report(&failure);
        failure.status()
    });
    ExitCode::from(status)
}
