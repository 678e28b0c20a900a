//! What would block the kernel's thread, and is done on others.
//!
//! - `threads`: these
//! - `errand`: what they do for a guest's handle, and how its task learns that it is done
//! - `reaper`: dropping what takes long to drop
//! - `lane`: how many errands of one kind are under way at a time

mod errand;
mod lane;
mod reaper;
mod threads;

pub(crate) use self::errand::{Brought, Errand};
use self::lane::Place;
pub(crate) use self::lane::{ERRANDS, Lane};
pub(crate) use self::reaper::reap;
pub(crate) use self::threads::Background;
