//! Cancellation and timeouts: how they reach a task.
//!
//! A task is interrupted where it is blocked: its pending traps end as cancelled or timed out. If it is
//! not blocked, the interruption stays pending and ends the next blocking trap before it begins.
//! What is already on its way to a task gets there first, so that no result is lost.
//!
//! A task may also be blocked in a future that makes no trap, on a channel of some other crate say. It can't
//! be told anything there; so when a pass is over and an interruption has found no trap, the task
//! is resumed for the innermost frame of the SDK to drop that future: the timeout block, or the task itself.

use super::instance::Instance;
use super::scope::{Scope, ScopeState};
use super::task::{Caller, Outcome};
use super::timers::Due;
use super::trap::Wait;
use super::{Fault, Instant, ScopeKey, TaskKey, Timers, TrapKey};

/// An interruption that no trap could be told of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undelivered {
    /// A task's cancellation.
    Cancel(TaskKey),
    /// A timeout block's expiry.
    Expire(ScopeKey),
}

impl Instance {
    /// Requests a task's cancellation. Returns false if it has ended.
    pub(crate) fn cancel(&mut self, timers: &mut Timers, target: TaskKey) -> bool {
        let Some(task) = self.tasks.get_mut(target) else {
            return false;
        };
        if task.cancelled {
            return true;
        }
        task.cancelled = true;
        task.disarmed_before = self.scopes_made + 1;
        if task.traps.first().is_none() {
            task.cancel_pending = true;
            self.undelivered.push(Undelivered::Cancel(target));
        }
        while let Some(trap) = self.tasks[target].traps.first() {
            self.interrupt(timers, trap, Outcome::Cancelled);
        }
        true
    }

    /// Makes a cancellation pending again that reached a trap nobody waits for any more.
    pub(crate) fn redeliver_cancel(&mut self, target: TaskKey) {
        if let Some(task) = self.tasks.get_mut(target)
            && task.cancelled
            && !task.cancel_pending
        {
            task.cancel_pending = true;
            self.undelivered.push(Undelivered::Cancel(target));
        }
    }

    /// Opens a timeout block.
    ///
    /// # Errors
    /// If the caller does not exist, or a limit is reached.
    pub(crate) fn open_scope(
        &mut self,
        timers: &mut Timers,
        by: Caller,
        deadline: Instant,
    ) -> Result<ScopeKey, Fault> {
        self.check(by)?;
        self.budget.take_entry::<Scope>()?;
        self.scopes_made += 1;
        let scope = self.scopes.insert(Scope {
            task: by.task,
            parent: by.scope,
            serial: self.scopes_made,
            deadline,
            cookie: by.cookie,
            state: ScopeState::Armed,
        });
        self.set_timer(timers, deadline, Due::Expire(scope));
        Ok(scope)
    }

    /// Closes a timeout block. Outer ones that expired while it was open fire again.
    ///
    /// # Errors
    /// If there is no such block.
    pub(crate) fn close_scope(&mut self, timers: &mut Timers, key: ScopeKey) -> Result<(), Fault> {
        let scope = self.scopes.remove(key).ok_or(Fault::Scope)?;
        self.budget.give_entry::<Scope>();
        if scope.state == ScopeState::Armed {
            self.bury_timer(timers);
        }
        let mut outer = scope.parent;
        while let Some(key_of_outer) = outer
            && let Some(around) = self.scopes.get_mut(key_of_outer)
        {
            if around.state == ScopeState::Told(key) {
                around.state = ScopeState::Expired;
                self.undelivered.push(Undelivered::Expire(key_of_outer));
            }
            outer = around.parent;
        }
        Ok(())
    }

    /// Makes a timeout pending again that reached a trap nobody waits for any more.
    pub(crate) fn redeliver_timeout(&mut self, innermost: ScopeKey) {
        let mut scope = Some(innermost);
        while let Some(key) = scope
            && let Some(entry) = self.scopes.get_mut(key)
        {
            if entry.state == ScopeState::Told(innermost) {
                entry.state = ScopeState::Expired;
                self.undelivered.push(Undelivered::Expire(key));
            }
            scope = entry.parent;
        }
    }

    /// Checks that a caller exists, and that its timeout block is its own.
    pub(super) fn check(&self, by: Caller) -> Result<(), Fault> {
        if !self.tasks.contains_key(by.task) {
            return Err(Fault::Task);
        }
        match by.scope {
            Some(scope) if self.scopes.get(scope).is_none_or(|s| s.task != by.task) => {
                Err(Fault::Scope)
            }
            _ => Ok(()),
        }
    }

    /// Takes the interruption that is pending for a task, if one is.
    ///
    /// # Errors
    /// If the caller does not exist.
    pub(super) fn interruption(
        &mut self,
        timers: &mut Timers,
        by: Caller,
        now: Instant,
    ) -> Result<Option<Outcome>, Fault> {
        self.check(by)?;
        let task = &mut self.tasks[by.task];
        if std::mem::take(&mut task.cancel_pending) {
            return Ok(Some(Outcome::Cancelled));
        }
        let Some(innermost) = by.scope else {
            return Ok(None);
        };
        let expired = self
            .around(innermost)
            .any(|(_, scope)| scope.state == ScopeState::Expired && !self.is_disarmed(scope));
        if !expired {
            return Ok(None);
        }
        self.tell(timers, innermost, now);
        Ok(Some(Outcome::TimedOut(now)))
    }

