//! Interruptions that have not been heard.
//!
//! Mostly the wait was told, and its task is about to look. Or the task is about to run, and to come to an operation
//! that can be told. Or it is blocked in a future that is none of this crate's, on a channel of some other crate say,
//! and if it has a wait, does not look at that. It can't be told anything there; so when a pass is over and
//! an interruption was not heard, the innermost frame of this crate drops that future: the timeout block,
//! or the task itself. The block does when it is polled next, unless its future is not blocked there any more.

use super::blocks::{Block, BlockKey, State};
use super::table::{Readied, Table};
use super::wait::{self, Kind};
use super::{Runtime, Waiting};

/// An interruption that was not heard yet.
#[derive(Clone, Copy)]
pub(super) enum Undelivered {
    /// A task's cancellation.
    Cancel(u64),
    /// The expiry of a block, and its serial number.
    Expire(BlockKey, u64),
}

/// What has become of such an interruption.
enum Settled {
    /// It was heard, or nobody has to hear of it any more.
    Yes,
    /// The task may still hear of it.
    NotYet,
    /// The task waits for nothing that could be told. It is to be dropped.
    Drop(u64),
}

impl Waiting {
    /// Looks after what was not heard, now that a pass is over. Returns the tasks that are to be dropped.
    pub(crate) fn settle(&self, runtime: &Runtime) -> Vec<u64> {
        let table = &mut *self.table.borrow_mut();
        let mut dropped = Vec::new();
        let mut kept = 0;
        for place in 0..table.undelivered.len() {
            let interruption = table.undelivered[place];
            match table.settle(runtime, interruption) {
                Settled::Yes => {}
                Settled::NotYet => {
                    table.undelivered[kept] = interruption;
                    kept += 1;
                }
                Settled::Drop(task) => dropped.push(task),
            }
        }
        table.undelivered.truncate(kept);
        dropped
    }
}

impl Table {
    pub(super) fn list_cancel(&mut self, task: u64) {
        let of_task = self.of_task(task);
        if of_task.pending.is_some() && !std::mem::replace(&mut of_task.listed, true) {
            self.undelivered.push(Undelivered::Cancel(task));
        }
    }

    pub(super) fn list_expiry(&mut self, key: BlockKey) {
        let block = &mut self.blocks[key];
        if !std::mem::replace(&mut block.listed, true) {
            let serial = block.serial;
            self.undelivered.push(Undelivered::Expire(key, serial));
        }
    }

    /// Lists a block and those around it, as far as they have expired and nobody was told.
    pub(super) fn list_expired(&mut self, innermost: Option<BlockKey>) {
        let mut next = innermost;
        while let Some(key) = next {
            let block = &self.blocks[key];
            next = block.around;
            if block.state == State::Expired {
                self.list_expiry(key);
            }
        }
    }

    fn settle(&mut self, runtime: &Runtime, interruption: Undelivered) -> Settled {
        match interruption {
            Undelivered::Cancel(task) => {
                let settled = self.settle_cancel(runtime, task);
                self.of_task(task).listed = matches!(settled, Settled::NotYet);
                settled
            }
            Undelivered::Expire(key, serial) => {
                if self.blocks.by_serial(key, serial).is_none() {
                    return Settled::Yes;
                }
                let settled = self.settle_expiry(runtime, key);
                self.blocks[key].listed = matches!(settled, Settled::NotYet);
                settled
            }
        }
    }

    fn settle_cancel(&mut self, runtime: &Runtime, task: u64) -> Settled {
        let of_task = self.of_task(task);
        if of_task.pending.is_none() {
            return Settled::Yes;
        }
        if of_task.told == 0 {
            self.cancel_waits(runtime, task);
        }
        if self.may_go_on(runtime, task) {
            return Settled::NotYet;
        }
        // If one is open, this comes up again when that closes.
        if self.blocks.has_shield_of(task) {
            return Settled::Yes;
        }
        Settled::Drop(task)
    }

    fn settle_expiry(&mut self, runtime: &Runtime, key: BlockKey) -> Settled {
        let Block { state, unseen, .. } = self.blocks[key];
        match state {
            _ if self.is_disarmed(key) => return Settled::Yes,
            State::Armed => return Settled::Yes,
            State::Expired => self.tell_waits(runtime, key),
            State::Told(_) if unseen == 0 => return Settled::Yes,
            State::Told(_) => {}
        }
        if self.may_go_on(runtime, self.blocks[key].task) {
            return Settled::NotYet;
        }
        // If one is open inside, this comes up again when that closes.
        if self.blocks.is_shielded(key) || self.blocks.holds_shield(key) {
            return Settled::Yes;
        }
        let now = self.now;
        let block = &mut self.blocks[key];
        block.gave_up = Some(now);
        let readied = Readied {
            task: block.task,
            waker: block.waker.take(),
        };
        readied.ready(runtime);
        Settled::Yes
    }

    /// Whether the future in an expired block, which was found to be blocked where it can't be told, is so still now
    /// that it was polled. It may have gone on meanwhile, and been told, or come to a place where it must not be.
    pub(super) fn is_stuck(&mut self, key: BlockKey) -> bool {
        let Block {
            task,
            state,
            unseen,
            ..
        } = self.blocks[key];
        let was_told = match state {
            State::Armed => return false,
            State::Expired => false,
            State::Told(_) => unseen == 0,
        };
        // A cancellation that was heard has put an end to timeouts.
        let was_cancelled = self.is_disarmed(key) && self.of_task(task).pending.is_none();
        !was_told && !was_cancelled && !self.blocks.holds_shield(key)
    }

    /// Whether a task is ready, or about to be.
    fn may_go_on(&mut self, runtime: &Runtime, task: u64) -> bool {
        if runtime.tasks.is_queued(task) {
            return true;
        }
        let mut next = self.of_task(task).waits.first;
        while let Some(key) = next {
            next = self.waits.next(key, Kind::OfTask);
            if self.waits[key].state == wait::State::Coming {
                return true;
            }
        }
        false
    }
}
