//! Descriptors that the kernel watches, and who waits for them.
//!
//! The selector is edge-triggered: it says once that something became possible. The kernel keeps that, so
//! that an attempt that cannot succeed costs no system call, and no event is lost between an attempt
//! and the wait that follows it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{InstanceKey, Kernel, TrapKey};

/// What is possible with a descriptor, as far as the kernel knows. Shared by the kernel, which sets it,
/// and the descriptor's owner, who clears it when the system says that it would block.
#[derive(Debug)]
pub(crate) struct Readiness {
    readable: AtomicBool,
    writable: AtomicBool,
    /// Reading never blocks again.
    closed: AtomicBool,
}

impl Readiness {
    /// Everything is worth a first attempt.
    pub(super) fn unknown() -> Self {
        Self {
            readable: AtomicBool::new(true),
            writable: AtomicBool::new(true),
            closed: AtomicBool::new(false),
        }
    }

    /// Whether the kernel knows of nothing against it in this direction.
    pub(crate) fn get(&self, direction: Direction) -> bool {
        self.flag(direction).load(Ordering::Relaxed)
    }

    /// Notes that the system would block in this direction.
    pub(crate) fn clear(&self, direction: Direction) {
        self.flag(direction).store(false, Ordering::Relaxed);
    }

    /// Notes that what has come was read: more is worth an attempt when an event says so. If the end was among
    /// what the last one said, there is no other to come.
    pub(crate) fn clear_drained(&self) {
        if !self.closed.load(Ordering::Relaxed) {
            self.clear(Direction::Read);
        }
    }

    pub(super) fn set_closed(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn set(&self, direction: Direction) {
        self.flag(direction).store(true, Ordering::Relaxed);
    }

    fn flag(&self, direction: Direction) -> &AtomicBool {
        match direction {
            Direction::Read => &self.readable,
            Direction::Write => &self.writable,
        }
    }
}

/// Which of the two things one can do with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Reading, or accepting.
    Read,
    /// Writing, or connecting.
    Write,
}

/// A descriptor that the kernel watches.
#[derive(Debug)]
pub(super) struct Source {
    /// Whose it is; nobody's if it is the host's own.
    pub(super) owner: Option<InstanceKey>,
    /// Its place in the list of that instance.
    pub(super) index: usize,
    /// What is possible.
    pub(super) readiness: std::sync::Arc<Readiness>,
    /// The trap that waits for reading. It may have ended meanwhile.
    pub(super) reader: Option<TrapKey>,
    /// The trap that waits for writing. It may have ended meanwhile.
    pub(super) writer: Option<TrapKey>,
    /// What the host itself does when it becomes readable.
    pub(super) duty: Option<Duty>,
}

/// What the host itself does when a descriptor becomes readable, until it says that this was the last time.
pub(crate) struct Duty(Box<dyn FnMut(&mut Kernel) -> bool + Send>);

impl Duty {
    /// Something to do; it returns whether it is done for good.
    pub(crate) fn new(act: impl FnMut(&mut Kernel) -> bool + Send + 'static) -> Self {
        Self(Box::new(act))
    }

    pub(super) fn act(&mut self, kernel: &mut Kernel) -> bool {
        (self.0)(kernel)
    }
}

impl fmt::Debug for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duty").finish_non_exhaustive()
    }
}

impl Source {
    /// The place of the trap that waits in this direction.
    pub(super) fn waiter(&mut self, direction: Direction) -> &mut Option<TrapKey> {
        match direction {
            Direction::Read => &mut self.reader,
            Direction::Write => &mut self.writer,
        }
    }
}