    /// Expires a timeout block: ends the traps inside it as timed out, or leaves that pending.
    pub(super) fn expire(&mut self, timers: &mut Timers, key: ScopeKey, now: Instant) {
        let Some(scope) = self.scopes.get_mut(key) else {
            return;
        };
        scope.state = ScopeState::Expired;
        let task = scope.task;
        if !self.tell_traps(timers, task, key, now) {
            self.undelivered.push(Undelivered::Expire(key));
        }
    }

    /// Ends all of a task's traps inside a block as timed out. Returns whether there were any.
    fn tell_traps(
        &mut self,
        timers: &mut Timers,
        task: TaskKey,
        block: ScopeKey,
        now: Instant,
    ) -> bool {
        let Some(entry) = self.tasks.get(task) else {
            return true;
        };
        if self.is_disarmed(&self.scopes[block]) {
            return true;
        }
        let mut told = false;
        let mut next = entry.traps.first();
        while let Some(trap) = next {
            next = self.traps[trap].next_of_task();
            let Some(innermost) = self.traps[trap].scope else {
                continue;
            };
            if self.around(innermost).any(|(key, _)| key == block) {
                self.tell(timers, innermost, now);
                self.interrupt(timers, trap, Outcome::TimedOut(now));
                told = true;
            }
        }
        told
    }

    /// Notes that a trap in the block `innermost` was told of the expiry of all blocks around it.
    fn tell(&mut self, timers: &mut Timers, innermost: ScopeKey, now: Instant) {
        let mut next = Some(innermost);
        while let Some(key) = next
            && let Some(scope) = self.scopes.get_mut(key)
        {
            next = scope.parent;
            if scope.deadline > now {
                continue;
            }
            let before = std::mem::replace(&mut scope.state, ScopeState::Told(innermost));
            match before {
                ScopeState::Armed => self.bury_timer(timers),
                ScopeState::Expired => {}
                ScopeState::Told(_) => self.scopes[key].state = before,
            }
        }
    }

    /// Tries again to deliver what no trap could be told of. To be called when a pass is over.
    pub(super) fn recheck(&mut self, timers: &mut Timers, now: Instant) {
        let undelivered = std::mem::take(&mut self.undelivered);
        for interruption in undelivered {
            let settled = match interruption {
                Undelivered::Cancel(task) => self.recheck_cancel(task),
                Undelivered::Expire(scope) => self.recheck_expiry(timers, scope, now),
            };
            if !settled {
                self.undelivered.push(interruption);
            }
        }
    }

    /// Resumes a cancelled task that is blocked in something without a trap. Returns false if it may
    /// still come to a trap.
    fn recheck_cancel(&mut self, key: TaskKey) -> bool {
        let Some(task) = self.tasks.get_mut(key) else {
            return true;
        };
        if !task.cancel_pending {
            return true;
        }
        if task.resumptions > 0 {
            return false;
        }
        task.cancel_pending = false;
        self.resume(key, None, 0, Outcome::Cancelled);
        true
    }

    /// Resumes a task whose timeout block has expired while it is blocked in something without a trap.
    /// Returns false if it may still come to a trap.
    fn recheck_expiry(&mut self, timers: &mut Timers, key: ScopeKey, now: Instant) -> bool {
        let Some(scope) = self.scopes.get(key) else {
            return true;
        };
        if scope.state != ScopeState::Expired || self.is_disarmed(scope) {
            return true;
        }
        let (task, cookie) = (scope.task, scope.cookie);
        if self.tell_traps(timers, task, key, now) {
            return true;
        }
        if self.tasks.get(task).is_none_or(|t| t.resumptions > 0) {
            return !self.tasks.contains_key(task);
        }
        self.scopes[key].state = ScopeState::Told(key);
        self.resume(task, None, cookie, Outcome::ScopeExpired(key, now));
        true
    }

    /// A block and those around it, from the inside out.
    fn around(&self, innermost: ScopeKey) -> impl Iterator<Item = (ScopeKey, &Scope)> {
        let mut next = Some(innermost);
        std::iter::from_fn(move || {
            let key = next?;
            let scope = self.scopes.get(key)?;
            next = scope.parent;
            Some((key, scope))
        })
    }

    /// Whether a block was open when its task was cancelled.
    fn is_disarmed(&self, scope: &Scope) -> bool {
        self.tasks
            .get(scope.task)
            .is_none_or(|task| scope.serial < task.disarmed_before)
    }

    /// Whether a timer still means something.
    pub(super) fn is_live(&self, due: Due) -> bool {
        match due {
            Due::Wake(trap) => self.is_sleeping(trap),
            Due::Expire(scope) => self
                .scopes
                .get(scope)
                .is_some_and(|scope| scope.state == ScopeState::Armed),
            Due::End => true,
        }
    }

    fn is_sleeping(&self, trap: TrapKey) -> bool {
        self.traps
            .get(trap)
            .is_some_and(|trap| trap.wait == Wait::Sleep)
    }
}
