//! `curio:kernel/signals`: watching signals, under the permissions.

use wasmtime::component::Resource;

use super::{Guest, TrapError, lock};
use crate::bindings::signals;
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::Direction;
use crate::permissions::{InvalidSignal, Signal, SignalMask};
use crate::signals::{self as system, Ignorer, Watcher};

impl Guest {
    /// The signals with these numbers, if the guest may watch them and the host has taken them.
    fn signals(&self, numbers: &[u8]) -> Result<SignalMask, TrapError> {
        if numbers.is_empty() {
            return Err(TrapError::invalid_argument(
                "no signal is given; give one at least",
            ));
        }
        let mut signals = Vec::new();
        // All signals there are, and no more.
        for number in numbers.iter().take(usize::from(u8::MAX)) {
            let signal = Signal::new(*number).map_err(|problem: InvalidSignal| {
                TrapError::invalid_argument(&format!("signal {number} {problem}"))
            })?;
            signals.push(signal);
        }
        let watchers = system::lock(&self.watchers);
        for signal in &signals {
            self.permissions.check_signal(*signal)?;
            if !watchers.is_taken(*signal) {
                return Err(TrapError::invalid_state(&format!(
                    "{signal} can't be watched: whoever runs the host has not given it this signal"
                )));
            }
        }
        Ok(signals.into_iter().collect())
    }
}

impl signals::Host for Guest {}

impl signals::HostWatcher for Guest {
    fn watch(&mut self, numbers: Vec<u8>) -> Result<Resource<Watcher>, TrapError> {
        trace_trap!("watcher.watch", ?numbers);
        let signals = self.signals(&numbers)?;
        self.with_handle(|guest| {
            let watchers = guest.watchers.clone();
            let mut watchers = system::lock(&watchers);
            let watcher = watchers.watch(guest.key, signals, &mut lock(&guest.kernel))?;
            let pushed = guest.push(watcher.clone());
            if pushed.is_err() {
                watchers.close_watcher(&watcher, &mut lock(&guest.kernel));
            }
            pushed
        })
    }

    fn next(&mut self, this: Resource<Watcher>) -> Result<u8, TrapError> {
        trace_trap!("watcher.next", watcher = this.rep());
        let watcher = self.table.get(&this)?;
        let mut watchers = system::lock(&self.watchers);
        let next = watchers.next(watcher, &mut lock(&self.kernel));
        let signal = next.ok_or(TrapError::Told(types::Error::WouldBlock))?;
        Ok(signal.number())
    }

    fn read_wait(&mut self, this: Resource<Watcher>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "watcher.read-wait",
            watcher = this.rep(),
            task = self.serial(by.task)
        );
        let key = self.key;
        let source = self.table.get(&this)?.source();
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, Direction::Read))
    }

    fn drop(&mut self, this: Resource<Watcher>) -> wasmtime::Result<()> {
        trace_trap!("watcher.drop", watcher = this.rep());
        let watcher = self.table.delete(this)?;
        let mut kernel = lock(&self.kernel);
        system::lock(&self.watchers).close_watcher(&watcher, &mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}

impl signals::HostIgnorer for Guest {
    fn ignore(&mut self, numbers: Vec<u8>) -> Result<Resource<Ignorer>, TrapError> {
        trace_trap!("ignorer.ignore", ?numbers);
        let signals = self.signals(&numbers)?;
        self.with_handle(|guest| {
            let watchers = guest.watchers.clone();
            let mut watchers = system::lock(&watchers);
            let ignorer = watchers.ignore(guest.key, signals, &mut lock(&guest.kernel))?;
            let pushed = guest.push(ignorer.clone());
            if pushed.is_err() {
                watchers.close_ignorer(&ignorer, &mut lock(&guest.kernel));
            }
            pushed
        })
    }

    fn drop(&mut self, this: Resource<Ignorer>) -> wasmtime::Result<()> {
        trace_trap!("ignorer.drop", ignorer = this.rep());
        let ignorer = self.table.delete(this)?;
        let mut kernel = lock(&self.kernel);
        system::lock(&self.watchers).close_ignorer(&ignorer, &mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}
