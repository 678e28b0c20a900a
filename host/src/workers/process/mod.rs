//! Workers in processes of their own, as the one who hands jobs out knows them.
//!
//! - `link`: the socket between the two, and the frames that go through it
//! - `message`: what is in them
//! - `setup`: what a worker process is told first
//! - `child`: a process, from its start until the system has forgotten it

mod child;
mod link;
mod message;
mod setup;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

pub(crate) use self::child::{Child, Ending, Reaper};
pub(crate) use self::link::Link;
pub(crate) use self::message::{Answer, Order};
pub(crate) use self::setup::Setup;
use super::{Call, Interruption, Loss, LossReason, Outcome};
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};
use crate::limits::{Allowance, Place};

/// A worker in another process. It is ended when this is dropped.
#[derive(Debug)]
pub(super) struct ProcessWorker {
    child: Child,
    link: Link,
    source: SourceKey,
    readiness: Arc<Readiness>,
    place: Arc<Place>,
    is_interrupted: bool,
}

/// A process that was just started, and its end of the link.
#[derive(Debug)]
pub(crate) struct Started {
    /// The process.
    pub(crate) child: Child,
    /// What leads there.
    pub(crate) socket: UnixStream,
    /// What it is told first, with the compiled component.
    pub(crate) setup: Vec<u8>,
    /// That.
    pub(crate) component: Arc<OwnedFd>,
    /// Whether its code is interrupted.
    pub(crate) interruption: Interruption,
}

impl ProcessWorker {
    /// Takes a process in, and tells it what it is to be.
    ///
    /// # Errors
    /// If the system has no room to watch its socket.
    pub(super) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        started: Started,
        place: Place,
    ) -> io::Result<Self> {
        let mut link = Link::new(started.socket)?;
        // Should it fail, the worker is gone, which shows when it is asked for an outcome.
        drop(link.push_with(&started.setup, started.component.as_fd()));
        let (source, readiness) = kernel.watch(Some(owner), link.as_fd())?;
        Ok(Self {
            child: started.child,
            link,
            source,
            readiness,
            place: Arc::new(place),
            is_interrupted: started.interruption == Interruption::Ticks,
        })
    }

    /// Hands over a job. The one before has ended.
    pub(super) fn hand_over(&mut self, call: &Call) {
        let order = Order { entry: call.entry };
        self.link.push(&order, &call.input.bytes);
        // Should it fail, the worker is gone, which shows when it is asked for the outcome.
        drop(self.link.flush());
    }

    /// Whether its code is interrupted with every tick, and so slower than it could be.
    pub(super) fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// Whether it is there still, and has said nothing that it was not asked for.
    pub(super) fn is_well(&mut self) -> bool {
        matches!(self.receive(), Ok(None))
    }

    /// How its job ended, if it has.
    pub(super) fn outcome(&mut self, allowance: &Allowance) -> Option<Outcome> {
        match self.receive() {
            Ok(None) => None,
            Ok(Some((Answer::Returned, output))) => Some(Outcome::returned(output, allowance)),
            Ok(Some((Answer::Lost(loss), _))) => Some(Outcome::Lost(loss)),
            Err(error) => Some(Outcome::Lost(self.died(&error))),
        }
    }

    /// What a task waits for until there is more to be done.
    pub(super) fn source(&self) -> (SourceKey, Direction) {
        let direction = if self.link.is_flushed() {
            Direction::Read
        } else {
            Direction::Write
        };
        (self.source, direction)
    }

    /// Ends it.
    pub(super) fn close(self, kernel: &mut Kernel) {
        kernel.unwatch(self.source, self.link.as_fd());
    }

    fn receive(&mut self) -> io::Result<Option<(Answer, Vec<u8>)>> {
        if !self.link.is_flushed() && !self.link.flush()? {
            self.readiness.clear(Direction::Write);
        }
        let received = self.link.receive()?;
        if received.is_none() {
            self.readiness.clear(Direction::Read);
        }
        Ok(received)
    }

    /// What is to be said of a process that is gone.
    fn died(&mut self, error: &io::Error) -> Loss {
        let message = match self.child.end() {
            Ok(status) => format!("its process has ended ({status})"),
            Err(_) => format!("its process does not answer: {error}"),
        };
        Loss::new(LossReason::Died, message)
    }
}

impl Drop for ProcessWorker {
    fn drop(&mut self) {
        self.place.leave();
        self.child.retire(self.place.clone());
    }
}
