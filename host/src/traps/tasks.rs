//! `curio:kernel/traps`: tasks and what they wait for.

use std::future::poll_fn;

use slotmap::{Key, KeyData};
use wasmtime::component::Resource;

use super::{Guest, TrapError, lock};
use crate::bindings::traps::{self, Caller, TaskInfo};
use crate::kernel::{self, Fault, Instant, Kernel, QueueKey, ScopeKey, TaskKey, TrapKey};

/// What a guest's handle of a wait queue stands for.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct WaitQueue(QueueKey);

/// The number that a guest knows something by.
fn number(key: impl Key) -> u64 {
    key.data().as_ffi()
}

fn task(number: u64) -> TaskKey {
    KeyData::from_ffi(number).into()
}

fn scope(number: u64) -> ScopeKey {
    KeyData::from_ffi(number).into()
}

impl From<Caller> for kernel::Caller {
    fn from(caller: Caller) -> Self {
        Self {
            task: task(caller.task),
            scope: (caller.scope != 0).then(|| scope(caller.scope)),
            cookie: caller.cookie,
        }
    }
}

/// A resumption as the guest gets it: see `resumption-part` in `wit/traps.wit`.
fn parts(resumption: &kernel::Resumption) -> [u64; 3] {
    use kernel::Outcome as From;
    use traps::Outcome as To;

    let (outcome, value) = match resumption.outcome {
        From::Start => (To::Start, 0),
        From::Woken => (To::Woken, 0),
        From::Done(value) => (To::Done, value),
        From::Cancelled => (To::Cancelled, 0),
        From::TimedOut(at) => (To::TimedOut, at.as_nanos()),
        From::ScopeExpired(_, at) => (To::ScopeExpired, at.as_nanos()),
        From::Busy => (To::Busy, 0),
        From::Closed => (To::Closed, 0),
    };
    let why = u64::from(resumption.cookie) | (outcome as u64) << 32;
    [number(resumption.task), why, value]
}

impl Guest {
    /// Answers a trap with the kernel.
    fn ask<T>(&mut self, answer: impl FnOnce(&mut Kernel) -> T) -> T {
        answer(&mut self.kernel())
    }

    /// Answers a blocking trap: with the token of what is now pending.
    pub(super) fn pend(
        &mut self,
        begin: impl FnOnce(&mut Kernel) -> Result<TrapKey, Fault>,
    ) -> wasmtime::Result<u64> {
        Ok(number(self.ask(begin)?))
    }

    /// Notes that tasks have ended.
    fn end_tasks(&mut self, ended: &[u64]) -> wasmtime::Result<()> {
        let key = self.key;
        self.ask(|kernel| {
            ended.iter().try_for_each(|number| {
                let (instance, timers, _) = kernel.with_timers(key);
                instance.exit(timers, task(*number))
            })
        })?;
        Ok(())
    }
}

