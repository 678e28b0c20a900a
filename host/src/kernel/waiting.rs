//! How blocking traps begin, and how they end with a result.

use super::instance::Instance;
use super::task::{Caller, Outcome, Resumption};
use super::timers::Due;
use super::trap::{Kind, List, Trap, Wait};
use super::{Fault, Instant, QueueKey, TaskKey, Timers, TrapKey};
use crate::limits::LimitExceeded;

/// What a guest's handle of a wait queue takes on the host.
const HANDLE: usize = 128;

/// A line of waiting tasks that a guest made for a primitive of its own.
#[derive(Debug)]
pub(crate) struct WaitQueue {
    /// What a task that waits here is said to do.
    reason: String,
    waiters: List,
    len: u32,
}

impl WaitQueue {
    /// What a task that waits here is said to do.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

impl Instance {
    /// Blocks a task until `until`; a time that has passed sends it to the end of the ready queue.
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
        if let Some(outcome) = self.interruption(timers, by, now)? {
            return self.end_at_once(by, outcome);
        }
        if until <= now {
            return self.end_at_once(by, Outcome::Done(now.as_nanos()));
        }
        let trap = self.pend(by, Wait::Sleep)?;
        self.set_timer(timers, until, Due::Wake(trap));
        Ok(trap)
    }

    /// Blocks a task until another one has ended.
    ///
    /// # Errors
    /// As [`Instance::sleep`].
    pub(crate) fn join(
        &mut self,
        timers: &mut Timers,
        by: Caller,
        target: TaskKey,
        now: Instant,
    ) -> Result<TrapKey, Fault> {
        if !self.tasks.contains_key(target) {
            self.check(by)?;
            return self.end_at_once(by, Outcome::Done(0));
        }
        if let Some(outcome) = self.interruption(timers, by, now)? {
            return self.end_at_once(by, outcome);
        }
        let trap = self.pend(by, Wait::Join(target))?;
        self.line_up_to_join(trap, target);
        Ok(trap)
    }

    /// Makes a wait queue.
    ///
    /// # Errors
    /// If the instance has no memory left.
    pub(crate) fn make_queue(&mut self, reason: &str) -> Result<QueueKey, LimitExceeded> {
        let reason = Self::clip(reason);
        self.budget
            .take_entry_and::<WaitQueue>(HANDLE + reason.len())?;
        Ok(self.queues.insert(WaitQueue {
            reason,
            waiters: List::default(),
            len: 0,
        }))
    }

    /// Blocks a task until it is woken on a queue.
    ///
    /// # Errors
    /// As [`Instance::sleep`].
    pub(crate) fn suspend(
        &mut self,
        timers: &mut Timers,
        by: Caller,
        queue: QueueKey,
        now: Instant,
    ) -> Result<TrapKey, Fault> {
        if let Some(outcome) = self.interruption(timers, by, now)? {
            return self.end_at_once(by, outcome);
        }
        if !self.queues.contains_key(queue) {
            return Err(Fault::Queue);
        }
        let trap = self.pend(by, Wait::Queue(queue))?;
        let line = &mut self.queues[queue];
        line.len += 1;
        line.waiters.append(&mut self.traps, trap, Kind::InLine);
        Ok(trap)
    }

    /// Wakes up to `count` tasks on a queue, first come, first served; returns how many.
    pub(crate) fn wake_queue(&mut self, queue: QueueKey, count: u32, value: u64) -> u32 {
        let mut woken = 0;
        while woken < count
            && let Some(trap) = self.queues.get(queue).and_then(|line| line.waiters.first())
        {
            self.finish(trap, Outcome::Done(value));
            woken += 1;
        }
        woken
    }

    /// How many tasks wait on a queue.
    pub(crate) fn queue_len(&self, queue: QueueKey) -> u32 {
        self.queues.get(queue).map_or(0, |line| line.len)
    }

    /// Drops a queue. Whoever still waits there is told.
    pub(crate) fn drop_queue(&mut self, queue: QueueKey) {
        while let Some(trap) = self.queues.get(queue).and_then(|line| line.waiters.first()) {
            self.finish(trap, Outcome::Closed);
        }
        if let Some(line) = self.queues.remove(queue) {
            self.budget
                .give_entry_and::<WaitQueue>(HANDLE + line.reason.len());
        }
    }

