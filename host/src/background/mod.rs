//! What would block the kernel's thread, and is done on others.
//!
//! - `threads`: these
//! - `errand`: what they do for a guest's handle, and how its task learns that it is done

mod errand;
mod threads;

pub(crate) use self::errand::{Brought, Errand};
pub(crate) use self::threads::Background;
