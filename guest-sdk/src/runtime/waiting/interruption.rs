//! Cancellation and timeouts: how they reach a task.
//!
//! A task is interrupted where it is blocked: its waits end as cancelled or timed out. If it is
//! not blocked, the interruption stays pending and ends the next operation that blocks before it begins.
//! What is already on its way to a task gets there first, so that no result is lost. Inside a shield nothing
//! arrives.
//!
use std::task::Context;

use super::blocks::{self, BlockKey};
use super::table::Table;
use super::wait::{End, Kind, State, WaitKey, What};
use super::{Running, Runtime, Waiting, foreign_waker};
use crate::bindings::traps as kernel;
use crate::error::{Error, Result, TimedOut};
use crate::time::Instant;

impl Waiting {
    /// Takes what the task that runs is to be interrupted with at this place.
    ///
    /// # Errors
    /// That.
    pub(crate) fn take_interruption(&self, by: Running) -> Result<()> {
        self.table.borrow_mut().take_interruption(by)
    }

    /// Cancels a task with an error. That is done once, and nothing happens any other time.
    pub(crate) fn cancel(&self, runtime: &Runtime, task: u64, error: Error) {
        let table = &mut *self.table.borrow_mut();
        let opened = table.blocks.opened;
        let of_task = table.of_task(task);
        if !std::mem::replace(&mut of_task.cancelled, true) {
            of_task.pending = Some(error);
            of_task.disarmed_before = opened + 1;
            table.deliver(runtime, task);
        }
    }

    /// What is pending for the task that runs, if it is wanted, shield or not.
    pub(crate) fn take_pending(
        &self,
        by: Running,
        wanted: impl FnOnce(&Error) -> bool,
    ) -> Option<Error> {
        let table = &mut *self.table.borrow_mut();
        let of_task = table.of_task(by.task);
        if of_task.pending.is_some() {
            return of_task.pending.take_if(|error| wanted(error));
        }
        let at = table.now;
        let innermost = by.block.filter(|block| table.is_due_around(*block))?;
        let error = Error::TaskTimeout(TimedOut::new(at));
        wanted(&error).then(|| {
            table.tell(innermost, true);
            error
        })
    }

    /// Whether something is pending for the task that runs, shield or not.
    pub(crate) fn has_pending(&self, by: Running) -> bool {
        let table = &mut *self.table.borrow_mut();
        table.of_task(by.task).pending.is_some()
            || by.block.is_some_and(|block| table.is_due_around(block))
    }

    /// Says what the task that runs is to be interrupted with.
    pub(crate) fn set_pending(&self, task: u64, error: Option<Error>) {
        let table = &mut *self.table.borrow_mut();
        table.of_task(task).pending = error;
        table.list_cancel(task);
    }

    /// Opens a timeout block around what the task that runs does next.
    pub(crate) fn open_block(&self, by: Running, deadline: Instant) -> BlockKey {
        let table = &mut *self.table.borrow_mut();
        table.blocks.open(by.task, by.block, Some(deadline))
    }

    /// The future in a timeout block waits. If it is to be dropped, says when the block expired.
    pub(crate) fn look_at_block(&self, key: BlockKey, cx: &Context<'_>) -> Option<Instant> {
        let table = &mut *self.table.borrow_mut();
        table.blocks.arm(key);
        let block = &mut table.blocks[key];
        let gave_up = block.gave_up.take();
        if gave_up.is_some() && table.is_stuck(key) {
            return gave_up;
        }
        let block = &mut table.blocks[key];
        block.waker = foreign_waker(block.task, cx);
        None
    }

    /// Opens a shield around what the task that runs does next.
    pub(crate) fn open_shield(&self, by: Running) -> BlockKey {
        let table = &mut *self.table.borrow_mut();
        table.blocks.open(by.task, by.block, None)
    }

    /// Closes a block, or a shield.
    pub(crate) fn close(&self, key: BlockKey) {
        let table = &mut *self.table.borrow_mut();
        while let Some(wait) = table.blocks[key].waits.first {
            // Its future has left the block.
            let task = table.waits[wait].by.task;
            if let State::Ended(End::TimedOut(at)) = table.waits[wait].state {
                table.expire_again(Some(key), at);
            }
            table.unlink(wait);
            table.link(wait, Running::in_no_block(task));
        }
        let block = &table.blocks[key];
        let (task, around, is_shield) = (block.task, block.around, block.is_shield());
        let again = table.blocks.close(key);
        table.list_expired(again);
        if is_shield {
            // What was kept from the task meanwhile is to reach it soon.
            table.list_cancel(task);
            table.list_expired(around);
        }
    }

    /// The outermost block, from the given one outwards, that had expired at a time.
    pub(crate) fn outermost_expired(&self, innermost: BlockKey, at: Instant) -> Option<BlockKey> {
        let table = self.table.borrow();
        table.blocks.outermost_expired(innermost, at)
    }

    /// The next deadline of a block in which a task waits; the end of time if there is none.
    pub(crate) fn next_deadline(&self) -> Instant {
        let deadline = self.table.borrow_mut().blocks.next_deadline();
        deadline.unwrap_or(Instant::from_nanos(u64::MAX))
    }

    /// Expires the blocks whose deadline has come.
    pub(crate) fn expire(&self, runtime: &Runtime) {
        let table = &mut *self.table.borrow_mut();
        while let Some(key) = table.blocks.pop_due(table.now) {
            table.blocks[key].state = blocks::State::Expired;
            if !table.is_disarmed(key) {
                table.tell_waits(runtime, key);
                table.list_expiry(key);
            }
        }
    }
}

