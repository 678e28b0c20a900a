//! Where a handle stands, and how it is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kernel::{Direction, Door, InstanceKey, Kernel, Message, Readiness, SourceKey};

/// A handle's place before one of its object's lines. It stands there, or does not.
#[derive(Debug)]
pub(crate) struct Place {
    /// Tells it from all others.
    pub(super) id: u64,
    /// Its number in the line, if it stands there.
    pub(super) ticket: Option<u64>,
    bell: Bell,
    readiness: Arc<Readiness>,
}

/// By which a place is called, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    door: Arc<Door>,
    source: SourceKey,
}

impl Place {
    /// A place for a handle of an instance.
    pub(super) fn new(kernel: &mut Kernel, owner: InstanceKey) -> Self {
        static PLACES: AtomicU64 = AtomicU64::new(0);
        let (source, readiness) = kernel.add_source(owner);
        Self {
            id: PLACES.fetch_add(1, Ordering::Relaxed),
            ticket: None,
            bell: Bell {
                door: kernel.door(),
                source,
            },
            readiness,
        }
    }

    /// What a task waits for until it is called.
    pub(super) fn source(&self) -> SourceKey {
        self.bell.source
    }

    /// By which it is called.
    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Forgets a call that it was late for. To be called on the kernel's thread, which is where calls arrive: one that
    /// comes after this is heard.
    pub(super) fn quiet(&self) {
        self.readiness.clear(Direction::Read);
    }
}

/// Calls places, whose tasks, where one waits, go on. To be called when the object is free for others again.
pub(super) fn ring(bells: impl IntoIterator<Item = Bell>) {
    for bell in bells {
        bell.door.send(Message::Ready(bell.source));
    }
}
