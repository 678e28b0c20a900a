//! What the tasks of a program share: the things they use, the model, and what is checked on any clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Weak;
use std::task::{Poll, Waker};
use std::time::Duration;

use curio::queue::Queue;
use curio::sync::{Condition, Event, Lock, RLock, Semaphore};
use curio::{Result, Task};

use super::kind::Kind;
use super::model::{Model, Ticket};
use super::program::{CONDITIONS, EVENTS, GATES, LOCKS, Program, QUEUES, RLOCKS, SEMAPHORES};

/// What the tasks of a program share.
pub(crate) struct World {
    /// For tasks to be spawned with.
    pub(crate) this: Weak<World>,
    pub(crate) program: Program,
    /// Whether time stands still while anybody runs.
    pub(crate) simulated: bool,
    model: RefCell<Model>,
    pub(crate) locks: Vec<Lock>,
    pub(crate) rlocks: Vec<RLock>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) semaphores: Vec<Semaphore>,
    pub(crate) events: Vec<Event>,
    pub(crate) queues: Vec<Queue<u64>>,
    pub(crate) gates: Vec<Gate>,
    /// The tasks that were spawned.
    pub(crate) handles: RefCell<BTreeMap<usize, Task<u64>>>,
    /// Those of them that are in a group.
    pub(crate) grouped: RefCell<BTreeSet<usize>>,
    /// Who is inside of what lets in one at a time, and how often: see `Things::locks`.
    inside: RefCell<BTreeMap<usize, (usize, usize)>>,
    /// How many are inside of each semaphore.
    pub(crate) places: RefCell<Vec<usize>>,
    /// The items that were put and not taken.
    items: RefCell<BTreeSet<u64>>,
    last_item: Cell<u64>,
    /// What has happened, for one who looks into a failure.
    pub(crate) log: Option<RefCell<Vec<String>>>,
}

impl World {
    pub(crate) fn new(this: Weak<Self>, program: Program, simulated: bool, log: bool) -> Self {
        Self {
            this,
            simulated,
            model: RefCell::new(Model::new(&program)),
            locks: many(LOCKS, |_| Lock::new()),
            rlocks: many(RLOCKS, |_| RLock::new()),
            conditions: many(CONDITIONS, |_| Condition::new()),
            semaphores: many(SEMAPHORES.len(), |n| Semaphore::new(SEMAPHORES[n])),
            events: many(EVENTS, |_| Event::new()),
            queues: many(QUEUES.len(), |n| Queue::bounded(QUEUES[n])),
            gates: many(GATES, |_| Gate::default()),
            handles: RefCell::default(),
            grouped: RefCell::default(),
            inside: RefCell::default(),
            places: RefCell::new(vec![0; SEMAPHORES.len()]),
            items: RefCell::default(),
            last_item: Cell::new(0),
            log: log.then(RefCell::default),
            program,
        }
    }

    /// Tells or asks the model; it knows nothing on a real clock.
    pub(crate) fn model<T: Default>(&self, ask: impl FnOnce(&mut Model) -> T) -> T {
        if self.simulated {
            ask(&mut self.model.borrow_mut())
        } else {
            T::default()
        }
    }

    /// So many ticks. On a real clock they are short.
    pub(crate) fn ticks(&self, ticks: u32) -> Duration {
        let tick = Duration::from_micros(if self.simulated { 1000 } else { 50 });
        tick * ticks
    }

