//! Who is in a group, and how far it is. Nothing here blocks, wakes anybody or calls code of the program.

use std::collections::{BTreeMap, BTreeSet};

use super::super::shared::Outcome;
use super::super::{Task, TaskRef};
use super::Wait;

/// Who is in a group.
///
/// Tasks are known by their serial numbers, and those that have ended by their turns, too: the first to end has
/// turn 1.
pub(super) struct Members<T> {
    /// Those whose results the group still has to give.
    left: BTreeMap<u64, Member<T>>,
    /// Those of them that have ended, by their turns.
    ended: BTreeMap<u64, u64>,
    /// The turns of those of them that failed.
    failed: BTreeSet<u64>,
    /// Those that give no results, and are only waited for: daemons, and what was cancelled as being
    /// left over. They are here until they end.
    aside: BTreeMap<u64, TaskRef>,
    /// The last turn.
    turns: u64,
    /// The first that returned what the group waits for, and its turn. It may have left since.
    completed: Option<(u64, Task<T>)>,
    /// The member whose failure ended the wait.
    failure: Option<Task<T>>,
}

struct Member<T> {
    task: Task<T>,
    /// Its turn, once it has ended.
    turn: Option<u64>,
}

/// What a group's policy says.
pub(super) enum Verdict {
    /// To wait for more.
    Wait,
    /// It is enough.
    Enough,
    /// It is enough, since a member failed.
    Failed,
}

impl<T> Members<T> {
    pub(super) const fn new() -> Self {
        Self {
            left: BTreeMap::new(),
            ended: BTreeMap::new(),
            failed: BTreeSet::new(),
            aside: BTreeMap::new(),
            turns: 0,
            completed: None,
            failure: None,
        }
    }

    /// Takes in a task. One that has ended already is still to be noted as such.
    pub(super) fn insert(&mut self, task: &Task<T>) {
        let serial = task.header().serial();
        if task.is_daemon() {
            self.aside.insert(serial, task.any().clone());
        } else {
            let task = task.clone();
            self.left.insert(serial, Member { task, turn: None });
        }
    }

    /// Notes that a task has ended. Returns it and its turn, if it gives a result.
    pub(super) fn end(&mut self, serial: u64) -> Option<(u64, Task<T>)> {
        // Whoever told of the end holds it, so that it is not dropped here.
        self.aside.remove(&serial);
        let member = self.left.get_mut(&serial)?;
        self.turns += 1;
        member.turn = Some(self.turns);
        self.ended.insert(self.turns, serial);
        if matches!(*member.task.shared.result.borrow(), Outcome::Failed(..)) {
            self.failed.insert(self.turns);
        }
        Some((self.turns, member.task.clone()))
    }

    /// Lets a task go, and returns it.
    pub(super) fn remove(&mut self, serial: u64) -> Option<Task<T>> {
        self.aside.remove(&serial);
        let Member { task, turn } = self.left.remove(&serial)?;
        if let Some(turn) = turn {
            self.ended.remove(&turn);
            self.failed.remove(&turn);
        }
        Some(task)
    }

    /// Lets the task go that ended first, and returns it.
    pub(super) fn remove_first(&mut self) -> Option<Task<T>> {
        let serial = *self.ended.first_key_value()?.1;
        self.remove(serial)
    }

    /// Sets aside the tasks that have not ended, but for one, and returns them.
    pub(super) fn set_aside(&mut self, spared: Option<u64>) -> Vec<TaskRef> {
        let running = self.left.iter().filter(|(_, member)| member.turn.is_none());
        let running = running.map(|(serial, member)| (*serial, member.task.any().clone()));
        let chosen: Vec<_> = running
            .filter(|(_, task)| Some(task.id().number()) != spared)
            .collect();
        for (serial, task) in &chosen {
            self.left.remove(serial);
            self.aside.insert(*serial, task.clone());
        }
        chosen.into_iter().map(|(_, task)| task).collect()
    }

    /// Those that have not ended, and those that were set aside; the oldest first.
    pub(super) fn alive(&self) -> Vec<TaskRef> {
        let running = self.left.values().filter(|member| member.turn.is_none());
        let running = running.map(|member| member.task.any().clone());
        let mut alive: Vec<_> = running.chain(self.aside.values().cloned()).collect();
        alive.sort_unstable_by_key(TaskRef::id);
        alive
    }

    /// Whether one that gives a result has not ended.
    pub(super) fn is_running(&self) -> bool {
        self.left.len() > self.ended.len()
    }

    /// Whether any has not ended.
    pub(super) fn is_alive(&self) -> bool {
        self.is_running() || !self.aside.is_empty()
    }

    /// Those that are left, the oldest first.
    pub(super) fn tasks(&self) -> Vec<Task<T>> {
        let members = self.left.values();
        members.map(|member| member.task.clone()).collect()
    }

    /// Those that are left and have ended, in the order in which they did.
    pub(super) fn ended(&self) -> Vec<Task<T>> {
        let members = self.ended.values().map(|serial| &self.left[serial]);
        members.map(|member| member.task.clone()).collect()
    }

    /// The task that ended the wait, or that did what the group waits for.
    pub(super) fn completed(&self) -> Option<&Task<T>> {
        let completed = self.completed.as_ref().map(|(_, task)| task);
        self.failure.as_ref().or(completed)
    }

    /// Notes that a task, whose turn is given, did what the group waits for; unless another has before.
    pub(super) fn note_completed(&mut self, turn: u64, task: Task<T>) {
        self.completed.get_or_insert((turn, task));
    }

    /// The member whose failure ended the wait.
    pub(super) fn failure(&self) -> Option<&Task<T>> {
        self.failure.as_ref()
    }

    /// What the policy says. A failure that ends the wait is noted.
    pub(super) fn judge(&mut self, wait: Wait<T>) -> Verdict {
        let completed = match wait {
            Wait::Any | Wait::Object(_) => self.completed.as_ref().map(|(turn, _)| *turn),
            Wait::All | Wait::None => None,
        };
        if let Some(failed) = self.failed.first()
            && completed.is_none_or(|completed| completed > *failed)
        {
            let serial = self.ended[failed];
            self.failure = Some(self.left[&serial].task.clone());
            return Verdict::Failed;
        }
        let enough = completed.is_some() || matches!(wait, Wait::None) || !self.is_running();
        if enough {
            Verdict::Enough
        } else {
            Verdict::Wait
        }
    }
}