impl Table {
    #[inline]
    pub(super) fn take_interruption(&mut self, by: Running) -> Result<()> {
        if by.shielded {
            return Ok(());
        }
        let of_task = self.of_task(by.task);
        if of_task.told == 0
            && let Some(error) = of_task.pending.take()
        {
            return Err(error);
        }
        if let Some(innermost) = by.block
            && self.is_due_around(innermost)
        {
            self.tell(innermost, true);
            return Err(Error::TaskTimeout(TimedOut::new(self.now)));
        }
        Ok(())
    }

    /// The error that a wait of a cancelled task ends with: the first one to look gets the one that was given.
    pub(super) fn take_told(&mut self, task: u64) -> Error {
        let of_task = self.of_task(task);
        of_task.told = of_task.told.saturating_sub(1);
        of_task.pending.take().unwrap_or(Error::TaskCancelled)
    }

    /// A wait of a cancelled task was given up before anyone looked.
    pub(super) fn cancel_again(&mut self, task: u64) {
        let of_task = self.of_task(task);
        of_task.told = of_task.told.saturating_sub(1);
        self.list_cancel(task);
    }

    /// A wait in this block that had timed out is looked at.
    pub(super) fn note_seen(&mut self, innermost: Option<BlockKey>, at: Instant) {
        self.for_each_expired(innermost, at, |block| {
            block.unseen = block.unseen.saturating_sub(1);
            block.seen = true;
        });
    }

    /// A wait in this block that had timed out was given up before anyone looked. If no other was told of the same,
    /// the blocks fire again.
    pub(super) fn expire_again(&mut self, innermost: Option<BlockKey>, at: Instant) {
        self.for_each_expired(innermost, at, |block| {
            block.unseen = block.unseen.saturating_sub(1);
            let is_told = matches!(block.state, blocks::State::Told(_));
            if is_told && block.unseen == 0 && !block.seen {
                block.state = blocks::State::Expired;
            }
        });
        self.list_expired(innermost);
    }

    /// Goes through the blocks of whose expiry a wait in this block was told at a time.
    fn for_each_expired(
        &mut self,
        innermost: Option<BlockKey>,
        at: Instant,
        mut note: impl FnMut(&mut blocks::Block),
    ) {
        let mut next = innermost;
        while let Some(key) = next {
            let block = &mut self.blocks[key];
            next = block.around;
            if block.has_expired(at) {
                note(block);
            }
        }
    }

    /// Ends all of a task's waits as cancelled, or leaves that pending.
    fn deliver(&mut self, runtime: &Runtime, task: u64) {
        self.cancel_waits(runtime, task);
        self.list_cancel(task);
    }

    /// Ends all of a task's waits as cancelled.
    pub(super) fn cancel_waits(&mut self, runtime: &Runtime, task: u64) {
        let mut told = 0;
        let mut next = self.of_task(task).waits.first;
        while let Some(key) = next {
            next = self.waits.next(key, Kind::OfTask);
            told += u32::from(self.interrupt(runtime, key, End::Cancelled));
        }
        self.of_task(task).told += told;
    }

    /// Ends all waits in a block as timed out.
    pub(super) fn tell_waits(&mut self, runtime: &Runtime, key: BlockKey) {
        let inner = self.blocks.has_inner(key);
        let (mut next, kind) = if inner {
            let task = self.blocks[key].task;
            (self.of_task(task).waits.first, Kind::OfTask)
        } else {
            (self.blocks[key].waits.first, Kind::OfBlock)
        };
        while let Some(wait) = next {
            next = self.waits.next(wait, kind);
            let block = self.waits[wait].by.block;
            if (!inner || self.blocks.is_in(block, key))
                && self.interrupt(runtime, wait, End::TimedOut(self.now))
            {
                self.tell(block.unwrap_or(key), false);
                self.for_each_expired(block, self.now, |block| block.unseen += 1);
            }
        }
    }

    /// Ends a wait as interrupted, if it may end so. Returns whether it has.
    fn interrupt(&mut self, runtime: &Runtime, key: WaitKey, end: End) -> bool {
        let wait = &mut self.waits[key];
        if !wait.is_interruptible() {
            return false;
        }
        if let What::Trap(token) = wait.what
            && !kernel::withdraw(token)
        {
            wait.state = State::Coming;
            return false;
        }
        self.end(key, end).ready(runtime);
        true
    }

    /// Notes that a wait in this block was told of the expiry of all blocks around it, and whether that is seen
    /// already. Blocks that were told before stay as they are.
    fn tell(&mut self, innermost: BlockKey, seen: bool) {
        let mut next = Some(innermost);
        while let Some(key) = next {
            let block = &mut self.blocks[key];
            next = block.around;
            if block.has_expired(self.now) && !matches!(block.state, blocks::State::Told(_)) {
                block.state = blocks::State::Told(innermost);
                block.seen = seen;
                self.blocks.disarm(key);
            }
        }
    }

    /// Whether a block or one around it is to fire.
    fn is_due_around(&self, innermost: BlockKey) -> bool {
        (self.blocks.around(Some(innermost)))
            .any(|key| self.blocks[key].is_due(self.now) && !self.is_disarmed(key))
    }

    /// Whether a block was open when its task was cancelled.
    pub(super) fn is_disarmed(&self, key: BlockKey) -> bool {
        let block = &self.blocks[key];
        let of_task = self.tasks.0.get(super::index_of(block.task) as usize);
        of_task.is_some_and(|of_task| block.serial < of_task.disarmed_before)
    }
}
