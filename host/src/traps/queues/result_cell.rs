//! Results.

use wasmtime::component::Resource;

use crate::bindings::queues::{HostResultCell, Key, Outcome};
use crate::bindings::traps::Caller;
use crate::shared::{ResultCell, Set};
use crate::traps::{Guest, TrapError};

impl From<Outcome> for Set {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Value(bytes) => Self::Value(bytes),
            Outcome::Failure(bytes) => Self::Failure(bytes),
        }
    }
}

impl From<Set> for Outcome {
    fn from(set: Set) -> Self {
        match set {
            Set::Value(bytes) => Self::Value(bytes),
            Set::Failure(bytes) => Self::Failure(bytes),
        }
    }
}

impl HostResultCell for Guest {
    fn create(&mut self) -> Result<Resource<ResultCell>, TrapError> {
        trace_trap!("result-cell.create");
        self.share(|site| ResultCell::new(site.kernel, site.owner, site.registry, site.allowance))
    }

    fn open(&mut self, key: Key) -> Result<Resource<ResultCell>, TrapError> {
        trace_trap!("result-cell.open");
        self.open_shared(key)
    }

    fn key(&mut self, this: Resource<ResultCell>) -> Result<Key, TrapError> {
        trace_trap!("result-cell.key", cell = this.rep());
        Ok(self.table.get(&this)?.key()?.into())
    }

    fn set(&mut self, this: Resource<ResultCell>, outcome: Outcome) -> Result<(), TrapError> {
        trace_trap!("result-cell.set", cell = this.rep());
        let allowance = self.allowance();
        Ok(self.table.get(&this)?.set(outcome.into(), &allowance)?)
    }

    fn is_set(&mut self, this: Resource<ResultCell>) -> wasmtime::Result<bool> {
        trace_trap!("result-cell.is-set", cell = this.rep());
        Ok(self.table.get(&this)?.is_set())
    }

    fn get(&mut self, this: Resource<ResultCell>) -> Result<Outcome, TrapError> {
        trace_trap!("result-cell.get", cell = this.rep());
        Ok(self.table.get(&this)?.get()?.into())
    }

    fn wait(&mut self, this: Resource<ResultCell>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "result-cell.wait",
            cell = this.rep(),
            task = self.serial(by.task)
        );
        let standing = self.table.get(&this)?.wait();
        self.wait_shared(standing, by)
    }

    fn drop(&mut self, this: Resource<ResultCell>) -> wasmtime::Result<()> {
        trace_trap!("result-cell.drop", cell = this.rep());
        self.close_shared(this)
    }
}
