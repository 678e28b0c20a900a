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
use super::scope::{self, Family, Scope, ScopeState};
use super::task::{Caller, Cancellation, Outcome};
use super::timers::Due;
use super::trap::{List, Wait};
use super::{Fault, Instant, ScopeKey, TaskKey, Timers, TrapKey};

/// How deeply timeout blocks may be nested. Every trap looks at all the blocks it is in, so that a guest
/// that nests them without end would stop the kernel.
const MAX_DEPTH: u32 = 100;

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
        if task.cancellation != Cancellation::None {
            return true;
        }
        task.cancellation = Cancellation::Told;
        task.disarmed_before = self.scopes_made + 1;
        if !self.cancel_traps(timers, target) {
            self.keep_cancel(target);
        }
        true
    }

    /// Ends all of a task's traps as cancelled. Returns whether there were any.
    fn cancel_traps(&mut self, timers: &mut Timers, key: TaskKey) -> bool {
        let mut told = false;
        while let Some(trap) = self.tasks[key].traps.first() {
            self.interrupt(timers, trap, Outcome::Cancelled);
            told = true;
        }
        told
    }

    /// Leaves a task's cancellation pending.
    fn keep_cancel(&mut self, key: TaskKey) {
        let task = &mut self.tasks[key];
        task.cancellation = Cancellation::Pending;
        if !std::mem::replace(&mut task.listed, true) {
            self.undelivered.push(Undelivered::Cancel(key));
        }
    }

    /// Leaves a timeout block's expiry pending.
    fn keep_expiry(&mut self, key: ScopeKey) {
        let scope = &mut self.scopes[key];
        scope.state = ScopeState::Expired;
        if !std::mem::replace(&mut scope.listed, true) {
            self.undelivered.push(Undelivered::Expire(key));
        }
    }

    /// Makes a cancellation pending again that reached a trap nobody waits for any more.
    pub(crate) fn redeliver_cancel(&mut self, target: TaskKey) {
        let task = self.tasks.get(target);
        if task.is_some_and(|task| task.cancellation == Cancellation::Told) {
            self.keep_cancel(target);
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
        let depth = by.scope.map_or(1, |around| self.scopes[around].depth + 1);
        if depth > MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.budget.take_entry::<Scope>()?;
        self.scopes_made += 1;
        let opened = Scope {
            task: by.task,
            parent: by.scope,
            serial: self.scopes_made,
            depth,
            deadline,
            cookie: by.cookie,
            state: ScopeState::Armed,
            listed: false,
            traps: List::default(),
            family: Family::default(),
        };
        let scope = scope::insert(&mut self.scopes, opened);
        self.set_timer(timers, deadline, Due::Expire(scope));
        Ok(scope)
    }

    /// Closes a timeout block. Outer ones that expired while it was open fire again.
    ///
    /// # Errors
    /// If there is no such block.
    pub(crate) fn close_scope(&mut self, timers: &mut Timers, key: ScopeKey) -> Result<(), Fault> {
        let scope = scope::remove(&mut self.scopes, key).ok_or(Fault::Scope)?;
        self.budget.give_entry::<Scope>();
        if scope.state == ScopeState::Armed {
            self.bury_timer(timers);
        }
        let mut outer = scope.parent;
        while let Some(key_of_outer) = outer
            && let Some(around) = self.scopes.get(key_of_outer)
        {
            outer = around.parent;
            if around.state == ScopeState::Told(key) {
                self.keep_expiry(key_of_outer);
            }
        }
        Ok(())
    }

    /// Makes a timeout pending again that reached a trap nobody waits for any more.
    pub(crate) fn redeliver_timeout(&mut self, innermost: ScopeKey) {
        let mut scope = Some(innermost);
        while let Some(key) = scope
            && let Some(entry) = self.scopes.get(key)
        {
            scope = entry.parent;
            if entry.state == ScopeState::Told(innermost) {
                self.keep_expiry(key);
            }
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
        if task.cancellation == Cancellation::Pending {
            task.cancellation = Cancellation::Told;
            return Ok(Some(Outcome::Cancelled));
        }
        let Some(innermost) = by.scope else {
            return Ok(None);
        };
        let expired = self
            .around(innermost)
            .any(|(_, scope)| scope.is_due(now) && !self.is_disarmed(scope));
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
        if !self.tell_traps(timers, key, now) {
            self.keep_expiry(key);
        }
    }

    /// Ends all traps inside a block as timed out. Returns whether there were any, or need not be.
    fn tell_traps(&mut self, timers: &mut Timers, block: ScopeKey, now: Instant) -> bool {
        if self.is_disarmed(&self.scopes[block]) {
            return true;
        }
        let mut told = false;
        let mut next = Some(block);
        while let Some(innermost) = next {
            while let Some(trap) = self.scopes[innermost].traps.first() {
                self.tell(timers, innermost, now);
                self.interrupt(timers, trap, Outcome::TimedOut(now));
                told = true;
            }
            next = scope::following(&self.scopes, innermost, block);
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
        let mut undelivered = std::mem::take(&mut self.undelivered);
        undelivered.retain(|interruption| match *interruption {
            Undelivered::Cancel(task) => {
                let settled = self.recheck_cancel(timers, task);
                if settled && let Some(task) = self.tasks.get_mut(task) {
                    task.listed = false;
                }
                !settled
            }
            Undelivered::Expire(scope) => {
                let settled = self.recheck_expiry(timers, scope, now);
                if settled && let Some(scope) = self.scopes.get_mut(scope) {
                    scope.listed = false;
                }
                !settled
            }
        });
        self.undelivered = undelivered;
    }

    /// Ends the traps that a cancelled task has made meanwhile, or resumes it without one if it is blocked in
    /// something else. Returns false if it may still come to a trap.
    fn recheck_cancel(&mut self, timers: &mut Timers, key: TaskKey) -> bool {
        let Some(task) = self.tasks.get_mut(key) else {
            return true;
        };
        if task.cancellation != Cancellation::Pending {
            return true;
        }
        if task.resumptions > 0 {
            return false;
        }
        task.cancellation = Cancellation::Told;
        if !self.cancel_traps(timers, key) {
            self.resume(key, None, 0, Outcome::Cancelled);
        }
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
        if self.tell_traps(timers, key, now) {
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
