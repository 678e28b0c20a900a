//! A group behind its handles: how it is waited for, and how it ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::shared::{Group, Membership, Outcome};
use super::super::{Task, TaskRef};
use super::Wait;
use super::members::{Members, Verdict};
use crate::error::{Error, Result};
use crate::runtime;
use crate::traps::{SchedFifo, Suspend};

/// A group behind its handles. Members know it weakly, so that it ends with the last handle.
pub(super) struct State<T> {
    pub(super) wait: Wait<T>,
    pub(super) phase: Cell<Phase>,
    pub(super) members: RefCell<Members<T>>,
    /// Those that wait for a change: all of them look again at every one, in the order in which they came.
    changed: SchedFifo,
}

/// Where a group is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes in members.
    Open,
    /// What is left is being cancelled.
    Ending,
    /// All have ended.
    Joined,
}

impl<T> State<T> {
    pub(super) const fn new(wait: Wait<T>) -> Self {
        Self {
            wait,
            phase: Cell::new(Phase::Open),
            members: RefCell::new(Members::new()),
            changed: SchedFifo::new(),
        }
    }

    /// Blocks until something has changed in the group.
    pub(super) fn change(&self, reason: &'static str) -> Suspend<'_, fn()> {
        self.changed.suspend(reason)
    }

    /// Wakes those that wait for a change.
    pub(super) fn note_change(&self) {
        self.changed.wake(usize::MAX);
    }

    /// Blocks until the policy is content, or a member has failed.
    pub(super) async fn wait_by_policy(&self) -> Result<()> {
        while self.phase.get() == Phase::Open {
            let verdict = self.members.borrow_mut().judge(self.wait);
            match verdict {
                Verdict::Wait => self.change("group-join").await?,
                Verdict::Enough | Verdict::Failed => break,
            }
        }
        Ok(())
    }

    /// Takes in no more members, and requests the cancellation of all, but not of the caller. Never blocks.
    pub(super) fn close(&self) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Ending);
        let spared = runtime::with(runtime::Runtime::current);
        let alive = self.members.borrow().alive();
        for task in alive {
            if Some(task.id().number()) != spared {
                task.request_cancel();
            }
        }
    }

    /// Cancels all and blocks until they have ended, whatever happens. Returns what the caller was told
    /// meanwhile, if it was interrupted, or else what it was told before.
    pub(super) async fn end_all(&self, before: Option<Error>) -> Option<Error> {
        let mut told = before;
        self.close();
        while self.members.borrow().is_alive() {
            if let Err(error) = self.change("group-join").await {
                told = Some(match told {
                    Some(before) => weightier(before, error),
                    None => error,
                });
            }
        }
        self.phase.set(Phase::Joined);
        told
    }

    /// Whether a task is a member.
    pub(super) fn is_member(&self, task: &TaskRef) -> bool {
        let group = task.header().group();
        let group = group.map(|group| Rc::as_ptr(&group).cast::<()>());
        group == Some(std::ptr::from_ref(self).cast())
    }
}

impl<T: 'static> State<T> {
    /// Takes in a task.
    pub(super) fn insert(self: &Rc<Self>, task: &Task<T>) {
        let group: Rc<dyn Group> = self.clone();
        let header = task.header();
        let membership = Membership::In(Rc::downgrade(&group));
        header.membership.replace(membership);
        self.members.borrow_mut().insert(task);
        if task.is_terminated() {
            self.ended(header.serial());
        }
    }
}

/// Which of two interruptions, told one after the other, is to go on: a task is told only once that it was
/// cancelled, and the later of two timeouts tells all that the earlier one does.
pub(super) fn weightier(before: Error, later: Error) -> Error {
    if matches!(before, Error::TaskCancelled) {
        before
    } else {
        later
    }
}

impl<T> Group for State<T> {
    fn ended(&self, serial: u64) {
        let ended = self.members.borrow_mut().end(serial);
        if let Some((turn, task)) = ended
            && self.phase.get() == Phase::Open
        {
            let looked_for = match &*task.shared.result.borrow() {
                Outcome::Value(value) => self.wait.is_for(value),
                _ => false,
            };
            if looked_for {
                self.members.borrow_mut().note_completed(turn, task);
            }
        }
        self.note_change();
    }

    fn left(&self, serial: u64) {
        // What it holds is dropped when the members are not borrowed.
        let task = self.members.borrow_mut().remove(serial);
        drop(task);
        self.note_change();
    }
}

impl<T> Drop for State<T> {
    /// Nobody can wait for the members any more.
    fn drop(&mut self) {
        self.close();
    }
}
