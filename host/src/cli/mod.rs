//! The command line: `curio-host [run] [OPTIONS] app.wasm [ARGS…]` and `curio-host compile app.wasm`.
//!
//! It has no powers of its own: it fills in [`Options`](crate::Options) and
//! [`EngineOptions`](crate::EngineOptions), and runs what any embedder can run. From the words to the end:
//!
//! - `command`: which command is meant
//! - `args`, `help`: the options and what is said of them
//! - `usage`: what is wrong with them, on one line
//! - `settings`: from what was typed to what the library takes
//! - `activation`: the sockets that a supervisor hands over
//! - `log`: the host's own messages
//! - `run`, `compile`: the commands; `worker`: what the program starts itself
//! - `failure`: why a command failed, and with which status

mod activation;
mod args;
mod command;
mod compile;
mod failure;
mod help;
mod log;
mod run;
mod settings;
mod usage;
mod worker;

use std::ffi::OsString;

use clap::Parser;
use nix::poll::PollTimeout;

use self::args::{CompileArgs, RunArgs, WorkerArgs};
use self::command::Command;
pub use self::failure::Failure;
use crate::stdio::Output;

/// For how many milliseconds a report is kept back by whoever should read it.
const PATIENCE: u16 = 1000;

/// Does what the words of a command line ask for, the program's name first.
/// Returns the status to exit with, unless there is something to be said besides.
///
/// Takes SIGINT and SIGTERM for itself, and the sockets that a supervisor hands over: to be called before the process
/// has a second thread or opens anything.
///
/// # Errors
/// If anything but the guest's own status is to be reported.
pub fn run(words: Vec<OsString>) -> Result<u8, Failure> {
    let (command, words) = command::find(words);
    let parsed = match command {
        Command::Run => RunArgs::try_parse_from(words).map(|args| run::run(&args)),
        Command::ProcessWorker => WorkerArgs::try_parse_from(words).map(|args| worker::run(&args)),
        Command::Compile => CompileArgs::try_parse_from(words).map(|args| compile::run(&args)),
    };
    parsed.unwrap_or_else(|error| usage::answer(command, &error))
}

/// Says on standard error why a command failed. The program ends soon even if nobody reads that.
pub fn report(failure: &Failure) {
    let text = format!("curio-host: {failure}\n");
    let patience = PollTimeout::from(PATIENCE);
    let told =
        Output::stderr().and_then(|stderr| stderr.write_all_within(text.as_bytes(), patience));
    // Nobody is left to be told if this fails.
    drop(told);
}
