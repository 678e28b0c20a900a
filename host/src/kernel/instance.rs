//! An instance, as the kernel knows it: its tasks, and which of their traps have ended.
//!
//! Everything a guest can name lives in the tables of its own instance, so that a number it makes up
//! can only ever hit something of its own, or nothing.
//!
//! The rest of `impl Instance` is in `waiting.rs`: how traps begin and end.

use std::collections::VecDeque;

use slotmap::SlotMap;

use super::budget::Budget;
use super::task::{Outcome, Resumption, Task, TaskInfo};
use super::timers::Sleeps;
use super::trap::{List, Trap};
use super::{Fault, InstanceKey, Instant, SourceKey, TaskKey, TrapKey};
use crate::closer::Closer;
use crate::limits::{Allowance, LimitExceeded, Limits};

/// How many labels an instance may have; 0 is the label of nobody.
const MAX_LABELS: usize = 65_536;

/// How many characters of a guest's name for something are kept.
const MAX_NAME: usize = 200;

/// How many resumptions one `wait` brings. The others, however many there are, come with the next ones.
pub(super) const MAX_RESUMPTIONS: usize = 8192;

/// What an instance's fiber is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It runs guest code, or waits for something outside the kernel.
    Running,
    /// It was interrupted while it ran, and is in the kernel's queue of those.
    Preempted,
    /// It is suspended in `wait`, for which nothing has come.
    Waiting,
    /// It is in the kernel's queue of instances that may go on.
    Queued,
}

/// A name for tasks to carry, and where in the source they are spawned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// The task's name.
    pub(crate) name: String,
    /// The file it is spawned in.
    pub(crate) file: String,
    /// The line in that file.
    pub(crate) line: u32,
}

/// A running component's tasks and traps.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(super) key: InstanceKey,
    pub(super) tasks: SlotMap<TaskKey, Task>,
    pub(super) traps: SlotMap<TrapKey, Trap>,
    /// The first traps of tasks that have ended with more than could be freed at once.
    pub(super) orphans: VecDeque<TrapKey>,
    /// The descriptors and the like that the kernel watches for it.
    pub(super) sources: Vec<SourceKey>,
    /// What the next `wait`s bring: how traps ended, in that order.
    pub(super) ready: VecDeque<Resumption>,
    /// One of them is the host's request that the program end.
    end_requested: bool,
    /// The next main task is to be cancelled.
    end_owed: bool,
    pub(super) budget: Budget,
    pub(super) turn: Turn,
    /// Whether its `wait` has returned since it last got the thread.
    pub(super) served: bool,
    /// When its sleeps end.
    pub(super) sleeps: Sleeps,
    /// When its time is over.
    pub(super) ends_at: Option<Instant>,
    /// When the timer for its `wait` comes up, if one is set.
    pub(super) returns_at: Option<Instant>,
    /// When the kernel looks at its timers: no later than the first of them is due.
    pub(super) scheduled: Option<Instant>,
    /// What closes its descriptors, if that may block.
    closer: Closer,
    labels: Vec<Label>,
    tasks_made: u64,
    main: Option<TaskKey>,
}

impl Instance {
    /// An instance without tasks.
    pub(crate) fn new(key: InstanceKey, limits: Limits, allowance: Allowance) -> Self {
        Self {
            key,
            tasks: SlotMap::with_key(),
            traps: SlotMap::with_key(),
            orphans: VecDeque::new(),
            sources: Vec::new(),
            ready: VecDeque::new(),
            end_requested: false,
            end_owed: false,
            budget: Budget::new(limits, allowance),
            turn: Turn::Running,
            served: false,
            sleeps: Sleeps::default(),
            ends_at: None,
            returns_at: None,
            scheduled: None,
            closer: Closer::default(),
            labels: Vec::new(),
            tasks_made: 0,
            main: None,
        }
    }

    /// What the instance holds and may hold.
    pub(crate) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// What closes its descriptors, if that may block.
    pub(crate) fn closer(&self) -> Closer {
        self.closer.clone()
    }

    /// Keeps a name for tasks to carry.
    ///
    /// # Errors
    /// If the instance has no memory left.
    pub(crate) fn label(
        &mut self,
        name: &str,
        file: &str,
        line: u32,
    ) -> Result<u32, LimitExceeded> {
        if self.labels.len() + 1 >= MAX_LABELS {
            return Ok(0);
        }
        let label = Label {
            name: Self::clip(name),
            file: Self::clip(file),
            line,
        };
        let text = label.name.len() + label.file.len();
        self.budget.take_entry_and::<Label>(text)?;
        self.labels.push(label);
        Ok(u32::try_from(self.labels.len()).expect("there are fewer than MAX_LABELS"))
    }

