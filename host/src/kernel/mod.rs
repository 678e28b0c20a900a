//! The kernel: who waits for what, and who may go on.
//!
//! It knows tasks, timers and descriptors; it knows nothing of WebAssembly, and nothing of what a guest's
//! tasks wait for inside the guest: there they wake, join and cancel each other. Whoever runs
//! instances drives it: [`Kernel::select`] finds out what has happened, [`Kernel::next_instance`]
//! says which instance may go on, and that instance's `wait` ends in [`Kernel::poll_wait`].
//!
//! - `instance`: an instance's tasks and tables; `waiting` is the rest of it
//! - `task`, `trap`, `source`: what the tables hold
//! - `descriptors`: watching them, and waiting for them
//! - `events`: finding out what has happened
//! - `timers`, `clock`: what is due when; `expiry`: that it is
//! - `cleanup`: freeing, step by step, what tasks and instances have left
//! - `budget`: what an instance may hold
//! - `door`: how other threads come in

mod budget;
mod cleanup;
mod clock;
mod descriptors;
mod door;
mod events;
mod expiry;
mod instance;
mod source;
mod task;
#[cfg(test)]
mod tests;
mod timers;
mod trap;
mod waiting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use slotmap::{SlotMap, new_key_type};

#[cfg(test)]
pub(crate) use self::clock::SimulatedClock;
pub(crate) use self::clock::{Clock, Instant, MonotonicClock};
pub(crate) use self::door::{Door, Message};
pub(crate) use self::instance::Instance;
use self::instance::Turn;
use self::source::Source;
pub(crate) use self::source::{Direction, Duty, Readiness};
pub(crate) use self::task::{Caller, Outcome, Pass};
use self::timers::Timers;
use crate::limits::{Allowance, LimitExceeded, Limits};
use crate::selector::{Event, Selector};

new_key_type! {
    /// An instance in a kernel.
    pub struct InstanceKey;
    pub(crate) struct TaskKey;
    pub(crate) struct TrapKey;
    pub(crate) struct SourceKey;
}

/// An instance that always may go on lets the kernel look for events after so many resumptions …
const RESUMPTIONS_PER_SELECT: usize = 64;

/// … or after so long.
const TIME_PER_SELECT: Duration = Duration::from_micros(100);

/// A guest broke the contract: it named something that does not exist, or passed a limit where
/// there is no other way to tell it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// An unknown `task-id`.
    #[error("the guest named a task that does not exist or has exited")]
    Task,
    /// The one cookie that no trap can have.
    #[error("the guest made a trap with the cookie 0")]
    Cookie,
    /// An unknown descriptor.
    #[error("the guest named a descriptor that is not watched")]
    Source,
    /// A limit of the instance.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

/// The scheduler of one thread's instances and their tasks.
#[derive(Debug)]
pub(crate) struct Kernel {
    instances: SlotMap<InstanceKey, Instance>,
    sources: SlotMap<SourceKey, Source>,
    timers: Timers,
    selector: Box<dyn Selector>,
    clock: Box<dyn Clock>,
    door: Arc<Door>,
    /// The time of the current pass.
    now: Instant,
    /// When events were last looked for.
    selected_at: Instant,
    /// How many resumptions were handed out since.
    resumptions: usize,
    /// Instances that may go on: what they waited for, in `wait` or outside the kernel, has come.
    runnable: VecDeque<InstanceKey>,
    /// Instances that were interrupted while running. They share what the others leave.
    preempted: VecDeque<InstanceKey>,
    /// Instances whose time is over, and how much that was.
    overdue: Vec<(InstanceKey, Duration)>,
    /// The host's own descriptors that became readable.
    host_events: Vec<SourceKey>,
    /// Instances of which ended tasks have left traps.
    untidy: VecDeque<InstanceKey>,
    /// What was watched for instances that are gone.
    unowned: Vec<Vec<SourceKey>>,
    /// Instances that were released by another thread.
    released: Vec<InstanceKey>,
    /// Kept so that they are allocated once.
    due: Vec<InstanceKey>,
    events: Vec<Event>,
    messages: VecDeque<Message>,
}

