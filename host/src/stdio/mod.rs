//! The host's own standard streams, used without ever making the kernel's thread wait.
//!
//! A descriptor's blocking mode is shared with every process that has it, so it is left alone: a pipe or a terminal
//! is opened anew, a socket is told with each call, and what allows neither is asked first.
//!
//! - `input`: standard input
//! - `output`: standard output and error

mod input;
mod output;

pub(crate) use self::input::Input;
pub(crate) use self::output::{Output, Outputs};
