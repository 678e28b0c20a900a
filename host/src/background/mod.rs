//! What would block the kernel's thread, and is done on others.
//!
//! - `threads`: these
//! - `errand`: what they do for a guest's handle, and how its task learns that it is done
//! - `line`: how much of that is done at a time

mod errand;
mod line;
mod threads;

pub(crate) use self::errand::{Brought, Errand};
pub(crate) use self::line::Line;
pub(crate) use self::threads::Background;
