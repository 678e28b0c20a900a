//! Signals: those that end an instance, those that instances watch, and those that nobody does.

use std::io;

use super::termination::Request;
use super::{Exit, Host, Instance, Termination};
use crate::error::Error;
use crate::permissions::Signal;
use crate::signals::{self, Signals};
use crate::traps::lock;

impl Host {
    /// Lets SIGINT and SIGTERM end an instance: the first one is to cancel its main task, the
    /// second one stops it. To be called once: a host has one instance that signals end.
    ///
    /// # Errors
    /// If it was called before, or the system gives no descriptor for it.
    pub fn end_on(&mut self, mut signals: Termination, instance: Instance) -> Result<(), Error> {
        if self.termination.is_some() {
            return Err(Error::Setup {
                what: "the handling of signals",
                source: io::Error::other("signals end an instance of this host already"),
            });
        }
        signals.watch(&self.kernel)?;
        self.termination = Some((signals, instance.0));
        Ok(())
    }

    /// Lets instances watch signals, as far as their permissions allow it. Each instance gets every signal that it
    /// watches. One that nobody watches does what it always does, to the whole process; unless it is SIGINT or
    /// SIGTERM, which ends an instance if [`Host::end_on`] says so. To be called once.
    ///
    /// ```no_run
    /// use curio_host::{Component, Engine, EngineOptions, Host, Options, Signals};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut options = Options::default();
    /// options.permissions.allow_signal("USR1,HUP")?;
    /// // Before there are other threads: an engine has some.
    /// let signals = Signals::take(&options.permissions)?;
    /// let engine = Engine::new(&EngineOptions::default())?;
    /// let component = Component::load(&engine, "app.wasm")?;
    /// let mut host = Host::new(&engine)?;
    /// host.watch_signals(signals)?;
    /// let app = host.start(&component, options)?;
    /// println!("{}", host.run(app)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If it was called before, or the system can't watch for them.
    pub fn watch_signals(&mut self, signals: Signals) -> Result<(), Error> {
        let setup_error = |source| Error::Setup {
            what: "the watching of signals",
            source,
        };
        let mut watchers = signals::lock(&self.watchers);
        let begun = watchers.begin(signals, &mut lock(&self.kernel));
        if begun.map_err(setup_error)? {
            return Ok(());
        }
        let twice = io::Error::other("this host watches signals already");
        Err(setup_error(twice))
    }

    /// The number of the last signal that came to what [`Host::end_on`] was given.
    pub fn termination_signal(&self) -> Option<i32> {
        self.termination.as_ref()?.0.last_signal()
    }

    /// Does what signals ask for that have come.
    pub(super) fn see_to_signals(&mut self) {
        signals::lock(&self.watchers).read(&mut lock(&self.kernel));
        while let Some(signal) = self.next_unclaimed() {
            self.take_signal(signal);
        }
    }

    /// The next signal that has come and that nobody watches.
    fn next_unclaimed(&mut self) -> Option<Signal> {
        let mut watchers = signals::lock(&self.watchers);
        let unclaimed = watchers.take_unclaimed();
        if unclaimed.is_some() {
            return unclaimed;
        }
        let (termination, _) = self.termination.as_ref()?;
        // What was read here instead of there may be watched just as well.
        std::iter::from_fn(|| termination.read())
            .find(|signal| !watchers.hand_out(*signal, &mut lock(&self.kernel)))
    }

    /// Does what is to be done at a signal that nobody watches.
    fn take_signal(&mut self, signal: Signal) {
        let Some((termination, key)) = &mut self.termination else {
            return signals::deliver(signal);
        };
        let key = *key;
        match termination.note(signal) {
            Some(Request::First) if lock(&self.kernel).request_end(key) => {}
            Some(_) => self.end(key, Exit::Stopped),
            None => signals::deliver(signal),
        }
    }
}