impl traps::Host for Guest {
    async fn wait(&mut self, ready: u32, ended: Vec<u64>) -> wasmtime::Result<Vec<u64>> {
        self.refused = None;
        self.end_tasks(&ended)?;
        let ready = poll_fn(|_| lock(&self.kernel).poll_wait(self.key, ready)).await;
        Ok(ready.iter().flat_map(parts).collect())
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.kernel().clock().as_nanos())
    }

    fn label(&mut self, name: String, file: String, line: u32) -> wasmtime::Result<u32> {
        let key = self.key;
        Ok(self.ask(|kernel| kernel.instance(key).label(&name, &file, line))?)
    }

    fn spawn(&mut self, parent: u64, label: u32, daemon: bool) -> Result<u64, TrapError> {
        let key = self.key;
        let parent = (parent != 0).then(|| task(parent));
        let spawned = self.ask(|kernel| kernel.instance(key).spawn(parent, label, daemon))?;
        Ok(number(spawned))
    }

    fn exit(&mut self, ended: u64) -> wasmtime::Result<()> {
        self.end_tasks(&[ended])
    }

    fn info(&mut self, of: u64) -> wasmtime::Result<Option<TaskInfo>> {
        let key = self.key;
        let info = self.ask(|kernel| kernel.instance(key).info(task(of)));
        Ok(info.map(|info| TaskInfo {
            serial: info.serial,
            name: info.name,
            spawned_at: info.spawned_at,
            state: info.state,
            cycles: info.cycles,
            parent: info.parent.map_or(0, number),
            daemon: info.daemon,
            cancelled: info.cancelled,
        }))
    }

    fn join(&mut self, by: Caller, target: u64) -> wasmtime::Result<u64> {
        let key = self.key;
        self.pend(|kernel| {
            let (instance, timers, now) = kernel.with_timers(key);
            instance.join(timers, by.into(), task(target), now)
        })
    }

    fn cancel(&mut self, target: u64) -> wasmtime::Result<bool> {
        let key = self.key;
        Ok(self.ask(|kernel| {
            let (instance, timers, _) = kernel.with_timers(key);
            instance.cancel(timers, task(target))
        }))
    }

    fn wake(&mut self, target: u64) -> wasmtime::Result<()> {
        let key = self.key;
        self.ask(|kernel| kernel.instance(key).wake(task(target)));
        Ok(())
    }

    fn sleep(&mut self, by: Caller, until: u64) -> wasmtime::Result<u64> {
        let key = self.key;
        self.pend(|kernel| {
            let (instance, timers, now) = kernel.with_timers(key);
            instance.sleep(timers, by.into(), Instant::from_nanos(until), now)
        })
    }

    fn withdraw(&mut self, token: u64) -> wasmtime::Result<bool> {
        let key = self.key;
        Ok(self.ask(|kernel| {
            let (instance, timers, _) = kernel.with_timers(key);
            instance.withdraw(timers, KeyData::from_ffi(token).into())
        }))
    }

    fn redeliver_cancel(&mut self, target: u64) -> wasmtime::Result<()> {
        let key = self.key;
        self.ask(|kernel| kernel.instance(key).redeliver_cancel(task(target)));
        Ok(())
    }

    fn redeliver_timeout(&mut self, innermost: u64) -> wasmtime::Result<()> {
        let key = self.key;
        self.ask(|kernel| kernel.instance(key).redeliver_timeout(scope(innermost)));
        Ok(())
    }

    fn open_scope(&mut self, by: Caller, deadline: u64) -> wasmtime::Result<u64> {
        let key = self.key;
        let opened = self.ask(|kernel| {
            let (instance, timers, _) = kernel.with_timers(key);
            instance.open_scope(timers, by.into(), Instant::from_nanos(deadline))
        })?;
        Ok(number(opened))
    }

    fn close_scope(&mut self, closed: u64) -> wasmtime::Result<()> {
        let key = self.key;
        self.ask(|kernel| {
            let (instance, timers, _) = kernel.with_timers(key);
            instance.close_scope(timers, scope(closed))
        })?;
        Ok(())
    }
}

impl traps::HostWaitQueue for Guest {
    fn new(&mut self, reason: String) -> wasmtime::Result<Resource<WaitQueue>> {
        let key = self.key;
        let queue = self.ask(|kernel| kernel.instance(key).make_queue(&reason))?;
        Ok(self.queues.push(WaitQueue(queue))?)
    }

    fn suspend(&mut self, this: Resource<WaitQueue>, by: Caller) -> wasmtime::Result<u64> {
        let (key, queue) = (self.key, self.queues.get(&this)?.0);
        self.pend(|kernel| {
            let (instance, timers, now) = kernel.with_timers(key);
            instance.suspend(timers, by.into(), queue, now)
        })
    }

    fn wake(&mut self, this: Resource<WaitQueue>, count: u32, value: u64) -> wasmtime::Result<u32> {
        let (key, queue) = (self.key, self.queues.get(&this)?.0);
        Ok(self.ask(|kernel| kernel.instance(key).wake_queue(queue, count, value)))
    }

    fn len(&mut self, this: Resource<WaitQueue>) -> wasmtime::Result<u32> {
        let (key, queue) = (self.key, self.queues.get(&this)?.0);
        Ok(self.ask(|kernel| kernel.instance(key).queue_len(queue)))
    }

    fn drop(&mut self, this: Resource<WaitQueue>) -> wasmtime::Result<()> {
        let key = self.key;
        let queue = self.queues.delete(this)?.0;
        self.ask(|kernel| kernel.instance(key).drop_queue(queue));
        Ok(())
    }
}
