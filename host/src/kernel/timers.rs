//! Timers: when each sleep of an instance ends, and when each instance is due.
//!
//! Each instance has its own sleeps, so that what one of them sets delays no other, and goes with it as a whole. The
//! kernel keeps one entry for each instance: when the first of its timers is due, or somewhat before.

use std::collections::{BTreeMap, BTreeSet};

use super::{InstanceKey, Instant, TrapKey};

/// The sleeps of one instance, by time, then in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Sleeps {
    traps: BTreeMap<(Instant, u32), TrapKey>,
    order: u32,
}

impl Sleeps {
    /// Adds a sleep until `at`. Returns its order among those of the same time, by which it is removed.
    pub(crate) fn add(&mut self, at: Instant, trap: impl FnOnce(u32) -> TrapKey) -> TrapKey {
        self.order = self.order.wrapping_add(1);
        let trap = trap(self.order);
        self.traps.insert((at, self.order), trap);
        trap
    }

    /// Removes a sleep.
    pub(crate) fn remove(&mut self, at: Instant, order: u32) {
        self.traps.remove(&(at, order));
    }

    /// When the next sleep ends.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.traps.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next sleep that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<TrapKey> {
        let entry = self.traps.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// How many sleeps are set.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.traps.len()
    }
}

/// When the instances of a kernel are due, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, InstanceKey)>,
}

impl Timers {
    /// Makes an instance due at `at`, unless it is due before. `scheduled` is when it is.
    pub(crate) fn set(
        &mut self,
        instance: InstanceKey,
        scheduled: &mut Option<Instant>,
        at: Instant,
    ) {
        if scheduled.is_some_and(|scheduled| scheduled <= at) {
            return;
        }
        if let Some(before) = scheduled.replace(at) {
            self.due.remove(&(before, instance));
        }
        self.due.insert((at, instance));
    }

    /// Removes an instance that is due at `scheduled`.
    pub(crate) fn remove(&mut self, instance: InstanceKey, scheduled: Instant) {
        self.due.remove(&(scheduled, instance));
    }

    /// When the next instance is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the next instance that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<InstanceKey> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        self.due.pop_first().map(|(_, instance)| instance)
    }

    /// How many instances are due at some time.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn without_timers_nothing_is_next() {
        let (mut timers, mut sleeps) = (Timers::default(), Sleeps::default());
        assert_eq!((timers.next(), sleeps.next()), (None, None));
        assert_eq!(timers.pop_due(at(u64::MAX)), None);
        assert_eq!(sleeps.pop_due(at(u64::MAX)), None);
    }

    #[test]
    fn sleeps_come_up_by_time_then_by_order_of_setting() {
        let mut sleeps = Sleeps::default();
        let mut map = SlotMap::with_key();
        let keys: Vec<TrapKey> = (0..5).map(|_| map.insert(())).collect();
        let mut removed = 0;
        for (key, time) in keys.iter().zip([50, 20, 50, 90, 20]) {
            sleeps.add(at(time), |order| {
                removed = order;
                *key
            });
        }
        sleeps.remove(at(20), removed);
        assert_eq!(sleeps.next(), Some(at(20)));
        let due: Vec<_> = std::iter::from_fn(|| sleeps.pop_due(at(60))).collect();
        assert_eq!(due, [keys[1], keys[0], keys[2]]);
        assert_eq!(sleeps.next(), Some(at(90)));
    }

    #[test]
    fn an_instance_is_due_once_at_its_earliest_time() {
        let mut timers = Timers::default();
        let mut map = SlotMap::with_key();
        let [one, other]: [InstanceKey; 2] = [map.insert(()), map.insert(())];
        let mut scheduled = None;
        for time in [30, 50, 20] {
            timers.set(one, &mut scheduled, at(time));
        }
        timers.set(other, &mut None, at(25));
        assert_eq!((scheduled, timers.len()), (Some(at(20)), 2));
        assert_eq!(timers.pop_due(at(19)), None);
        assert_eq!(timers.pop_due(at(40)), Some(one));
        assert_eq!(timers.pop_due(at(40)), Some(other));
        assert_eq!(timers.next(), None);
    }
}
