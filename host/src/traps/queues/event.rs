//! Events.

use wasmtime::component::Resource;

use crate::bindings::queues::{HostEvent, Key};
use crate::bindings::traps::Caller;
use crate::shared::Event;
use crate::traps::{Guest, TrapError};

impl HostEvent for Guest {
    fn create(&mut self) -> Result<Resource<Event>, TrapError> {
        trace_trap!("event.create");
        self.share(|site| Event::new(site.kernel, site.owner, site.registry, site.allowance))
    }

    fn open(&mut self, key: Key) -> Result<Resource<Event>, TrapError> {
        trace_trap!("event.open");
        self.open_shared(key)
    }

    fn key(&mut self, this: Resource<Event>) -> Result<Key, TrapError> {
        trace_trap!("event.key", event = this.rep());
        Ok(self.table.get(&this)?.key()?.into())
    }

    fn set(&mut self, this: Resource<Event>) -> wasmtime::Result<()> {
        trace_trap!("event.set", event = this.rep());
        self.table.get(&this)?.set();
        Ok(())
    }

    fn clear(&mut self, this: Resource<Event>) -> wasmtime::Result<()> {
        trace_trap!("event.clear", event = this.rep());
        self.table.get(&this)?.clear();
        Ok(())
    }

    fn unset(&mut self, this: Resource<Event>) -> wasmtime::Result<Option<u64>> {
        trace_trap!("event.unset", event = this.rep());
        Ok(self.table.get(&this)?.unset())
    }

    fn wait(&mut self, this: Resource<Event>, more_than: u64, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "event.wait",
            event = this.rep(),
            more_than,
            task = self.serial(by.task)
        );
        let standing = self.table.get(&this)?.wait(more_than);
        self.wait_shared(standing, by)
    }

    fn drop(&mut self, this: Resource<Event>) -> wasmtime::Result<()> {
        trace_trap!("event.drop", event = this.rep());
        self.close_shared(this)
    }
}
