//! Queues.

use wasmtime::component::Resource;

use crate::bindings::queues::{HostQueue, Key, QueueSide};
use crate::bindings::traps::Caller;
use crate::shared::{Queue, Side};
use crate::traps::{Guest, TrapError};

impl From<QueueSide> for Side {
    fn from(side: QueueSide) -> Self {
        match side {
            QueueSide::Put => Self::Put,
            QueueSide::Get => Self::Get,
        }
    }
}

impl HostQueue for Guest {
    fn create(&mut self, max_size: u32) -> Result<Resource<Queue>, TrapError> {
        trace_trap!("queue.create", max_size);
        let max = (max_size > 0).then_some(max_size);
        self.share(|site| Queue::new(site.kernel, site.owner, site.registry, site.allowance, max))
    }

    fn open(&mut self, key: Key) -> Result<Resource<Queue>, TrapError> {
        trace_trap!("queue.open");
        self.open_shared(key)
    }

    fn key(&mut self, this: Resource<Queue>) -> Result<Key, TrapError> {
        trace_trap!("queue.key", queue = this.rep());
        Ok(self.table.get(&this)?.key()?.into())
    }

    fn put(&mut self, this: Resource<Queue>, item: Vec<u8>) -> Result<(), TrapError> {
        trace_trap!("queue.put", queue = this.rep(), bytes = item.len());
        let allowance = self.allowance();
        Ok(self.table.get_mut(&this)?.put(item, &allowance)?)
    }

    fn get(&mut self, this: Resource<Queue>) -> Result<Vec<u8>, TrapError> {
        trace_trap!("queue.get", queue = this.rep());
        Ok(self.table.get_mut(&this)?.get()?)
    }

    fn wait(
        &mut self,
        this: Resource<Queue>,
        side: QueueSide,
        by: Caller,
    ) -> wasmtime::Result<u64> {
        trace_trap!(
            "queue.wait",
            queue = this.rep(),
            ?side,
            task = self.serial(by.task)
        );
        let standing = self.table.get(&this)?.wait(side.into());
        self.wait_shared(standing, by)
    }

    fn leave(&mut self, this: Resource<Queue>, side: QueueSide) -> wasmtime::Result<()> {
        trace_trap!("queue.leave", queue = this.rep(), ?side);
        self.table.get_mut(&this)?.leave(side.into());
        Ok(())
    }

    fn task_done(&mut self, this: Resource<Queue>) -> Result<(), TrapError> {
        trace_trap!("queue.task-done", queue = this.rep());
        Ok(self.table.get(&this)?.task_done()?)
    }

    fn undone(&mut self, this: Resource<Queue>) -> wasmtime::Result<Option<u64>> {
        trace_trap!("queue.undone", queue = this.rep());
        Ok(self.table.get(&this)?.undone())
    }

    fn join(&mut self, this: Resource<Queue>, more_than: u64, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "queue.join",
            queue = this.rep(),
            more_than,
            task = self.serial(by.task)
        );
        let standing = self.table.get(&this)?.join(more_than);
        self.wait_shared(standing, by)
    }

    fn length(&mut self, this: Resource<Queue>) -> wasmtime::Result<u32> {
        trace_trap!("queue.length", queue = this.rep());
        let length = self.table.get(&this)?.len();
        Ok(u32::try_from(length).unwrap_or(u32::MAX))
    }

    fn max_size(&mut self, this: Resource<Queue>) -> wasmtime::Result<Option<u32>> {
        trace_trap!("queue.max-size", queue = this.rep());
        Ok(self.table.get(&this)?.max())
    }

    fn drop(&mut self, this: Resource<Queue>) -> wasmtime::Result<()> {
        trace_trap!("queue.drop", queue = this.rep());
        self.close_shared(this)
    }
}
