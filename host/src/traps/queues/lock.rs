//! Locks.

use wasmtime::component::Resource;

use crate::bindings::queues::{HostLock, Key};
use crate::bindings::traps::Caller;
use crate::shared::Lock;
use crate::traps::{Guest, TrapError};

impl HostLock for Guest {
    fn create(&mut self) -> Result<Resource<Lock>, TrapError> {
        trace_trap!("lock.create");
        self.share(|site| Lock::new(site.kernel, site.owner, site.registry, site.allowance))
    }

    fn open(&mut self, key: Key) -> Result<Resource<Lock>, TrapError> {
        trace_trap!("lock.open");
        self.open_shared(key)
    }

    fn key(&mut self, this: Resource<Lock>) -> Result<Key, TrapError> {
        trace_trap!("lock.key", lock = this.rep());
        Ok(self.table.get(&this)?.key()?.into())
    }

    fn acquire(&mut self, this: Resource<Lock>) -> Result<bool, TrapError> {
        trace_trap!("lock.acquire", lock = this.rep());
        Ok(self.table.get_mut(&this)?.acquire()?)
    }

    fn wait(&mut self, this: Resource<Lock>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!("lock.wait", lock = this.rep(), task = self.serial(by.task));
        let standing = self.table.get(&this)?.wait();
        self.wait_shared(standing, by)
    }

    fn leave(&mut self, this: Resource<Lock>) -> wasmtime::Result<()> {
        trace_trap!("lock.leave", lock = this.rep());
        self.table.get_mut(&this)?.leave();
        Ok(())
    }

    fn release(&mut self, this: Resource<Lock>) -> Result<(), TrapError> {
        trace_trap!("lock.release", lock = this.rep());
        Ok(self.table.get(&this)?.release()?)
    }

    fn is_locked(&mut self, this: Resource<Lock>) -> wasmtime::Result<bool> {
        trace_trap!("lock.is-locked", lock = this.rep());
        Ok(self.table.get(&this)?.is_locked())
    }

    fn drop(&mut self, this: Resource<Lock>) -> wasmtime::Result<()> {
        trace_trap!("lock.drop", lock = this.rep());
        self.close_shared(this)
    }
}
