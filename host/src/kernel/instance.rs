//! An instance, as the kernel knows it: its tasks, and which of their traps have ended.
//!
//! Everything a guest can name lives in the tables of its own instance, so that a number it makes up
//! can only ever hit something of its own, or nothing.
//!
//! The rest of `impl Instance` is in `waiting.rs`: how traps begin and end.

use slotmap::SlotMap;

use super::budget::Budget;
use super::task::{Outcome, Resumption, Task, TaskInfo};
use super::trap::{List, Trap};
use super::{Fault, InstanceKey, Instant, TaskKey, Timers, TrapKey};
use crate::closer::Closer;
use crate::limits::{Allowance, LimitExceeded, Limits};

/// How many labels an instance may have; 0 is the label of nobody.
const MAX_LABELS: usize = 65_536;

/// How many characters of a guest's name for something are kept.
const MAX_NAME: usize = 200;

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
    /// What the next `wait` brings: how traps ended, in that order.
    pub(super) ready: Vec<Resumption>,
    /// One of them is the host's request that the program end.
    end_requested: bool,
    /// The next main task is to be cancelled.
    end_owed: bool,
    pub(super) budget: Budget,
    pub(super) turn: Turn,
    /// Whether its `wait` has returned since it last got the thread.
    pub(super) served: bool,
    /// How many of the kernel's timers are this instance's.
    pub(super) timers_set: usize,
    /// When the timer for its `wait` comes up, if one is set.
    pub(super) returns_at: Option<Instant>,
    /// Counts the timers that were set for that; only the last one may be alive.
    pub(super) returns_set: u32,
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
            ready: Vec::new(),
            end_requested: false,
            end_owed: false,
            budget: Budget::new(limits, allowance),
            turn: Turn::Running,
            served: false,
            timers_set: 0,
            returns_at: None,
            returns_set: 0,
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
    pub(crate) fn exit(&mut self, timers: &mut Timers, key: TaskKey) -> Result<(), Fault> {
        while let Some(trap) = self.tasks.get(key).ok_or(Fault::Task)?.traps.first() {
            self.withdraw(timers, trap);
        }
        self.tasks.remove(key);
        self.budget.give_entry::<Task>();
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
        self.ready.push(Resumption { cookie, outcome });
    }

    /// Takes all resumptions: the guest's next pass.
    pub(super) fn take_ready(&mut self) -> Vec<Resumption> {
        self.end_requested = false;
        self.budget.give_entries::<Resumption>(self.ready.len());
        std::mem::take(&mut self.ready)
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

    /// How many entries all its tables hold.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        self.tasks.len() + self.traps.len()
    }
}
