//! What the tests share: starting `curio-host`, and looking at what it does.
//!
//! - [`Run`]: a command line, step by step
//! - [`Running`]: the program while it runs, or one of others
//! - [`Output`]: what it has done
//! - [`Process`]: what the system knows of it meanwhile
//! - [`certificates`]: certificates with their keys
//! - [`components`]: tiny components, written as text
//! - [`guests`]: real guests; `build` builds them
//! - [`programs`]: programs of others, to talk with guests

mod build;
pub(crate) mod certificates;
pub(crate) mod components;
pub(crate) mod guests;
mod output;
mod process;
pub(crate) mod programs;
mod run;
mod running;

pub(crate) use self::output::Output;
pub(crate) use self::process::Process;
pub(crate) use self::run::Run;
pub(crate) use self::running::Running;
