//! What is due: the ends of sleeps and of waits, and of the time that instances may live.

use super::timers::Timers;
use super::{Instance, InstanceKey, Instant, Kernel};

/// How many sleeps of one instance end in one pass. More of them, however many are due at once, end in the next ones, so
/// that the others have their turn meanwhile.
pub(super) const MAX_DUE: usize = 512;

impl Kernel {
    /// The instance and the timers, for what sets timers.
    pub(crate) fn with_timers(
        &mut self,
        key: InstanceKey,
    ) -> (&mut Instance, &mut Timers, Instant) {
        let instance = self
            .instances
            .get_mut(key)
            .expect("an instance that traps is in the table");
        (instance, &mut self.timers, self.now)
    }

    /// Ends what is due by now: of each instance at most [`MAX_DUE`] sleeps.
    pub(super) fn expire_timers(&mut self) {
        if self.timers.next().is_none_or(|next| next > self.now) {
            return;
        }
        let mut due = std::mem::take(&mut self.due);
        while let Some(key) = self.timers.pop_due(self.now) {
            due.push(key);
        }
        for key in due.drain(..) {
            self.expire(key);
        }
        self.due = due;
    }

    /// Ends what is due of an instance's.
    fn expire(&mut self, key: InstanceKey) {
        let Some(instance) = self.instances.get_mut(key) else {
            return;
        };
        instance.scheduled = None;
        if instance.ends_at.take_if(|end| *end <= self.now).is_some() {
            let limit = instance.budget.limits().time().unwrap_or_default();
            self.overdue.push((key, limit));
        }
        let is_roused = instance.end_due(self.now, MAX_DUE);
        instance.schedule(&mut self.timers);
        if is_roused {
            self.rouse(key);
        }
    }
}
