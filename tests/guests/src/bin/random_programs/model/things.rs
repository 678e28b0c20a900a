//! Locks, semaphores, events, conditions, queues and gates.

use std::collections::VecDeque;

use super::super::program::{CONDITIONS, EVENTS, GATES, LOCKS, QUEUES, RLOCKS, SEMAPHORES};
use super::entries::{Line, Ticket};
use super::{Model, Place};

/// What tasks share.
#[derive(Debug)]
pub(crate) struct Things {
    /// Plain locks, then recursive ones, then those of conditions: whether they are taken.
    pub(crate) locks: Vec<bool>,
    /// Who has a recursive lock, and how often.
    owners: Vec<Option<(usize, usize)>>,
    pub(crate) semaphores: Vec<usize>,
    pub(crate) events: Vec<bool>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) gates: Vec<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) items: VecDeque<u64>,
    maxsize: usize,
    /// How many items and places are promised to those that were woken.
    promised_items: usize,
    promised_places: usize,
    undone: usize,
}

/// The number of a recursive lock's lock.
pub(crate) fn of_rlock(rlock: usize) -> usize {
    LOCKS + rlock
}

/// The number of a condition's lock.
pub(crate) fn of_condition(condition: usize) -> usize {
    LOCKS + RLOCKS + condition
}

impl Things {
    pub(super) fn new() -> Self {
        let queue = |maxsize| Queue {
            maxsize: if maxsize == 0 { usize::MAX } else { maxsize },
            ..Queue::default()
        };
        Self {
            locks: vec![false; LOCKS + RLOCKS + CONDITIONS],
            owners: vec![None; RLOCKS],
            semaphores: SEMAPHORES.to_vec(),
            events: vec![false; EVENTS],
            queues: QUEUES.map(queue).into(),
            gates: vec![false; GATES],
        }
    }

    /// All is free when all tasks have ended.
    pub(super) fn at_end(&self) {
        assert!(!self.locks.contains(&true), "a dead task has a lock");
        assert_eq!(self.semaphores, SEMAPHORES, "a dead task has a place");
    }
}

impl Model {
    pub(crate) fn lock(&mut self, place: Place, lock: usize) -> Ticket {
        let taken = std::mem::replace(&mut self.things.locks[lock], true);
        self.begin(place, Line::Lock(lock), taken)
    }

    /// A lock is released: the first that waits has it then.
    pub(crate) fn hand_over(&mut self, lock: usize) {
        if self.wake(Line::Lock(lock), 1) == 0 {
            self.things.locks[lock] = false;
        }
    }

    pub(crate) fn rlock(&mut self, place: Place, rlock: usize) -> Ticket {
        if self.things.owners[rlock].is_some_and(|(owner, _)| owner == place.task) {
            return self.begin(place, Line::Lock(of_rlock(rlock)), false);
        }
        self.lock(place, of_rlock(rlock))
    }

    /// A task has got a recursive lock, perhaps once more.
    pub(crate) fn take_rlock(&mut self, rlock: usize, task: usize) {
        let (owner, count) = self.things.owners[rlock].unwrap_or((task, 0));
        assert_eq!(owner, task, "the owner of a recursive lock");
        self.things.owners[rlock] = Some((task, count + 1));
    }

    /// A task gives back a recursive lock.
    pub(crate) fn give_rlock(&mut self, rlock: usize) {
        let (owner, count) = self.things.owners[rlock].expect("a task has it");
        let left = count - 1;
        self.things.owners[rlock] = (left > 0).then_some((owner, left));
        if left == 0 {
            self.hand_over(of_rlock(rlock));
        }
    }

    pub(crate) fn acquire(&mut self, place: Place, semaphore: usize) -> Ticket {
        let free = self.things.semaphores[semaphore];
        self.things.semaphores[semaphore] = free.saturating_sub(1);
        self.begin(place, Line::Semaphore(semaphore), free == 0)
    }

    pub(crate) fn release(&mut self, semaphore: usize) {
        if self.wake(Line::Semaphore(semaphore), 1) == 0 {
            self.things.semaphores[semaphore] += 1;
        }
    }

