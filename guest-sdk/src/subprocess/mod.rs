//! Programs of the host, as child processes. `curio-host --allow-run=PROGRAM,…` says which.
//!
//! ```no_run
//! use curio::subprocess::{Command, Stdio, check_output};
//!
//! # async fn example() -> curio::Result<()> {
//! // All that it writes:
//! let listing = check_output(["ls", "-l"]).await?;
//!
//! // Line by line, while it runs:
//! let mut ping = Command::new("ping").arg("localhost").stdout(Stdio::pipe()).spawn()?;
//! let mut lines = ping.stdout.as_mut().expect("it is a pipe").lines();
//! while let Some(line) = lines.next().await {
//!     println!("{}", line?.escape_ascii());
//! }
//! println!("{}", ping.wait().await?);
//! # Ok(())
//! # }
//! ```
//!
//! | here | Python |
//! |---|---|
//! | [`Command`], then [`spawn`](Command::spawn) | `Popen(args, …)` |
//! | [`Popen`] | `Popen` |
//! | [`run`], [`Command::run`] | `run(args, …)` |
//! | [`check_output`], [`check_call`], [`call`] | the same |
//! | [`Stdio::pipe`], [`Stdio::null`], [`Stdio::stdout`] | `PIPE`, `DEVNULL`, `STDOUT` |
//! | [`CompletedProcess`], [`CalledProcessError`], [`TimeoutExpired`] | the same |
//!
//! # What a program gets
//!
//! The file that was granted, whatever `PATH` says; the variables of this program's environment, as
//! `std::env::vars` has them; the host's own working directory, unless [`Command::current_dir`] names one that `--dir`
//! grants; and its three standard streams. A variable can have a program run
//! foreign code: all but a few harmless ones, such as `LANG`, are refused unless `--run-env` grants them.
//!
//! No sandbox holds it: it can do all that the host's user can.
//!
//! # No process stays behind
//!
//! The kernel takes the status of a child as soon as it ends, whether or not somebody waits for it. A [`Popen`] that is
//! dropped leaves its child running, unless it was told to [kill](Command::kill_on_drop) it. When the program ends, in
//! whatever way, the children that still run are killed.

mod command;
mod communicate;
mod outcome;
mod pipe;
mod popen;
mod run;
mod status;
mod stdio;

pub use self::command::Command;
pub use self::outcome::{CalledProcessError, CompletedProcess, Output, TimeoutExpired};
pub use self::pipe::{Pipe, PipeStream};
pub use self::popen::Popen;
pub use self::run::{call, check_call, check_output, run};
pub use self::status::ExitStatus;
pub use self::stdio::Stdio;
