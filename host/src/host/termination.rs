//! SIGINT and SIGTERM: they ask a program to end.

use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::Error;
use crate::traps::{SharedKernel, lock};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The first signal: to end in order.
    First,
    /// A further one: to end.
    Further,
}

/// SIGINT and SIGTERM of this process, as something to wait for.
#[derive(Debug)]
pub struct Termination {
    signals: SignalFd,
    last: Option<Signal>,
}

impl Termination {
    /// Takes the two signals. To be called before the process has a second thread, since
    /// those that exist already would still be ended by them.
    ///
    /// # Errors
    /// If the system gives no descriptor for it.
    pub fn take() -> Result<Self, Error> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.add(Signal::SIGTERM);
        let signals = mask.thread_block().and_then(|()| {
            SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        });
        Ok(Self {
            signals: signals.map_err(setup_error)?,
            last: None,
        })
    }

    /// Lets a kernel watch for the signals.
    pub(super) fn watch(&mut self, kernel: &SharedKernel) -> Result<(), Error> {
        let watched = lock(kernel).watch(None, self.signals.as_fd());
        watched.map(drop).map_err(setup_error)
    }

    /// Reads one signal, if there is one.
    pub(super) fn read(&mut self) -> Option<Request> {
        let info = self.signals.read_signal().ok().flatten()?;
        let signal = i32::try_from(info.ssi_signo).ok()?;
        let first = self.last.is_none();
        self.last = Signal::try_from(signal).ok();
        Some(if first {
            Request::First
        } else {
            Request::Further
        })
    }

    /// Looks whether a signal has come, for as long as no [`Host`] watches.
    /// Returns the number of the last one.
    ///
    /// [`Host`]: crate::Host
    pub fn poll(&mut self) -> Option<i32> {
        while self.read().is_some() {}
        self.last_signal()
    }

    /// The number of the last signal that came.
    pub fn last_signal(&self) -> Option<i32> {
        self.last.map(|signal| signal as i32)
    }
}

fn setup_error(source: impl Into<std::io::Error>) -> Error {
    Error::Setup {
        what: "the handling of signals",
        source: source.into(),
    }
}
