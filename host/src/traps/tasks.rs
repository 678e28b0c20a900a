//! `curio:kernel/traps`: tasks and what they wait for.

use std::future::poll_fn;
use std::task::Poll;

use super::{Guest, TrapError, lock};
use crate::bindings::traps::{self, Caller, TaskInfo};
use crate::kernel::{self, Fault, Instant, Kernel, TaskKey, TrapKey};
use slotmap::{Key, KeyData};

/// How many ended tasks one turn deals with.
const ENDED_AT_ONCE: usize = 4096;

/// The number that a guest knows something by.
pub(super) fn number(key: impl Key) -> u64 {
    key.data().as_ffi()
}

fn task(number: u64) -> TaskKey {
    KeyData::from_ffi(number).into()
}

/// Gives the others their turn, as if the instance had been interrupted.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl From<Caller> for kernel::Caller {
    fn from(caller: Caller) -> Self {
        Self {
            task: task(caller.task),
            cookie: caller.cookie,
        }
    }
}

/// What `wait` returns: see `pass-part` in `wit/traps.wit`.
fn parts(pass: &kernel::Pass) -> Vec<u64> {
    let mut parts = Vec::with_capacity(1 + 3 * pass.resumptions.len());
    parts.push(pass.now.as_nanos());
    for resumption in &pass.resumptions {
        let (outcome, value) = outcome(resumption.outcome);
        parts.extend([resumption.cookie, outcome as u64, value]);
    }
    parts
}

/// How a trap ended, and its value.
fn outcome(outcome: kernel::Outcome) -> (traps::Outcome, u64) {
    match outcome {
        kernel::Outcome::Done(value) => (traps::Outcome::Done, value),
        kernel::Outcome::Busy => (traps::Outcome::Busy, 0),
        kernel::Outcome::Closed => (traps::Outcome::Closed, 0),
        kernel::Outcome::EndRequested => (traps::Outcome::EndRequested, 0),
        kernel::Outcome::InvalidState => (traps::Outcome::InvalidState, 0),
    }
}

impl Guest {
    /// How the log calls a task: as the guest does, by its serial number; 0 is none.
    pub(super) fn serial(&self, of: u64) -> u64 {
        let key = self.key;
        let info = self.kernel().instance(key).info(task(of));
        info.map_or(0, |info| info.serial)
    }

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
            let mut ended = ended.iter();
            ended.try_for_each(|number| kernel.exit_task(key, task(*number)))
        })?;
        Ok(())
    }
}

impl traps::Host for Guest {
    async fn wait(
        &mut self,
        ready: u32,
        ended: Vec<u64>,
        until: u64,
    ) -> wasmtime::Result<Vec<u64>> {
        trace_trap!("wait", ready, ended = ended.len());
        self.refused = None;
        for (index, ended) in ended.chunks(ENDED_AT_ONCE).enumerate() {
            if index > 0 {
                yield_now().await;
            }
            self.end_tasks(ended)?;
        }
        let until = Instant::from_nanos(until);
        let pass = poll_fn(|_| lock(&self.kernel).poll_wait(self.key, ready, until)).await;
        Ok(parts(&pass))
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        trace_trap!("now");
        Ok(self.kernel().clock().as_nanos())
    }

    fn label(&mut self, name: String, file: String, line: u32) -> wasmtime::Result<u32> {
        let key = self.key;
        let label = self.ask(|kernel| kernel.instance(key).label(&name, &file, line))?;
        trace_trap!("label", label, ?name, ?file, line);
        Ok(label)
    }

    fn spawn(&mut self, parent: u64, label: u32, daemon: bool) -> Result<u64, TrapError> {
        let key = self.key;
        let by = (parent != 0).then(|| task(parent));
        let spawned = self.ask(|kernel| kernel.instance(key).spawn(by, label, daemon));
        let spawned = spawned.map(number);
        trace_trap!(
            "spawn",
            task = spawned.as_ref().map_or(0, |spawned| self.serial(*spawned)),
            parent = self.serial(parent),
            label,
            daemon
        );
        Ok(spawned?)
    }

    fn exit(&mut self, ended: u64) -> wasmtime::Result<()> {
        trace_trap!("exit", task = self.serial(ended));
        self.end_tasks(&[ended])
    }

    fn info(&mut self, of: u64) -> wasmtime::Result<Option<TaskInfo>> {
        trace_trap!("info", task = self.serial(of));
        let key = self.key;
        let info = self.ask(|kernel| kernel.instance(key).info(task(of)));
        Ok(info.map(|info| TaskInfo {
            serial: info.serial,
            name: info.name,
            spawned_at: info.spawned_at,
            waits_for: info.waits_for.to_owned(),
            parent: info.parent.map_or(0, number),
            daemon: info.daemon,
        }))
    }

    fn sleep(&mut self, by: Caller, until: u64) -> wasmtime::Result<u64> {
        trace_trap!("sleep", task = self.serial(by.task), until);
        let key = self.key;
        self.pend(|kernel| {
            let (instance, timers, now) = kernel.with_timers(key);
            instance.sleep(timers, by.into(), Instant::from_nanos(until), now)
        })
    }

    fn withdraw(&mut self, token: u64) -> wasmtime::Result<bool> {
        trace_trap!("withdraw", token);
        let key = self.key;
        Ok(self.ask(|kernel| {
            let instance = kernel.instance(key);
            instance.withdraw(KeyData::from_ffi(token).into())
        }))
    }
}