    pub(crate) fn log(&self, text: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            let now = curio::clock();
            log.borrow_mut().push(format!("{now:?} {}", text()));
        }
    }

    pub(crate) fn handle(&self, task: usize) -> Option<Task<u64>> {
        self.handles.borrow().get(&task).cloned()
    }

    /// A task comes into what lets in one at a time; into a recursive lock several times.
    pub(crate) fn enter(&self, lock: usize, task: usize) {
        let mut inside = self.inside.borrow_mut();
        let (other, count) = inside.entry(lock).or_insert((task, 0));
        let alone = *other == task && (*count == 0 || lock >= LOCKS);
        assert!(alone, "{other} and {task} both have lock {lock}");
        *count += 1;
    }

    pub(crate) fn leave(&self, lock: usize) {
        let mut inside = self.inside.borrow_mut();
        let (_, count) = inside.get_mut(&lock).expect("somebody is inside");
        *count -= 1;
        if *count == 0 {
            inside.remove(&lock);
        }
    }

    /// A new item for a queue.
    pub(crate) fn new_item(&self) -> u64 {
        self.last_item.set(self.last_item.get() + 1);
        self.last_item.get()
    }

    pub(crate) fn item_put(&self, item: u64) {
        self.items.borrow_mut().insert(item);
    }

    pub(crate) fn item_taken(&self, item: u64) {
        let known = self.items.borrow_mut().remove(&item);
        assert!(known, "item {item} was taken twice, or never put");
    }

    /// Waits for an operation as the model foretells it.
    pub(crate) async fn expect<T>(
        &self,
        ticket: Ticket,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        // Dropped after the future, if both are.
        let mut waiting = Waiting::new(self, ticket);
        let mut future = pin!(future);
        let result = poll_fn(|cx| {
            let ends = waiting.ends();
            let polled = future.as_mut().poll(cx);
            waiting.check_polled(ends, polled.is_ready());
            polled
        })
        .await;
        waiting.finish(&result.as_ref().map(drop).map_err(Kind::of));
        result
    }
}

fn many<T>(count: usize, make: impl FnMut(usize) -> T) -> Vec<T> {
    (0..count).map(make).collect()
}

/// An operation that may wait. It is given up when this is dropped.
pub(crate) struct Waiting<'a> {
    world: &'a World,
    pub(crate) ticket: Ticket,
    /// Whether it was polled.
    begun: bool,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(world: &'a World, ticket: Ticket) -> Self {
        Self {
            world,
            ticket,
            begun: false,
        }
    }

    /// Whether it has to end when it is polled now, if that is known.
    pub(crate) fn ends(&mut self) -> Option<bool> {
        let begun = std::mem::replace(&mut self.begun, true);
        match self.ticket {
            Ticket::Unknown => None,
            Ticket::Immediate | Ticket::Interrupted(_) => Some(true),
            Ticket::Waits(id) => Some(begun && self.world.model(|model| model.is_over(id))),
        }
    }

    /// It was polled.
    pub(crate) fn check_polled(&self, ends: Option<bool>, ended: bool) {
        let ticket = &self.ticket;
        match ends {
            Some(true) => assert!(ended, "{ticket:?} should have ended"),
            Some(false) => assert!(!ended, "{ticket:?} should not have ended"),
            None => {}
        }
    }

    /// It has ended.
    pub(crate) fn finish(&mut self, result: &std::result::Result<(), Kind>) {
        match std::mem::take(&mut self.ticket) {
            Ticket::Unknown => {}
            Ticket::Immediate => assert_eq!(*result, Ok(())),
            Ticket::Interrupted(kind) => assert_eq!(*result, Err(kind)),
            Ticket::Waits(id) => self.world.model(|model| model.finish(id, result)),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Ticket::Waits(id) = self.ticket {
            self.world.model(|model| model.abandon(id));
        }
    }
}

/// A future that is none of the SDK's: nobody in it can be told anything.
#[derive(Default)]
pub(crate) struct Gate {
    open: Cell<bool>,
    /// Those that wait, in order.
    wakers: RefCell<BTreeMap<u64, Waker>>,
    last: Cell<u64>,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.open.set(true);
        for (_, waker) in self.wakers.take() {
            waker.wake();
        }
    }

    pub(crate) async fn wait(&self) -> Result<()> {
        self.last.set(self.last.get() + 1);
        let ticket = self.last.get();
        let _leave = Leave(self, ticket);
        poll_fn(|cx| {
            if self.open.get() {
                return Poll::Ready(Ok(()));
            }
            let waker = cx.waker().clone();
            self.wakers.borrow_mut().insert(ticket, waker);
            Poll::Pending
        })
        .await
    }
}

struct Leave<'a>(&'a Gate, u64);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.wakers.borrow_mut().remove(&self.1);
    }
}
