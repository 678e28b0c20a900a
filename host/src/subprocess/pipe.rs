//! The guest's end of a pipe that leads to a child. It never waits.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;

use super::ChildError;
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};
use crate::limits::Held;

/// The memory that a pipe takes: what Linux keeps in one, and the system's entries.
const MEMORY: u64 = 68 * 1024;

/// One end of a pipe. Whoever drops it unwatches it first: see [`Pipe::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Pipe {
    /// Nothing once it is closed.
    open: Option<Open>,
    /// What it is for.
    direction: Direction,
}

#[derive(Debug)]
struct Open {
    fd: OwnedFd,
    source: SourceKey,
    readiness: Arc<Readiness>,
    _memory: Held,
}

impl Pipe {
    /// An end that does not block.
    pub(super) fn new(
        fd: OwnedFd,
        direction: Direction,
        kernel: &mut Kernel,
        owner: InstanceKey,
    ) -> Result<Self, ChildError> {
        let memory = kernel.allowance(owner).hold(MEMORY)?;
        let (source, readiness) = kernel.watch(Some(owner), fd.as_fd())?;
        let open = Some(Open {
            fd,
            source,
            readiness,
            _memory: memory,
        });
        Ok(Self { open, direction })
    }

    /// Reads up to `max` bytes.
    pub(crate) fn read(&self, max: usize) -> Result<Vec<u8>, ChildError> {
        let open = self.open(Direction::Read)?;
        let mut data = Vec::with_capacity(max);
        if max > 0 {
            open.attempt(Direction::Read, || {
                rustix::io::read(&open.fd, spare_capacity(&mut data))
            })?;
        }
        if !data.is_empty() && data.len() < max {
            open.readiness.clear_drained();
        }
        Ok(data)
    }

    /// Writes what fits; returns how much did.
    pub(crate) fn write(&self, data: &[u8]) -> Result<usize, ChildError> {
        let open = self.open(Direction::Write)?;
        let written = open.attempt(Direction::Write, || rustix::io::write(&open.fd, data))?;
        if written < data.len() {
            open.readiness.clear(Direction::Write);
        }
        Ok(written)
    }

    /// The kernel's entry, for a task to wait on; none if it is closed.
    pub(crate) fn source(&self) -> Option<SourceKey> {
        self.open.as_ref().map(|open| open.source)
    }

    /// Whether this can be waited for.
    pub(crate) fn is_for(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    /// Stops watching it, and closes it.
    pub(crate) fn close(&mut self, kernel: &mut Kernel) {
        drop(self.take(kernel));
    }

    /// Gives it away, to a program that expects reading and writing to wait, as one of its standard streams.
    pub(crate) fn give_away(
        &mut self,
        kernel: &mut Kernel,
        direction: Direction,
    ) -> Result<OwnedFd, ChildError> {
        self.open(direction)?;
        let fd = self.take(kernel).ok_or(CLOSED)?;
        rustix::io::ioctl_fionbio(&fd, false)?;
        Ok(fd)
    }

    fn take(&mut self, kernel: &mut Kernel) -> Option<OwnedFd> {
        let open = self.open.take()?;
        kernel.unwatch(open.source, open.fd.as_fd());
        Some(open.fd)
    }

    fn open(&self, direction: Direction) -> Result<&Open, ChildError> {
        let open = self.open.as_ref().ok_or(CLOSED)?;
        if self.direction == direction {
            Ok(open)
        } else if direction == Direction::Read {
            Err(ChildError::State("this end of the pipe is for writing"))
        } else {
            Err(ChildError::State("this end of the pipe is for reading"))
        }
    }
}

const CLOSED: ChildError = ChildError::State("the pipe is closed");

impl Open {
    /// Tries, if there is a point in it, and keeps in mind that it would block.
    fn attempt<T>(
        &self,
        direction: Direction,
        mut call: impl FnMut() -> rustix::io::Result<T>,
    ) -> Result<T, ChildError> {
        if !self.readiness.get(direction) {
            return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
        }
        loop {
            match call() {
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    self.readiness.clear(direction);
                    return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
                }
                result => return Ok(result?),
            }
        }
    }
}
