//! Signals that this process takes.

use std::io;
use std::os::fd::AsFd;

use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::mask;
use crate::error::Error;
use crate::kernel::{Kernel, SourceKey};
use crate::permissions::{Permissions, Signal, SignalMask};

/// Signals that are sent to this process, as something that instances can watch: see
/// [`Host::watch_signals`](crate::Host::watch_signals).
///
/// They are blocked in the thread that takes them, and in those that it starts from then on. They stay blocked when this is
/// dropped, and are in the programs that the process starts unless it sees to that.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
    taken: SignalMask,
}

impl Signals {
    /// Takes the signals that permissions allow to watch. To be called before the process has a second thread, since
    /// one that exists already would still get them; and once, since of two that take the same signal either may get it.
    ///
    /// # Errors
    /// If the system gives no descriptor for it.
    pub fn take(permissions: &Permissions) -> Result<Self, Error> {
        let taken = permissions.signals();
        let set = mask::set(taken);
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = set
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, flags));
        let descriptor = descriptor.map_err(|source| Error::Setup {
            what: "the watching of signals",
            source: source.into(),
        })?;
        Ok(Self { descriptor, taken })
    }

    /// Which signals were taken.
    pub(super) fn taken(&self) -> SignalMask {
        self.taken
    }

    /// Lets a kernel watch for them.
    pub(super) fn watch(&self, kernel: &mut Kernel) -> io::Result<SourceKey> {
        let (source, _) = kernel.watch(None, self.descriptor.as_fd())?;
        Ok(source)
    }

    /// Reads one signal, if one has come.
    pub(crate) fn read(&self) -> Option<Signal> {
        let info = self.descriptor.read_signal().ok().flatten()?;
        let number = u8::try_from(info.ssi_signo).ok()?;
        Signal::new(number).ok()
    }
}