impl Kernel {
    /// A kernel that learns of events from `selector` and of the time from `clock`.
    pub(crate) fn new(selector: Box<dyn Selector>, clock: Box<dyn Clock>) -> Self {
        let door = Arc::new(Door::new(selector.alarm()));
        let now = clock.now();
        Self {
            instances: SlotMap::with_key(),
            sources: SlotMap::with_key(),
            timers: Timers::default(),
            selector,
            clock,
            door,
            now,
            selected_at: now,
            resumptions: 0,
            runnable: VecDeque::new(),
            preempted: VecDeque::new(),
            overdue: Vec::new(),
            host_events: Vec::new(),
            untidy: VecDeque::new(),
            unowned: Vec::new(),
            released: Vec::new(),
            due: Vec::new(),
            events: Vec::new(),
            messages: VecDeque::new(),
        }
    }

    /// The door by which other threads come in.
    pub(crate) fn door(&self) -> Arc<Door> {
        self.door.clone()
    }

    /// The time now. No trap will take it to be earlier: what a guest computes from this has come when it
    /// has come.
    pub(crate) fn clock(&mut self) -> Instant {
        self.now = self.clock.now();
        self.now
    }

    /// Adds an instance that shares its memory with none, and is runnable at once.
    #[cfg(test)]
    pub(crate) fn add_instance(&mut self, limits: Limits) -> InstanceKey {
        self.add_instance_sharing(limits, Allowance::new(&limits))
    }

    /// Adds an instance that shares an application's memory with others. It is runnable at once.
    pub(crate) fn add_instance_sharing(
        &mut self,
        limits: Limits,
        allowance: Allowance,
    ) -> InstanceKey {
        let key = self
            .instances
            .insert_with_key(|key| Instance::new(key, limits, allowance));
        if let Some(time) = limits.time() {
            let instance = &mut self.instances[key];
            instance.ends_at = Some(self.clock.now().after(time));
            instance.schedule(&mut self.timers);
        }
        self.enqueue(key);
        key
    }

    /// Forgets an instance and everything that belongs to it. Returns what is left of it: dropping that may take long.
    pub(crate) fn remove_instance(&mut self, key: InstanceKey) -> Option<Instance> {
        let mut instance = self.instances.remove(key)?;
        if let Some(scheduled) = instance.scheduled {
            self.timers.remove(key, scheduled);
        }
        self.unowned.push(std::mem::take(&mut instance.sources));
        self.runnable.retain(|runnable| *runnable != key);
        self.preempted.retain(|preempted| *preempted != key);
        self.clean_up();
        Some(instance)
    }

    /// The instance that a guest's trap came from.
    pub(crate) fn instance(&mut self, key: InstanceKey) -> &mut Instance {
        self.instances
            .get_mut(key)
            .expect("an instance that traps is in the table")
    }

    /// The memory that an instance may use.
    pub(crate) fn allowance(&mut self, key: InstanceKey) -> Allowance {
        self.instance(key).budget().allowance().clone()
    }

    /// Notes that a process of an instance's has ended, if the instance is still there.
    pub(crate) fn give_process(&mut self, key: InstanceKey) {
        if let Some(instance) = self.instances.get_mut(key) {
            instance.budget().give_process();
        }
    }

