//! Timers: a heap of what is due when, with lazy deletion.
//!
//! A timer that is no longer wanted stays in the heap until it comes up, and whoever set it tells it
//! from a live one by its key. So that setting and dropping far timers for ever does not fill the heap,
//! it is swept when more than half of it is dead.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{InstanceKey, Instant, TrapKey};

/// Below this size a heap is not worth sweeping.
const WORTH_SWEEPING: usize = 1024;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The end of a sleep.
    Wake(TrapKey),
    /// The time until which an instance waits. Its timers for that are numbered, since one is set after another.
    Return(u32),
    /// The end of the time an instance may live.
    End,
}

/// A timer: when, what, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) at: Instant,
    /// Timers due at the same time go off in the order in which they were set.
    order: u32,
    pub(crate) due: Due,
    pub(crate) instance: InstanceKey,
}

impl Ord for Timer {
    /// The earliest timer is the greatest: the heap keeps that on top.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// All timers of a kernel.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Timer>,
    /// How many in the heap are dead.
    dead: usize,
    order: u32,
}

impl Timers {
    /// Sets a timer.
    pub(crate) fn set(&mut self, at: Instant, due: Due, instance: InstanceKey) {
        self.order = self.order.wrapping_add(1);
        self.heap.push(Timer {
            at,
            order: self.order,
            due,
            instance,
        });
    }

    /// Notes that `count` timers in the heap are dead.
    pub(crate) fn bury(&mut self, count: usize) {
        self.dead += count;
    }

    /// Whether there are so many dead timers that a sweep pays.
    pub(crate) fn wants_sweep(&self) -> bool {
        self.dead > WORTH_SWEEPING && self.dead > self.heap.len() / 2
    }

    /// Removes all dead timers.
    pub(crate) fn sweep(&mut self, is_live: impl FnMut(&Timer) -> bool) {
        self.heap.retain(is_live);
        self.dead = 0;
    }

    /// When the next timer is due. It may be a dead one.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|timer| timer.at)
    }

    /// Takes the next timer that is due at `now`. It may be a dead one: see [`Timers::exhume`].
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop()
    }

    /// Notes that a timer that came up was a dead one.
    pub(crate) fn exhume(&mut self) {
        self.dead = self.dead.saturating_sub(1);
    }

    /// How many timers are in the heap, dead ones included.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn an_empty_heap_has_no_next() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        assert_eq!(timers.pop_due(at(u64::MAX)), None);
    }

    #[test]
    fn timers_come_up_by_time_then_by_order_of_setting() {
        let mut timers = Timers::default();
        let instance = InstanceKey::default();
        let keys: Vec<TrapKey> = {
            let mut map = slotmap::SlotMap::with_key();
            (0..4).map(|_| map.insert(())).collect()
        };
        timers.set(at(50), Due::Wake(keys[0]), instance);
        timers.set(at(20), Due::Wake(keys[1]), instance);
        timers.set(at(50), Due::Wake(keys[2]), instance);
        timers.set(at(90), Due::Wake(keys[3]), instance);
        assert_eq!(timers.next(), Some(at(20)));
        let mut due = Vec::new();
        while let Some(timer) = timers.pop_due(at(60)) {
            due.push(timer.due);
        }
        let expected = [keys[1], keys[0], keys[2]].map(Due::Wake);
        assert_eq!(due, expected);
        assert_eq!(timers.next(), Some(at(90)));
    }

    #[test]
    fn dead_timers_are_swept_when_they_are_the_most() {
        let mut timers = Timers::default();
        for n in 0..10_000 {
            timers.set(at(n), Due::End, InstanceKey::default());
            timers.bury(1);
            if timers.wants_sweep() {
                timers.sweep(|_| false);
            }
        }
        assert!(timers.len() <= 2 * WORTH_SWEEPING, "{}", timers.len());
    }
}
