//! Blocking signals, and delivering one after all.
//!
//! `nix` has no real-time signals, so that the system's own functions are called here, and nowhere else.

use std::io;

use nix::libc;
use nix::sys::signal::SigSet;

use crate::permissions::{Signal, SignalMask};

/// Signals as the system has them.
#[expect(unsafe_code, reason = "nix makes no set of real-time signals")]
pub(super) fn set(signals: SignalMask) -> SigSet {
    let mut set = *SigSet::empty().as_ref();
    for signal in signals.iter() {
        // SAFETY: `set` is a set that was initialised as an empty one. It fails if there is no such signal, and then
        // leaves the set as it is.
        unsafe { libc::sigaddset(&raw mut set, libc::c_int::from(signal.number())) };
    }
    // SAFETY: it was initialised above.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

/// Lets a blocked signal do to the process what it would have done: end it, stop it, or nothing. It is blocked
/// again then.
pub(crate) fn deliver(signal: Signal) {
    if let Err(error) = raise(signal) {
        tracing::warn!("{signal} has come, and nothing came of it: {error}");
    }
}

#[expect(unsafe_code, reason = "nix raises no real-time signals")]
fn raise(signal: Signal) -> io::Result<()> {
    let set = set([signal].into_iter().collect());
    // SAFETY: it takes a number; whoever has made a handler for that has seen to it that it may run.
    let raised = unsafe { libc::raise(libc::c_int::from(signal.number())) };
    if raised != 0 {
        return Err(io::Error::last_os_error());
    }
    set.thread_unblock()?;
    set.thread_block()?;
    Ok(())
}
