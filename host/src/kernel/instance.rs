//! An instance, as the kernel knows it: its tasks, and which of them may go on.
//!
//! Everything a guest can name lives in the tables of its own instance, so that a number it makes up
//! can only ever hit something of its own, or nothing.
//!
//! The rest of `impl Instance` is in `waiting.rs` (how traps begin and end) and `interruption.rs`
//! (cancellation and timeouts).

use slotmap::SlotMap;

use super::budget::Budget;
use super::interruption::Undelivered;
use super::scope::Scope;
use super::task::{Cancellation, Outcome, Resumption, Task, TaskInfo};
use super::trap::{Kind, List, Trap, Wait};
use super::waiting::WaitQueue;
use super::{Fault, InstanceKey, QueueKey, ScopeKey, TaskKey, Timers, TrapKey};
use crate::limits::{LimitExceeded, Limits};

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
    /// It is suspended in `wait`, and none of its tasks may go on.
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

/// A running component's tasks, traps, timeout blocks and wait queues.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(super) key: InstanceKey,
    pub(super) tasks: SlotMap<TaskKey, Task>,
    pub(super) traps: SlotMap<TrapKey, Trap>,
    pub(super) scopes: SlotMap<ScopeKey, Scope>,
    pub(super) queues: SlotMap<QueueKey, WaitQueue>,
    /// Who may go on, in the order in which they became ready.
    pub(super) ready: Vec<Resumption>,
    /// Some of them may have ended since.
    ready_for_nobody: bool,
    /// Interruptions that no trap could be told of: at most one of a task, and one of a block.
    pub(super) undelivered: Vec<Undelivered>,
    pub(super) budget: Budget,
    pub(super) turn: Turn,
    /// Whether it has been handed its ready tasks since it last got the thread.
    pub(super) served: bool,
    /// How many of the kernel's timers are this instance's.
    pub(super) timers_set: usize,
    pub(super) scopes_made: u64,
    labels: Vec<Label>,
    tasks_made: u64,
    /// Counts the times the guest was handed its ready tasks.
    pass: u32,
    main: Option<TaskKey>,
}

impl Instance {
    /// An instance without tasks.
    pub(crate) fn new(key: InstanceKey, limits: Limits) -> Self {
        Self {
            key,
            tasks: SlotMap::with_key(),
            traps: SlotMap::with_key(),
            scopes: SlotMap::with_key(),
            queues: SlotMap::with_key(),
            ready: Vec::new(),
            ready_for_nobody: false,
            undelivered: Vec::new(),
            budget: Budget::new(limits),
            turn: Turn::Running,
            served: false,
            timers_set: 0,
            scopes_made: 0,
            labels: Vec::new(),
            tasks_made: 0,
            pass: 0,
            main: None,
        }
    }

    /// What the instance holds and may hold.
    pub(crate) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// The first task it spawned, which the others serve.
    pub(crate) fn main(&self) -> Option<TaskKey> {
        self.main
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

    /// Makes a task and readies it.
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
            cancellation: Cancellation::None,
            listed: false,
            disarmed_before: 0,
            cycles: 0,
            resumptions: 0,
            pass: self.pass.wrapping_sub(1),
            traps: List::default(),
            joiners: List::default(),
        });
        if self.tasks_made == 1 {
            self.main = Some(key);
        }
        self.resume(key, None, 0, Outcome::Start);
        Ok(key)
    }

    /// Forgets a task that has ended, and readies those that joined it.
    ///
    /// # Errors
    /// If there is no such task.
    pub(crate) fn exit(&mut self, timers: &mut Timers, key: TaskKey) -> Result<(), Fault> {
        while let Some(trap) = self.tasks.get(key).ok_or(Fault::Task)?.traps.first() {
            self.withdraw(timers, trap);
        }
        while let Some(joiner) = self.tasks[key].joiners.first() {
            self.finish(joiner, Outcome::Done(0));
        }
        let task = self.tasks.remove(key).ok_or(Fault::Task)?;
        self.ready_for_nobody |= task.resumptions > 0;
        self.budget.give_entry::<Task>();
        Ok(())
    }

    /// Readies a task, unless it is ready already or has ended.
    pub(crate) fn wake(&mut self, key: TaskKey) {
        if self
            .tasks
            .get(key)
            .is_some_and(|task| task.resumptions == 0)
        {
            self.resume(key, None, 0, Outcome::Woken);
        }
    }

    /// Puts a task's resumption at the end of the ready queue.
    ///
    /// Its memory is charged in any case. What guests can repeat without waiting takes memory that
    /// can be refused as well.
    pub(super) fn resume(
        &mut self,
        task: TaskKey,
        trap: Option<TrapKey>,
        cookie: u32,
        outcome: Outcome,
    ) {
        if let Some(entry) = self.tasks.get_mut(task) {
            entry.resumptions += 1;
            self.budget.charge_entry::<Resumption>();
            self.ready.push(Resumption {
                task,
                trap,
                cookie,
                outcome,
            });
        }
    }

    /// Drops the resumptions of tasks that have ended since they became ready.
    pub(super) fn forget_ended(&mut self) {
        if std::mem::take(&mut self.ready_for_nobody) {
            let before = self.ready.len();
            let tasks = &self.tasks;
            self.ready.retain(|ready| tasks.contains_key(ready.task));
            let dropped = before - self.ready.len();
            self.budget.give_entries::<Resumption>(dropped);
        }
    }

    /// Hands over all ready tasks: the guest's next pass.
    pub(super) fn take_ready(&mut self) -> Vec<Resumption> {
        self.pass = self.pass.wrapping_add(1);
        for resumption in &self.ready {
            let task = &mut self.tasks[resumption.task];
            task.resumptions -= 1;
            task.cycles += 1;
            task.pass = self.pass;
        }
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
            state: self.state(task).to_owned(),
            cycles: task.cycles,
            parent: task
                .parent
                .filter(|parent| self.tasks.contains_key(*parent)),
            daemon: task.daemon,
            cancelled: task.cancellation != Cancellation::None,
        })
    }

    /// The name of what a task does or waits for.
    fn state(&self, task: &Task) -> &str {
        if task.resumptions > 0 {
            return if task.cycles == 0 { "initial" } else { "ready" };
        }
        match task.traps.first().map(|trap| self.traps[trap].wait) {
            None if task.pass == self.pass => "running",
            None => "waker-wait",
            Some(Wait::Sleep) => "sleep",
            Some(Wait::Join(_)) => "join",
            Some(Wait::Queue(queue)) => self
                .queues
                .get(queue)
                .map_or("queue-wait", WaitQueue::reason),
            Some(Wait::Read(_)) => "read-wait",
            Some(Wait::Write(_)) => "write-wait",
        }
    }

    /// Keeps the first characters of a name that a guest gave to something.
    pub(super) fn clip(name: &str) -> String {
        name.chars().take(MAX_NAME).collect()
    }

    /// How many entries all its tables hold.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        self.tasks.len() + self.traps.len() + self.scopes.len() + self.queues.len()
    }

    /// Appends a trap to the line of those that wait for a task's end.
    pub(super) fn line_up_to_join(&mut self, trap: TrapKey, target: TaskKey) {
        self.tasks[target]
            .joiners
            .append(&mut self.traps, trap, Kind::InLine);
    }
}