    /// Makes a task. The last one without a parent is the main task, which the others serve.
    ///
    /// # Errors
    /// If the instance may not have another one.
    pub(crate) fn spawn(
        &mut self,
        parent: Option<TaskKey>,
        label: u32,
        daemon: bool,
    ) -> Result<TaskKey, LimitExceeded> {
        self.budget.check_tasks(self.tasks.len())?;
        self.budget.take_entry::<Task>()?;
        self.tasks_made += 1;
        let key = self.tasks.insert(Task {
            serial: self.tasks_made,
            parent,
            label,
            daemon,
            traps: List::default(),
        });
        if parent.is_none() {
            self.main = Some(key);
            if std::mem::take(&mut self.end_owed) {
                self.request_end();
            }
        }
        Ok(key)
    }

    /// Forgets a task that has ended, and withdraws its traps.
    ///
    /// What its traps that have ended brought is still handed over: the guest knows its numbers.
    ///
    /// # Errors
    /// If there is no such task.
    pub(super) fn exit(&mut self, key: TaskKey) -> Result<(), Fault> {
        let task = self.tasks.remove(key).ok_or(Fault::Task)?;
        self.budget.give_entry::<Task>();
        // Their places in the table are free before new ones are made: see `FREED_PER_TRAP`.
        self.budget.give_entries::<Trap>(task.traps.len());
        self.orphan(task.traps.first());
        Ok(())
    }

    /// Asks the guest to cancel its main task. Returns false if it has none, or that has ended.
    pub(super) fn request_end(&mut self) -> bool {
        let living = self.main.is_some_and(|main| self.tasks.contains_key(main));
        // One that is on the way already asks for the same.
        if living && !std::mem::replace(&mut self.end_requested, true) {
            self.resume(0, Outcome::EndRequested);
        }
        living
    }

    /// Asks the guest to cancel its main task, now or as soon as it has one.
    pub(super) fn interrupt(&mut self) {
        self.end_owed = !self.request_end();
    }

    /// Takes back what was asked and not told yet.
    pub(crate) fn end_interruption(&mut self) {
        self.end_owed = false;
        if std::mem::take(&mut self.end_requested) {
            // There may be many, but a worker's instance has its kernel to itself.
            self.ready
                .retain(|resumption| resumption.outcome != Outcome::EndRequested);
            self.budget.give_entry::<Resumption>();
        }
    }

    /// Puts a resumption at the end of what the next `wait` brings.
    ///
    /// Its memory is charged in any case. What guests can repeat without waiting takes memory that
    /// can be refused as well.
    pub(super) fn resume(&mut self, cookie: u64, outcome: Outcome) {
        self.budget.charge_entry::<Resumption>();
        self.ready.push_back(Resumption { cookie, outcome });
    }

    /// Whether the next `wait` brings something.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the resumptions of the guest's next pass, those that came first.
    pub(super) fn take_ready(&mut self) -> Vec<Resumption> {
        let count = self.ready.len().min(MAX_RESUMPTIONS);
        self.budget.give_entries::<Resumption>(count);
        let taken: Vec<Resumption> = if count < self.ready.len() {
            self.ready.drain(..count).collect()
        } else {
            Vec::from(std::mem::take(&mut self.ready))
        };
        if self.end_requested {
            let mut outcomes = taken.iter().map(|resumption| resumption.outcome);
            self.end_requested = !outcomes.any(|outcome| outcome == Outcome::EndRequested);
        }
        taken
    }

    /// What can be said of a task; nothing if it has ended.
    pub(crate) fn info(&self, key: TaskKey) -> Option<TaskInfo> {
        let task = self.tasks.get(key)?;
        let index = (task.label as usize).wrapping_sub(1);
        let label = self.labels.get(index);
        Some(TaskInfo {
            serial: task.serial,
            name: label.map_or_else(String::new, |label| label.name.clone()),
            spawned_at: label.map_or_else(String::new, |label| {
                format!("{}:{}", label.file, label.line)
            }),
            waits_for: task
                .traps
                .first()
                .map_or("", |trap| self.traps[trap].wait.name()),
            parent: task
                .parent
                .filter(|parent| self.tasks.contains_key(*parent)),
            daemon: task.daemon,
        })
    }

    /// Keeps the first characters of a name that a guest gave to something.
    fn clip(name: &str) -> String {
        name.chars().take(MAX_NAME).collect()
    }

    /// How many timers are set.
    #[cfg(test)]
    pub(crate) fn timers_set(&self) -> usize {
        let times = [self.ends_at, self.returns_at];
        self.sleeps.len() + times.iter().flatten().count()
    }

    /// How many entries all its tables hold.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        self.tasks.len() + self.traps.len()
    }
}
