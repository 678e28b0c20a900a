//! `curio:kernel/workers`: what a guest has done by other instances of its component.

use std::num::NonZero;

use wasmtime::component::Resource;

use super::{Guest, TrapError};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::bindings::workers::{self, LossReason, Place};
use crate::kernel::Outcome as Ended;
use crate::workers::{self as host, Call, Job, Outcome, Payload, StartError};

/// How much is kept of what a panic is about.
const MAX_PANIC: usize = 10_000;

impl From<StartError> for TrapError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Limit(limit) => limit.into(),
            StartError::Io(error) => error.into(),
            StartError::Refused(text) => Self::Told(types::Error::Refused(text)),
        }
    }
}

impl From<host::Loss> for workers::Loss {
    fn from(loss: host::Loss) -> Self {
        let reason = match loss.reason {
            host::LossReason::Panicked => LossReason::Panicked,
            host::LossReason::Faulted => LossReason::Faulted,
            host::LossReason::Exited => LossReason::Exited,
            host::LossReason::Limit => LossReason::Limit,
            host::LossReason::Died => LossReason::Died,
            host::LossReason::Stopped => LossReason::Stopped,
        };
        Self {
            reason,
            message: loss.message,
        }
    }
}

impl workers::Host for Guest {
    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        trace_trap!("workers.panicked", ?message);
        self.panic = Some(message.chars().take(MAX_PANIC).collect());
        Ok(())
    }

    fn processors(&mut self) -> wasmtime::Result<u32> {
        trace_trap!("workers.processors");
        let count = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

impl workers::HostJob for Guest {
    fn start(
        &mut self,
        place: Place,
        entry: u32,
        input: Vec<u8>,
    ) -> Result<Resource<Job>, TrapError> {
        trace_trap!("job.start", ?place, entry, input = input.len());
        let key = self.key;
        self.with_handle(|guest| {
            let mut kernel = super::lock(&guest.kernel);
            let allowance = kernel.instance(key).budget().allowance();
            let input = Payload::new(input, allowance)?;
            let call = Call { entry, input };
            let crew = &mut guest.crew;
            let job = match place {
                Place::Thread => Job::on_thread(&mut kernel, key, crew, call)?,
                Place::Process => Job::in_process(&mut kernel, key, crew, &call)?,
            };
            Ok(guest.table.push(job)?)
        })
    }

    fn outcome(&mut self, this: Resource<Job>) -> Result<workers::Outcome, TrapError> {
        trace_trap!("job.outcome", job = this.rep());
        let job = self.table.get_mut(&this)?;
        let mut kernel = super::lock(&self.kernel);
        let allowance = kernel.instance(self.key).budget().allowance().clone();
        let Some(outcome) = job.outcome(&mut kernel, &mut self.crew, &allowance) else {
            return Err(TrapError::Told(types::Error::WouldBlock));
        };
        match outcome {
            Ok(Outcome::Returned(output)) => Ok(workers::Outcome::Returned(output.bytes)),
            Ok(Outcome::Lost(loss)) => Ok(workers::Outcome::Lost(loss.into())),
            Err(host::Told) => Err(TrapError::invalid_state(
                "how the job ended was told before",
            )),
        }
    }

    fn read_wait(&mut self, this: Resource<Job>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "job.read-wait",
            job = this.rep(),
            task = self.serial(by.task)
        );
        let key = self.key;
        let source = self.table.get(&this)?.source();
        self.pend(|kernel| match source {
            Some((source, direction)) => kernel.wait_for_source(key, by.into(), source, direction),
            None => kernel.end_at_once(key, by.into(), Ended::Done(0)),
        })
    }

    fn interrupt(&mut self, this: Resource<Job>) -> wasmtime::Result<()> {
        trace_trap!("job.interrupt", job = this.rep());
        self.table.get(&this)?.interrupt();
        Ok(())
    }

    fn drop(&mut self, this: Resource<Job>) -> wasmtime::Result<()> {
        trace_trap!("job.drop", job = this.rep());
        let job = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        let allowance = kernel.instance(self.key).budget().allowance().clone();
        job.close(&mut kernel, &mut self.crew, &allowance);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}
