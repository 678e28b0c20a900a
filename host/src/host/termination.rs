//! SIGINT and SIGTERM: they ask a program to end.

use std::os::fd::AsFd;

use nix::sys::signal::{self, SigSet};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::Error;
use crate::permissions::Signal;
use crate::traps::{SharedKernel, lock};

/// The two signals.
const SIGNALS: [signal::Signal; 2] = [signal::Signal::SIGINT, signal::Signal::SIGTERM];

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
    /// The number of the last one that came.
    last: Option<i32>,
}

impl Termination {
    /// Takes the two signals. To be called before the process has a second thread, since
    /// those that exist already would still be ended by them.
    ///
    /// # Errors
    /// If the system gives no descriptor for it.
    pub fn take() -> Result<Self, Error> {
        let mask = SigSet::from_iter(SIGNALS);
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
    pub(super) fn read(&self) -> Option<Signal> {
        let info = self.signals.read_signal().ok().flatten()?;
        let number = u8::try_from(info.ssi_signo).ok()?;
        Signal::new(number).ok()
    }

    /// Takes notice of a signal that has come. Says what it asks for, if it is one of the two.
    pub(super) fn note(&mut self, signal: Signal) -> Option<Request> {
        let number = i32::from(signal.number());
        if !SIGNALS.iter().any(|known| *known as i32 == number) {
            return None;
        }
        let before = self.last.replace(number);
        Some(if before.is_none() {
            Request::First
        } else {
            Request::Further
        })
    }

    /// Takes notice of a signal that was read elsewhere. Returns false if it is none of the two.
    pub(crate) fn take_notice(&mut self, signal: Signal) -> bool {
        self.note(signal).is_some()
    }

    /// Looks whether a signal has come, for as long as no [`Host`] watches.
    /// Returns the number of the last one.
    ///
    /// [`Host`]: crate::Host
    pub fn poll(&mut self) -> Option<i32> {
        while let Some(signal) = self.read() {
            self.note(signal);
        }
        self.last_signal()
    }

    /// The number of the last signal that came.
    pub fn last_signal(&self) -> Option<i32> {
        self.last
    }
}

fn setup_error(source: impl Into<std::io::Error>) -> Error {
    Error::Setup {
        what: "the handling of signals",
        source: source.into(),
    }
}
