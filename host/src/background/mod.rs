//! What would block the kernel's thread, and is done on others.
//!
//! - `threads`: these
//! - `errand`: what they do for a guest's handle, and how its task learns that it is done
//! - `lane`: how many errands of one kind are under way at a time

mod errand;
mod lane;
mod threads;

pub(crate) use self::errand::{Brought, Errand};
use self::lane::Place;
pub(crate) use self::lane::{ERRANDS, Lane};
pub(crate) use self::threads::Background;
