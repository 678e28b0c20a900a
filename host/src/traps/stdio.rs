//! `curio:kernel/stdio`: the standard streams, for tasks.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::stdout::Stream;
use super::{Guest, TrapError, lock, lock_from_elsewhere};
use crate::bindings::stdio::{self, Output};
use crate::bindings::traps::Caller;
use crate::kernel::{Direction, Message, Readiness, SourceKey};
use crate::stdio::Input;

/// How much is read at a time.
const MAX_READ: usize = 64 * 1024;

/// What an instance's tasks have of the standard streams. Made as they first use them.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    input: Option<Input>,
    stdout: Option<Drain>,
    stderr: Option<Drain>,
}

/// By which tasks learn that all was written.
#[derive(Clone, Debug)]
struct Drain {
    source: SourceKey,
    readiness: Arc<Readiness>,
    /// Somebody looks after it.
    under_way: Arc<AtomicBool>,
}

impl Guest {
    /// Its standard input; none if it was started without.
    fn input(&mut self) -> io::Result<Option<&mut Input>> {
        if self.streams.is_none() {
            return Ok(None);
        }
        if self.tasks.input.is_none() {
            let kernel = &mut lock(&self.kernel);
            let stdin = io::stdin();
            let input = Input::new(stdin.as_fd(), kernel, self.key, &self.lane)?;
            self.tasks.input = Some(input);
        }
        Ok(self.tasks.input.as_mut())
    }

    fn drain(&mut self, output: Output) -> &mut Option<Drain> {
        match output {
            Output::Stdout => &mut self.tasks.stdout,
            Output::Stderr => &mut self.tasks.stderr,
        }
    }

    /// Sees to it that tasks learn when all is written.
    fn look_after(&mut self, output: Output, stream: Stream) {
        let key = self.key;
        let kernel = self.kernel.clone();
        let drain = self.drain(output).get_or_insert_with(|| {
            let (source, readiness) = lock(&kernel).add_source(key);
            Drain {
                source,
                readiness,
                under_way: Arc::default(),
            }
        });
        if drain.under_way.swap(true, Ordering::SeqCst) {
            return;
        }
        drain.readiness.clear(Direction::Read);
        let (drain, door) = (drain.clone(), lock(&kernel).door());
        tokio::spawn(async move {
            stream.written().await;
            drain.under_way.store(false, Ordering::SeqCst);
            door.send(Message::Ready(drain.source));
        });
    }

    fn wait_for_stream(&mut self, by: Caller, source: Option<SourceKey>) -> wasmtime::Result<u64> {
        let Some(source) = source else {
            wasmtime::bail!("the guest waits for a standard stream that it did not try to use");
        };
        let key = self.key;
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, Direction::Read))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(input) = self.tasks.input.take() {
            input.close(&mut lock_from_elsewhere(&self.kernel, &self.door));
        }
        let (kernel, door) = (&self.kernel, &self.door);
        self.children.end(|| lock_from_elsewhere(kernel, door));
    }
}

impl stdio::Host for Guest {
    fn read(&mut self, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("stdio.read", max);
        match self.input()? {
            Some(input) => Ok(input.read((max as usize).min(MAX_READ))?),
            None => Ok(Vec::new()),
        }
    }

    fn read_wait(&mut self, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!("stdio.read-wait", task = self.serial(by.task));
        let source = self.tasks.input.as_ref().map(Input::source);
        self.wait_for_stream(by, source)
    }

    fn write(&mut self, to: Output, data: Vec<u8>) -> Result<u32, TrapError> {
        trace_trap!("stdio.write", bytes = data.len());
        let Some(streams) = &self.streams else {
            return Ok(u32::try_from(data.len()).unwrap_or(u32::MAX));
        };
        let stream = match to {
            Output::Stdout => streams.stdout.clone(),
            Output::Stderr => streams.stderr.clone(),
        };
        match stream.write_some(&data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.look_after(to, stream);
                Err(error.into())
            }
            written => Ok(u32::try_from(written?).expect("a permit is small")),
        }
    }

    fn write_wait(&mut self, to: Output, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!("stdio.write-wait", task = self.serial(by.task));
        let source = self.drain(to).as_ref().map(|drain| drain.source);
        self.wait_for_stream(by, source)
    }
}
