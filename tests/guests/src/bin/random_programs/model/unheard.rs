//! Interruptions that may not have been heard: the SDK looks after them when a pass is over.

use curio::traps::passes;

use super::Model;
use super::entries::EntryState;
use super::interruption::ScopeState;

/// An interruption that may not have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// A task's cancellation.
    Cancel(usize),
    /// The expiry of a block.
    Expiry(u64),
}

impl Model {
    /// Notes what is to be looked after.
    pub(super) fn note_unheard(&mut self, unheard: Unheard) {
        if !self.unheard.contains(&unheard) {
            self.unheard.push(unheard);
        }
    }

    /// Notes a block and those around it, as far as they have expired and nobody was told.
    pub(super) fn note_expired(&mut self, innermost: Option<u64>) {
        for id in self.around(innermost) {
            if self.scopes[&id].state == ScopeState::Expired {
                self.note_unheard(Unheard::Expiry(id));
            }
        }
    }

    /// Tells those that wait of what was not heard, if a pass is over since that was last done. Only a task with
    /// several branches may have such: one that was told has given up, or has closed a block, while another waits.
    pub(super) fn settle(&mut self) {
        let passes = passes();
        if std::mem::replace(&mut self.passes, passes) == passes {
            return;
        }
        for unheard in std::mem::take(&mut self.unheard) {
            let goes_on = match unheard {
                Unheard::Cancel(task) => self.settle_cancel(task),
                Unheard::Expiry(id) => self.settle_expiry(id),
            };
            if goes_on {
                self.note_unheard(unheard);
            }
        }
    }

    fn settle_cancel(&mut self, task: usize) -> bool {
        let of_task = &self.tasks[task];
        if of_task.pending.is_some() && of_task.told == 0 {
            self.cancel_waits(task);
        }
        self.tasks[task].pending.is_some()
    }

    fn settle_expiry(&mut self, id: u64) -> bool {
        let state = |model: &Self| {
            let scope = model.scopes.get(&id).filter(|scope| !scope.disarmed);
            scope.map(|scope| scope.state)
        };
        if state(self) == Some(ScopeState::Expired) {
            self.tell_waits(id, self.now);
        }
        match state(self) {
            None | Some(ScopeState::Armed | ScopeState::Told(_, true)) => false,
            Some(ScopeState::Expired | ScopeState::Told(..)) => true,
        }
    }

    /// Ends all waits of a task as cancelled.
    pub(super) fn cancel_waits(&mut self, task: usize) {
        let state = EntryState::Cancelled(self.now);
        let told = self.interrupt_all(|place| place.task == task, state);
        self.tasks[task].told += u32::try_from(told.len()).expect("few");
    }
}
