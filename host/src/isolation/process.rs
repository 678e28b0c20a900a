//! What a process can do without, whatever is granted.

use std::os::fd::RawFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

use super::{Force, Orphaned};

/// How many descriptors a process has that are no handle of its guest's: its event queues, directories, connections
/// and what is on the way.
const OWN_DESCRIPTORS: u32 = 256;

/// Has the process killed when its starter ends.
///
/// # Errors
/// If it has ended before.
pub(super) fn end_with(parent: Pid) -> Result<Force, Orphaned> {
    let set = prctl::set_pdeathsig(Signal::SIGKILL);
    // It may have ended before that was set.
    if getppid() != parent {
        return Err(Orphaned);
    }
    Ok(Force::of(set))
}

/// Closes all descriptors but the standard streams and some others.
pub(super) fn close_all_but(keep: &[RawFd]) -> Force {
    let mut keep: Vec<_> = keep
        .iter()
        .filter_map(|fd| u32::try_from(*fd).ok())
        .collect();
    keep.retain(|fd| *fd > 2);
    keep.sort_unstable();
    let mut first = 3;
    for fd in keep {
        if first < fd
            && let Err(error) = close(first, fd - 1)
        {
            return Force::Missing(error.to_string());
        }
        first = fd + 1;
    }
    Force::of(close(first, u32::MAX))
}

#[expect(unsafe_code, reason = "neither nix nor rustix has close_range")]
fn close(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: it takes numbers. Nobody owns these descriptors: the caller, `isolation::begin`, comes before anything is
    // opened, so they are what the process has inherited and nobody has told it of.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    Errno::result(closed).map(drop)
}

/// Has the system keep no image of the memory when the process crashes.
pub(super) fn leave_no_core() -> Force {
    Force::of(setrlimit(Resource::RLIMIT_CORE, 0, 0))
}

/// Keeps processes of the same user from reading the memory.
pub(super) fn hide_memory() -> Force {
    Force::of(prctl::set_dumpable(false))
}

/// Gives up ever getting further privileges, by set-user-ID programs say.
pub(super) fn give_up_privileges() -> Force {
    Force::of(prctl::set_no_new_privs())
}

/// Limits the descriptors to what a guest may have, and what is needed besides.
pub(super) fn limit_descriptors(handles: u32) -> Force {
    let wanted = rlim_t::from(handles.saturating_add(OWN_DESCRIPTORS));
    let set = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| {
        let limit = wanted.min(hard);
        setrlimit(Resource::RLIMIT_NOFILE, limit, limit)
    });
    Force::of(set)
}