    pub(crate) fn set_event(&mut self, event: usize) {
        self.things.events[event] = true;
        self.wake(Line::Event(event), usize::MAX);
    }

    pub(crate) fn wait_event(&mut self, place: Place, event: usize) -> Ticket {
        let blocks = !self.things.events[event];
        self.begin(place, Line::Event(event), blocks)
    }

    pub(crate) fn open_gate(&mut self, gate: usize) {
        self.things.gates[gate] = true;
        self.wake(Line::Gate(gate), usize::MAX);
    }

    pub(crate) fn wait_gate(&mut self, place: Place, gate: usize) -> Ticket {
        let blocks = !self.things.gates[gate];
        self.begin(place, Line::Gate(gate), blocks)
    }

    pub(crate) fn put(&mut self, place: Place, queue: usize) -> Ticket {
        let of_queue = &self.things.queues[queue];
        let full = of_queue.items.len() + of_queue.promised_places >= of_queue.maxsize;
        self.begin(place, Line::Put(queue), full)
    }

    /// An item was put in, by one that waited for that or not.
    pub(crate) fn has_put(&mut self, queue: usize, item: u64, waited: bool) {
        let of_queue = &mut self.things.queues[queue];
        of_queue.promised_places -= usize::from(waited);
        of_queue.items.push_back(item);
        of_queue.undone += 1;
        let len = of_queue.items.len();
        assert!(len <= of_queue.maxsize, "too many items in queue {queue}");
        self.promise_item(queue);
    }

    pub(crate) fn get(&mut self, place: Place, queue: usize) -> Ticket {
        let of_queue = &self.things.queues[queue];
        let none = of_queue.items.len() <= of_queue.promised_items;
        self.begin(place, Line::Get(queue), none)
    }

    /// An item was taken, by one that waited for that or not.
    pub(crate) fn has_got(&mut self, queue: usize, item: u64, waited: bool) {
        let of_queue = &mut self.things.queues[queue];
        of_queue.promised_items -= usize::from(waited);
        let expected = of_queue.items.pop_front();
        assert_eq!(Some(item), expected, "the next item of queue {queue}");
        self.promise_place(queue);
    }

    pub(crate) fn task_done(&mut self, queue: usize) {
        self.things.queues[queue].undone -= 1;
        if self.things.queues[queue].undone == 0 {
            self.wake(Line::JoinQueue(queue), usize::MAX);
        }
    }

    pub(crate) fn join_queue(&mut self, place: Place, queue: usize) -> Ticket {
        let blocks = self.things.queues[queue].undone > 0;
        self.begin(place, Line::JoinQueue(queue), blocks)
    }

    fn promise_item(&mut self, queue: usize) {
        let of_queue = &self.things.queues[queue];
        if of_queue.items.len() > of_queue.promised_items {
            self.things.queues[queue].promised_items += self.wake(Line::Get(queue), 1);
        }
    }

    fn promise_place(&mut self, queue: usize) {
        let of_queue = &self.things.queues[queue];
        if of_queue.items.len() + of_queue.promised_places < of_queue.maxsize {
            self.things.queues[queue].promised_places += self.wake(Line::Put(queue), 1);
        }
    }

    /// One that was woken takes no notice: what it was given goes to the next.
    pub(super) fn pass_on(&mut self, line: Line) {
        match line {
            Line::Lock(lock) => self.hand_over(lock),
            Line::Semaphore(semaphore) => self.release(semaphore),
            Line::Condition(_) => drop(self.wake(line, 1)),
            Line::Get(queue) => {
                self.things.queues[queue].promised_items -= 1;
                self.promise_item(queue);
            }
            Line::Put(queue) => {
                self.things.queues[queue].promised_places -= 1;
                self.promise_place(queue);
            }
            Line::Sleep(_)
            | Line::Event(_)
            | Line::JoinQueue(_)
            | Line::End(_)
            | Line::Group(_)
            | Line::Gate(_) => {}
        }
    }
}
