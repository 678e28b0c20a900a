//! How blocking traps begin and end, and the timers of an instance.

use super::instance::Instance;
use super::task::{Caller, Outcome, Resumption};
use super::trap::{Trap, Wait};
use super::{Fault, Instant, Timers, TrapKey};

/// How many orphans are freed for each new trap. More than one: so their number shrinks, whatever the guest does.
const FREED_PER_TRAP: usize = 2;

/// How many traps of a task are freed when it ends.
const FREED_AT_ONCE: usize = 64;

impl Instance {
    /// Blocks a task until `until`; at once done if that has passed.
    ///
    /// # Errors
    /// If the caller does not exist, or a limit is reached.
    pub(crate) fn sleep(
        &mut self,
        timers: &mut Timers,
        by: Caller,
        until: Instant,
        now: Instant,
    ) -> Result<TrapKey, Fault> {
        if until <= now {
            return self.end_at_once(by, Outcome::Done(now.as_nanos()));
        }
        self.take_trap_entry(by)?;
        let (traps, tasks) = (&mut self.traps, &mut self.tasks);
        let trap = self.sleeps.add(until, |order| {
            let wait = Wait::Sleep { until, order };
            let trap = traps.insert(Trap::new(by, wait));
            tasks[by.task].traps.append(traps, trap);
            trap
        });
        timers.set(self.key, &mut self.scheduled, until);
        Ok(trap)
    }

    /// Notes that a task waits for something.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left for the note.
    pub(super) fn pend(&mut self, by: Caller, wait: Wait) -> Result<TrapKey, Fault> {
        self.take_trap_entry(by)?;
        let trap = self.traps.insert(Trap::new(by, wait));
        let list = &mut self.tasks[by.task].traps;
        list.append(&mut self.traps, trap);
        Ok(trap)
    }

    /// Takes memory for another trap.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left.
    fn take_trap_entry(&mut self, by: Caller) -> Result<(), Fault> {
        self.check(by)?;
        self.free_orphans(FREED_PER_TRAP);
        self.budget.take_entry::<Trap>()?;
        Ok(())
    }

    /// A trap that has ended before it began.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left for the resumption: a guest may make any
    /// number of these between two calls of `wait`.
    pub(super) fn end_at_once(&mut self, by: Caller, outcome: Outcome) -> Result<TrapKey, Fault> {
        self.check(by)?;
        self.budget.check_entry::<Resumption>()?;
        let trap = self.traps.insert(Trap::new(by, Wait::Nothing));
        self.traps.remove(trap);
        self.resume(by.cookie, outcome);
        Ok(trap)
    }

    /// Checks that a caller exists, and can be told of a trap's end.
    fn check(&self, by: Caller) -> Result<(), Fault> {
        if !self.tasks.contains_key(by.task) {
            return Err(Fault::Task);
        }
        if by.cookie == 0 {
            return Err(Fault::Cookie);
        }
        Ok(())
    }

    /// Ends a pending trap. Returns false if it is not pending any more.
    pub(super) fn finish(&mut self, trap: TrapKey, outcome: Outcome) -> bool {
        let ended = self.take_trap(trap);
        if let Some(ended) = &ended {
            self.resume(ended.cookie, outcome);
        }
        ended.is_some()
    }

    /// Withdraws a trap that nobody waits for any more. Returns false if it has ended already.
    pub(crate) fn withdraw(&mut self, trap: TrapKey) -> bool {
        let Some(withdrawn) = self.take_trap(trap) else {
            return false;
        };
        self.remove_sleep(withdrawn.wait);
        true
    }

    /// Removes the timer of a trap that is withdrawn, if it has one.
    fn remove_sleep(&mut self, wait: Wait) {
        if let Wait::Sleep { until, order } = wait {
            self.sleeps.remove(until, order);
        }
    }

    /// Whether a trap has not ended, and its task lives.
    pub(super) fn is_pending(&self, trap: TrapKey) -> bool {
        let trap = self.traps.get(trap);
        trap.is_some_and(|trap| self.tasks.contains_key(trap.task))
    }

    /// Withdraws a trap that was an ended task's, and returns the next one of its list.
    fn free_orphan(&mut self, trap: TrapKey) -> Option<TrapKey> {
        let orphan = self.traps.remove(trap)?;
        self.remove_sleep(orphan.wait);
        orphan.next()
    }

    /// Withdraws the traps of an ended task, beginning with `first`: some now, and the others one after another, since
    /// there may be millions. None of them is pending from now on.
    pub(super) fn orphan(&mut self, first: Option<TrapKey>) {
        let mut next = first;
        for _ in 0..FREED_AT_ONCE {
            let Some(trap) = next else {
                return;
            };
            next = self.free_orphan(trap);
        }
        self.orphans.extend(next);
    }

    /// Frees some of the traps of tasks that have ended. Returns whether there are more.
    pub(super) fn free_orphans(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(trap) = self.orphans.pop_front() else {
                return false;
            };
            if let Some(next) = self.free_orphan(trap) {
                self.orphans.push_front(next);
            }
        }
        self.has_orphans()
    }

    /// Whether there are traps of tasks that have ended.
    pub(super) fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }

    /// Takes a trap out of the table and out of its task's list. A descriptor's waiter is a key, which means
    /// nothing once the trap is gone.
    fn take_trap(&mut self, key: TrapKey) -> Option<Trap> {
        let task = self.traps.get(key)?.task;
        let task = self.tasks.get_mut(task)?;
        self.budget.give_entry::<Trap>();
        task.traps.remove(&mut self.traps, key)
    }

    /// Sees to it that a timer comes up at `until`, or before: then the instance looks at its `wait` again.
    ///
    /// There is one such time. One that is set already stays if it comes before: what a guest
    /// waits until is mostly the deadline of a timeout, each a little later than the last, and few ever come.
    pub(super) fn return_by(&mut self, timers: &mut Timers, until: Instant) {
        if until == Instant::NEVER || self.returns_at.is_some_and(|set| set <= until) {
            return;
        }
        self.returns_at = Some(until);
        timers.set(self.key, &mut self.scheduled, until);
    }

    /// Has the instance's next timer come up.
    pub(super) fn schedule(&mut self, timers: &mut Timers) {
        let timers_set = [self.ends_at, self.returns_at, self.sleeps.next()];
        if let Some(next) = timers_set.into_iter().flatten().min() {
            timers.set(self.key, &mut self.scheduled, next);
        }
    }

    /// Ends what is due by now, of the sleeps at most `max`. Returns whether the instance is to look at its `wait`
    /// again.
    pub(super) fn end_due(&mut self, now: Instant, max: usize) -> bool {
        let mut is_roused = self.returns_at.take_if(|until| *until <= now).is_some();
        for _ in 0..max {
            let Some(trap) = self.sleeps.pop_due(now) else {
                break;
            };
            is_roused |= self.finish(trap, Outcome::Done(now.as_nanos()));
        }
        is_roused
    }
}
