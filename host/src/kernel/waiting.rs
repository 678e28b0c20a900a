//! How blocking traps begin and end, and the timers of an instance.

use super::instance::Instance;
use super::task::{Caller, Outcome, Resumption};
use super::timers::Due;
use super::trap::{Trap, Wait};
use super::{Fault, Instant, Timers, TrapKey};

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
        let trap = self.pend(by, Wait::Sleep)?;
        self.set_timer(timers, until, Due::Wake(trap));
        Ok(trap)
    }

    /// Notes that a task waits for something.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left for the note.
    pub(super) fn pend(&mut self, by: Caller, wait: Wait) -> Result<TrapKey, Fault> {
        self.check(by)?;
        self.budget.take_entry::<Trap>()?;
        let trap = self.traps.insert(Trap::new(by, wait));
        let list = &mut self.tasks[by.task].traps;
        list.append(&mut self.traps, trap);
        Ok(trap)
    }

    /// A trap that has ended before it began.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left for the resumption: a guest may make any
    /// number of these between two calls of `wait`.
    pub(super) fn end_at_once(&mut self, by: Caller, outcome: Outcome) -> Result<TrapKey, Fault> {
        self.check(by)?;
        self.budget.check_entry::<Resumption>()?;
        let trap = self.traps.insert(Trap::new(by, Wait::Sleep));
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

    /// Ends a pending trap.
    pub(super) fn finish(&mut self, trap: TrapKey, outcome: Outcome) {
        if let Some(ended) = self.take_trap(trap) {
            self.resume(ended.cookie, outcome);
        }
    }

    /// Withdraws a trap that nobody waits for any more. Returns false if it has ended already.
    pub(crate) fn withdraw(&mut self, timers: &mut Timers, trap: TrapKey) -> bool {
        let Some(withdrawn) = self.take_trap(trap) else {
            return false;
        };
        if withdrawn.wait == Wait::Sleep {
            self.bury_timer(timers);
        }
        true
    }

    /// Takes a trap out of the table and out of its task's list. A descriptor's waiter is a key, which means
    /// nothing once the trap is gone.
    fn take_trap(&mut self, key: TrapKey) -> Option<Trap> {
        let task = self.traps.get(key)?.task;
        self.budget.give_entry::<Trap>();
        self.tasks[task].traps.remove(&mut self.traps, key)
    }

    /// Sees to it that a timer comes up at `until`, or before: then the instance looks at its `wait` again.
    ///
    /// There is one such timer at a time. One that is set already stays if it comes up before: what a guest
    /// waits until is mostly the deadline of a timeout, each a little later than the last, and few ever come.
    pub(super) fn return_by(&mut self, timers: &mut Timers, until: Instant) {
        if until == Instant::NEVER || self.returns_at.is_some_and(|set| set <= until) {
            return;
        }
        if self.returns_at.is_some() {
            self.bury_timer(timers);
        }
        self.returns_at = Some(until);
        self.returns_set = self.returns_set.wrapping_add(1);
        self.set_timer(timers, until, Due::Return(self.returns_set));
    }

    /// Sets one of this instance's timers.
    pub(super) fn set_timer(&mut self, timers: &mut Timers, at: Instant, due: Due) {
        timers.set(at, due, self.key);
        self.timers_set += 1;
    }

    /// Notes that one of this instance's timers is no longer needed.
    fn bury_timer(&mut self, timers: &mut Timers) {
        timers.bury(1);
        self.timers_set -= 1;
    }

    /// Takes a timer that came up. Returns false if it was a dead one.
    pub(super) fn timer_due(&mut self, due: Due, now: Instant) -> bool {
        let live = self.is_live(due);
        if live {
            self.timers_set -= 1;
            match due {
                Due::Wake(trap) => self.finish(trap, Outcome::Done(now.as_nanos())),
                Due::Return(_) => self.returns_at = None,
                Due::End => {}
            }
        }
        live
    }

    /// Whether a timer still means something.
    pub(super) fn is_live(&self, due: Due) -> bool {
        match due {
            Due::Wake(trap) => self.traps.contains_key(trap),
            Due::Return(number) => self.returns_at.is_some() && number == self.returns_set,
            Due::End => true,
        }
    }
}
