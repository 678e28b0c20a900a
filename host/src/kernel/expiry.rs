//! What is due: timers that have come up, and those that nobody waits for any more.

use super::timers::{Due, Timers};
use super::{Instance, InstanceKey, Instant, Kernel};

impl Kernel {
    /// The instance and the timers, for what needs both: what sets timers, and lets them die.
    pub(crate) fn with_timers(
        &mut self,
        key: InstanceKey,
    ) -> (&mut Instance, &mut Timers, Instant) {
        // Here, since a guest may set and drop timers for ever without a call of `wait`.
        self.sweep_timers();
        let instance = self
            .instances
            .get_mut(key)
            .expect("an instance that traps is in the table");
        (instance, &mut self.timers, self.now)
    }

    /// Ends what is due by now.
    pub(super) fn expire_timers(&mut self) {
        while let Some(timer) = self.timers.pop_due(self.now) {
            let Some(instance) = self.instances.get_mut(timer.instance) else {
                self.timers.exhume();
                continue;
            };
            if timer.due == Due::End {
                instance.timers_set -= 1;
                let limit = instance.budget.limits().time().unwrap_or_default();
                self.overdue.push((timer.instance, limit));
            } else if instance.timer_due(timer.due, self.now) {
                self.rouse(timer.instance);
            } else {
                self.timers.exhume();
            }
        }
        self.sweep_timers();
    }

    /// Drops timers that died, if there are many.
    pub(super) fn sweep_timers(&mut self) {
        if self.timers.wants_sweep() {
            let instances = &self.instances;
            self.timers.sweep(|timer| {
                instances
                    .get(timer.instance)
                    .is_some_and(|instance| instance.is_live(timer.due))
            });
        }
    }
}