    /// An instance's `wait`: how its traps ended, as soon as one has or `until` has come; pending before, or if
    /// other instances come first. `others` is how many of its tasks may go on anyway.
    pub(crate) fn poll_wait(
        &mut self,
        key: InstanceKey,
        others: u32,
        until: Instant,
    ) -> Poll<Pass> {
        self.now = self.clock.now();
        if self.resumptions >= RESUMPTIONS_PER_SELECT
            || self.now.since(self.selected_at) >= TIME_PER_SELECT
        {
            // An error here comes up again, and is reported, when the driver itself selects.
            drop(self.poll_events());
        } else {
            self.expire_timers();
        }
        if self.instance(key).turn == Turn::Queued {
            // Something outside has just asked for its turn.
            return Poll::Pending;
        }
        let alone = self.runnable.is_empty() && !self.wants_attention();
        let (instance, timers, now) = self.with_timers(key);
        if !instance.has_ready() && others == 0 && until > now {
            instance.return_by(timers, until);
            instance.turn = Turn::Waiting;
            return Poll::Pending;
        }
        if instance.served && !alone {
            self.enqueue(key);
            return Poll::Pending;
        }
        instance.served = true;
        instance.turn = Turn::Running;
        let resumptions = instance.take_ready();
        self.resumptions += resumptions.len() + others as usize;
        Poll::Ready(Pass { now, resumptions })
    }

    /// How many instances may go on, not counting those that were preempted.
    pub(crate) fn runnable(&self) -> usize {
        self.runnable.len()
    }

    /// Takes the next instance that may go on. It gets the thread.
    pub(crate) fn next_instance(&mut self) -> Option<InstanceKey> {
        let key = self.runnable.pop_front()?;
        self.start_turn(key);
        Some(key)
    }

    /// Takes the instance that was preempted longest ago. It gets the thread.
    pub(crate) fn next_preempted(&mut self) -> Option<InstanceKey> {
        let key = self.preempted.pop_front()?;
        self.start_turn(key);
        Some(key)
    }

    /// Notes that an instance was interrupted while it ran. Nothing happens if it has come to its `wait`
    /// nevertheless.
    pub(crate) fn preempt(&mut self, key: InstanceKey) {
        if let Some(instance) = self.instances.get_mut(key)
            && instance.turn == Turn::Running
        {
            instance.turn = Turn::Preempted;
            self.preempted.push_back(key);
        }
    }

    /// Takes the instances whose time is over, and how much that was.
    pub(crate) fn take_overdue(&mut self) -> Vec<(InstanceKey, Duration)> {
        std::mem::take(&mut self.overdue)
    }

    /// Takes the instances that another thread has released.
    pub(crate) fn take_released(&mut self) -> Vec<InstanceKey> {
        std::mem::take(&mut self.released)
    }

    /// Takes the host's own descriptors that became readable.
    pub(crate) fn take_host_events(&mut self) -> Vec<SourceKey> {
        std::mem::take(&mut self.host_events)
    }

    /// Asks an instance to cancel its main task. Returns false if it has none, or that has ended.
    pub(crate) fn request_end(&mut self, key: InstanceKey) -> bool {
        let requested = self
            .instances
            .get_mut(key)
            .is_some_and(Instance::request_end);
        self.settle(key);
        requested
    }

    /// Asks an instance to cancel its main task, now or as soon as it has one.
    pub(crate) fn interrupt(&mut self, key: InstanceKey) {
        if let Some(instance) = self.instances.get_mut(key) {
            instance.interrupt();
        }
        self.settle(key);
    }

    /// Whether whoever drives the kernel has something to see to.
    fn wants_attention(&self) -> bool {
        !self.overdue.is_empty() || !self.host_events.is_empty() || !self.released.is_empty()
    }

    fn start_turn(&mut self, key: InstanceKey) {
        let instance = self.instance(key);
        instance.turn = Turn::Running;
        instance.served = false;
    }

    /// Puts an instance at the end of the queue of those that may go on.
    fn enqueue(&mut self, key: InstanceKey) {
        self.instances[key].turn = Turn::Queued;
        self.runnable.push_back(key);
    }

    /// To be called when something from outside may have ended a trap.
    fn settle(&mut self, key: InstanceKey) {
        let instance = self.instances.get(key);
        if instance.is_some_and(Instance::has_ready) {
            self.rouse(key);
        }
    }

    /// Lets an instance look again whether its `wait` is over.
    fn rouse(&mut self, key: InstanceKey) {
        if self.instance(key).turn == Turn::Waiting {
            self.enqueue(key);
        }
    }
}
