//! What must happen, by the documentation of the SDK: a model of who waits, for what, and how that ends.
//!
//! The program's interpreter tells the model whatever it does, and asks it beforehand what is to come of an operation:
//! whether it goes on at once, fails at once or waits, who is woken by it, and who is interrupted when. This works
//! since on a simulated clock time stands still while anybody runs. On a real clock nothing can be foretold; the
//! model then does not take part.
//!
//! - `entries`: those that wait
//! - `interruption`: cancellation and timeouts; `unheard`: if nobody has heard of them
//! - `things`: locks, queues and the like; `groups`: task groups

mod entries;
mod groups;
mod interruption;
mod things;
mod unheard;

use std::collections::{BTreeMap, BTreeSet};

use self::entries::{Entry, EntryState};
pub(crate) use self::entries::{Line, Ticket};
use self::groups::Group;
use self::interruption::Scope;
use self::things::Things;
pub(crate) use self::things::{of_condition, of_rlock};
use self::unheard::Unheard;
use super::kind::Kind;
use super::program::Program;

/// Where in a task something is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) task: usize,
    /// The innermost timeout block or shield.
    pub(crate) scope: Option<u64>,
    pub(crate) shielded: bool,
    /// Whether it is one of several branches.
    pub(crate) in_branch: bool,
}

impl Place {
    /// The beginning of a task.
    pub(crate) fn of_task(task: usize) -> Self {
        Self {
            task,
            scope: None,
            shielded: false,
            in_branch: false,
        }
    }
}

/// A task.
#[derive(Debug, Default)]
pub(crate) struct Task {
    pub(crate) alive: bool,
    /// Whether its cancellation was requested.
    pub(crate) cancelled: bool,
    /// What it is to be interrupted with.
    pub(crate) pending: Option<Kind>,
    /// How many of its waits have ended as cancelled, and were not looked at.
    told: u32,
    /// How it ended.
    pub(crate) outcome: Option<Result<(), Kind>>,
    /// Whether its value was given to somebody.
    pub(crate) taken: bool,
    pub(crate) group: Option<usize>,
}

/// What must happen.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) tasks: Vec<Task>,
    /// The tasks that ever had several branches. Turns that these were to have may come when they are over: such a
    /// task may be polled before it is woken.
    pub(crate) branched: BTreeSet<usize>,
    entries: BTreeMap<u64, Entry>,
    scopes: BTreeMap<u64, Scope>,
    groups: Vec<Group>,
    unheard: Vec<Unheard>,
    /// How many passes there were when these were last looked after.
    passes: u64,
    pub(crate) things: Things,
    /// Counts entries, scopes and wake-ups.
    count: u64,
}

impl Model {
    pub(crate) fn new(program: &Program) -> Self {
        let mut tasks = Vec::new();
        tasks.resize_with(program.scripts.len(), Task::default);
        // The caretaker.
        tasks.push(Task {
            alive: true,
            ..Task::default()
        });
        Self {
            now: 0,
            tasks,
            branched: BTreeSet::new(),
            entries: BTreeMap::new(),
            scopes: BTreeMap::new(),
            groups: Vec::new(),
            unheard: Vec::new(),
            passes: curio::traps::passes(),
            things: Things::new(),
            count: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A task was spawned, perhaps in a group.
    pub(crate) fn spawned(&mut self, task: usize, group: Option<usize>) {
        self.tasks[task].alive = true;
        self.tasks[task].group = group;
        if let Some(group) = group {
            self.groups[group].members.push(task);
        }
    }

    /// A task has ended. Without a result it was dropped.
    pub(crate) fn ended(&mut self, task: usize, result: Option<Result<(), Kind>>) {
        self.sync();
        let left = self.entries.values().find(|entry| entry.place.task == task);
        assert!(left.is_none(), "task {task} has ended, and waits: {left:?}");
        let open = self.scopes.values().find(|scope| scope.task == task);
        assert!(
            open.is_none(),
            "task {task} has ended inside of a block: {open:?}"
        );
        let of_task = &mut self.tasks[task];
        of_task.alive = false;
        if result.is_none() {
            let due = of_task.told == 0 && of_task.pending.is_some();
            assert!(due, "task {task} was dropped, and had no reason to be");
        }
        let result = result.unwrap_or(Err(Kind::Cancelled));
        of_task.pending = None;
        of_task.outcome = Some(result.clone());
        let group = of_task.group;
        self.wake(Line::End(task), usize::MAX);
        if let Some(group) = group {
            self.groups[group].ended(task, &result);
            self.wake(Line::Group(group), usize::MAX);
        }
    }

    /// Nobody runs, and time has passed since anybody did: all that is to happen by now has happened.
    pub(crate) fn at_rest(&mut self) {
        self.sync();
        for (id, entry) in &self.entries {
            let waits = entry.state == EntryState::Waiting;
            assert!(waits, "{entry:?} ({id}) has ended, and nobody has looked");
        }
        for (number, task) in self.tasks.iter().enumerate() {
            let of_task = |entry: &&Entry| entry.place.task == number;
            let mut waits = self.entries.values().filter(of_task);
            let is_caretaker = number + 1 == self.tasks.len();
            if task.alive && !is_caretaker {
                assert!(waits.clone().next().is_some(), "task {number} hangs");
            }
            if task.pending.is_some() && task.told == 0 && !self.has_shield_of(number) {
                let untold = waits.next();
                assert!(
                    untold.is_none(),
                    "task {number} is cancelled, and waits: {untold:?}"
                );
            }
        }
        self.no_block_is_late();
    }

    /// The tasks that have not ended.
    pub(crate) fn alive(&self) -> Vec<usize> {
        let tasks = 0..self.tasks.len() - 1;
        tasks.filter(|task| self.tasks[*task].alive).collect()
    }

    /// Checks that nothing is left of a program.
    pub(crate) fn at_end(&self) {
        assert!(self.entries.is_empty(), "{:?}", self.entries);
        assert!(self.scopes.is_empty(), "{:?}", self.scopes);
        self.things.at_end();
    }
}
