//! The one door by which other threads reach a kernel: a queue, and the selector's alarm.
//!
//! The alarm costs a system call, so it is rung only while the kernel waits, or is about to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{InstanceKey, SourceKey};
use crate::selector::Alarm;

/// What another thread tells the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// An instance that waits for something outside the kernel may go on.
    Poll(InstanceKey),
    /// What another thread was to release of an instance is released.
    Released(InstanceKey),
    /// What a source that is no descriptor stands for is done.
    Ready(SourceKey),
}

/// The door to a kernel, shared with other threads.
#[derive(Debug)]
pub(crate) struct Door {
    messages: Mutex<Vec<Message>>,
    /// The queue may hold something: lets the kernel pass by without taking the lock.
    filled: AtomicBool,
    /// The kernel waits for events, or is about to.
    waiting: AtomicBool,
    /// How many other threads are about to take the kernel's lock.
    visitors: AtomicUsize,
    alarm: Arc<dyn Alarm>,
}

impl Door {
    /// A door that rings `alarm`.
    pub(crate) fn new(alarm: Arc<dyn Alarm>) -> Self {
        Self {
            messages: Mutex::default(),
            filled: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            visitors: AtomicUsize::new(0),
            alarm,
        }
    }

    /// Hands a message in, and ends the kernel's waiting.
    pub(crate) fn send(&self, message: Message) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message);
        drop(messages);
        // Sequential consistency: either the kernel, in `about_to_wait`, sees the queue filled,
        // or this thread sees it waiting.
        self.filled.store(true, Ordering::SeqCst);
        if self.waiting.swap(false, Ordering::SeqCst) {
            self.alarm.ring();
        }
    }

    /// Says that the kernel is about to wait. Returns false if it must not: something is there.
    pub(crate) fn about_to_wait(&self) -> bool {
        self.waiting.store(true, Ordering::SeqCst);
        !self.filled.load(Ordering::SeqCst) && !self.has_visitors()
    }

    /// Ends the kernel's waiting, in which it holds its own lock, until what this returns is dropped. To be called by
    /// another thread before it takes that lock.
    pub(crate) fn visit(&self) -> Visit<'_> {
        self.visitors.fetch_add(1, Ordering::SeqCst);
        if self.waiting.swap(false, Ordering::SeqCst) {
            self.alarm.ring();
        }
        Visit(self)
    }

    /// Whether another thread is about to take the kernel's lock.
    pub(crate) fn has_visitors(&self) -> bool {
        self.visitors.load(Ordering::SeqCst) > 0
    }

    /// Takes what was handed in, in order. The kernel no longer waits.
    pub(crate) fn take(&self, into: &mut VecDeque<Message>) {
        self.waiting.store(false, Ordering::SeqCst);
        if self.filled.swap(false, Ordering::SeqCst) {
            let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            into.extend(messages.drain(..));
        }
    }
}

/// Another thread's announcement that it takes the kernel's lock.
#[derive(Debug)]
pub(crate) struct Visit<'a>(&'a Door);

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.visitors.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimulatedClock;
    use crate::selector::{Selector, Simulated};

    #[test]
    fn the_alarm_rings_only_while_the_kernel_waits() {
        let selector = Simulated::new(SimulatedClock::default());
        let door = Door::new(selector.alarm());
        let message = Message::Poll(InstanceKey::default());

        door.send(message);
        assert_eq!(selector.rings(), 0, "nobody waits");
        assert!(!door.about_to_wait(), "something is there");

        let mut messages = VecDeque::new();
        door.take(&mut messages);
        assert_eq!(messages, [message]);

        assert!(door.about_to_wait());
        door.send(message);
        door.send(message);
        assert_eq!(selector.rings(), 1, "the first one is enough");
        door.take(&mut messages);
        assert_eq!(messages.len(), 3);

        assert!(door.about_to_wait());
        let visit = door.visit();
        assert_eq!(selector.rings(), 2);
        assert!(!door.about_to_wait(), "another thread wants the lock");
        drop(visit);
        assert!(door.about_to_wait());
    }
}
