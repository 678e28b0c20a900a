//! `process-worker`: what curio-host starts itself for the jobs of a guest. Nobody else has a use for it.

use super::args::{OtherArgs, WorkerArgs};
use super::command::PROCESS_WORKER;
use super::failure::Failure;
use super::log;
use crate::host::{WorkerProcess, WorkerProgram};

/// This program, as it is to be started for jobs: with the same log.
pub(super) fn program(args: &OtherArgs) -> WorkerProgram {
    let log = match log::filter(args) {
        Some((_, filter)) => format!("--log={filter}"),
        None => "--quiet".to_owned(),
    };
    WorkerProgram::new("/proc/self/exe", [PROCESS_WORKER, &log])
}

/// Does jobs for the process that started this one, until that is gone.
///
/// # Errors
/// If it was started by somebody else.
pub(super) fn run(args: &WorkerArgs) -> Result<u8, Failure> {
    let process = WorkerProcess::begin()?;
    log::start(&args.other)?;
    process.run()?;
    Ok(0)
}