    /// Notes that a task waits for something.
    ///
    /// # Errors
    /// If the caller does not exist, or there is no memory left for the note.
    pub(super) fn pend(&mut self, by: Caller, wait: Wait) -> Result<TrapKey, Fault> {
        let task = self.tasks.get_mut(by.task).ok_or(Fault::Task)?;
        self.budget.take_entry::<Trap>()?;
        let trap = self.traps.insert(Trap::new(by, wait));
        task.traps.append(&mut self.traps, trap, Kind::OfTask);
        if let Some(scope) = by.scope.and_then(|scope| self.scopes.get_mut(scope)) {
            scope.traps.append(&mut self.traps, trap, Kind::InScope);
        }
        Ok(trap)
    }

    /// A trap that has ended before it began.
    ///
    /// # Errors
    /// If there is no memory left for its resumption: a guest may make any number of these between
    /// two calls of `wait`.
    pub(super) fn end_at_once(&mut self, by: Caller, outcome: Outcome) -> Result<TrapKey, Fault> {
        self.budget.check_entry::<Resumption>()?;
        let trap = self.traps.insert(Trap::new(by, Wait::Sleep));
        self.traps.remove(trap);
        self.resume(by.task, Some(trap), by.cookie, outcome);
        Ok(trap)
    }

    /// Ends a pending trap and readies its task.
    pub(super) fn finish(&mut self, trap: TrapKey, outcome: Outcome) {
        if let Some(ended) = self.unlink(trap) {
            self.resume(ended.task, Some(trap), ended.cookie, outcome);
        }
    }

    /// Ends a pending trap, whose timer is no longer needed, and readies its task.
    pub(super) fn interrupt(&mut self, timers: &mut Timers, trap: TrapKey, outcome: Outcome) {
        if let Some(ended) = self.unlink(trap) {
            if ended.wait == Wait::Sleep {
                self.bury_timer(timers);
            }
            self.resume(ended.task, Some(trap), ended.cookie, outcome);
        }
    }

    /// Withdraws a trap that nobody waits for any more. Returns false if it has ended already.
    pub(crate) fn withdraw(&mut self, timers: &mut Timers, trap: TrapKey) -> bool {
        let Some(withdrawn) = self.unlink(trap) else {
            return false;
        };
        if withdrawn.wait == Wait::Sleep {
            self.bury_timer(timers);
        }
        true
    }

    /// Takes a trap out of the table and out of its lists.
    fn unlink(&mut self, key: TrapKey) -> Option<Trap> {
        let trap = self.traps.get(key)?;
        let (task, scope, wait) = (trap.task, trap.scope, trap.wait);
        let list = &mut self.tasks[task].traps;
        list.remove(&mut self.traps, key, Kind::OfTask);
        if let Some(scope) = scope {
            // If the block was closed, the others that were made in it still hold together.
            let mut headless = List::default();
            let block = self.scopes.get_mut(scope);
            let list = block.map_or(&mut headless, |block| &mut block.traps);
            list.remove(&mut self.traps, key, Kind::InScope);
        }
        match wait {
            Wait::Join(target) => {
                let line = &mut self.tasks[target].joiners;
                line.remove(&mut self.traps, key, Kind::InLine);
            }
            Wait::Queue(queue) => {
                let line = &mut self.queues[queue];
                line.waiters.remove(&mut self.traps, key, Kind::InLine);
                line.len -= 1;
            }
            // A descriptor's waiter is a key, which means nothing once the trap is gone.
            Wait::Sleep | Wait::Read(_) | Wait::Write(_) => {}
        }
        self.budget.give_entry::<Trap>();
        self.traps.remove(key)
    }

    /// Sets one of this instance's timers.
    pub(super) fn set_timer(&mut self, timers: &mut Timers, at: Instant, due: Due) {
        timers.set(at, due, self.key);
        self.timers_set += 1;
    }

    /// Notes that one of this instance's timers is no longer needed.
    pub(super) fn bury_timer(&mut self, timers: &mut Timers) {
        timers.bury(1);
        self.timers_set -= 1;
    }

    /// Takes a timer that came up. Returns false if it was a dead one.
    pub(super) fn timer_due(&mut self, timers: &mut Timers, due: Due, now: Instant) -> bool {
        let live = self.is_live(due);
        if live {
            self.timers_set -= 1;
            match due {
                Due::Wake(trap) => self.finish(trap, Outcome::Done(now.as_nanos())),
                Due::Expire(scope) => self.expire(timers, scope, now),
                Due::End => {}
            }
        }
        live
    }
}
