//! What the tests share: starting `curio-host`, and looking at what it does.
//!
//! - [`Run`]: a command line, step by step
//! - [`Running`]: the program while it runs
//! - [`Output`]: what it has done
//! - [`certificates`]: certificates with their keys
//! - [`components`]: tiny components, written as text
//! - [`guests`]: real guests; `build` builds them

mod build;
pub(crate) mod certificates;
pub(crate) mod components;
pub(crate) mod guests;
mod output;
mod run;
mod running;

pub(crate) use self::output::Output;
pub(crate) use self::run::Run;
pub(crate) use self::running::Running;
