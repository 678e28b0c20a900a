//! The table of descriptors, which the system makes when the process needs it.

use std::sync::Once;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit};

/// For how many descriptors there is room, if the process may have so many: for the entries, 512 KiB.
const ROOM: u64 = 1 << 16;

/// Makes room for many descriptors at once. The system makes it by doubling, and in a process with several threads each
/// time waits for all processors, which takes tens of milliseconds: so a guest that opened many would hold up the others.
/// Best called while the process has one thread.
pub(crate) fn reserve_descriptors() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(ROOM);
        let last = ROOM.min(limit).saturating_sub(1);
        let last = i32::try_from(last).unwrap_or_default();
        // Any open descriptor does; without one, or without memory, the table grows later.
        drop(fcntl_dupfd_cloexec(std::io::stdin(), last));
    });
}
