//! Queues: first in, first out.

use std::collections::VecDeque;

use super::handle::{Handle, Standing, State};
use super::line::Line;
use super::place::{Bell, Place, ring};
use super::registry::Registry;
use super::rounds::Rounds;
use super::{SharedError, check_size};
use crate::background::reap;
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::{Allowance, Held};

/// What an item takes beside its bytes.
const ITEM_SIZE: u64 = 64;

/// More items than these are dropped on another thread when the last handle goes.
const MANY_ITEMS: usize = 4096;

/// A handle of a queue.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub type Queue = Handle<Items, 3>;

/// A queue. At any time, if there are items that are promised to nobody, then nobody waits for one; and so with room.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Items {
    here: VecDeque<Item>,
    /// For how many there is room.
    max: Option<u32>,
    getting: Line,
    putting: Line,
    /// Items that were put and not yet said to be done.
    undone: u64,
    /// How often all had been done.
    all_done: Rounds,
}

#[derive(Debug)]
struct Item {
    bytes: Vec<u8>,
    _memory: Held,
}

/// What can be waited for at a queue in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Room.
    Put,
    /// An item.
    Get,
}

/// The place of those that join; the sides have those before.
const JOINING: usize = 2;

impl Items {
    fn is_any_free(&self) -> bool {
        self.here.len() > self.getting.called()
    }

    fn is_room_free(&self) -> bool {
        let taken = self.here.len() + self.putting.called();
        self.max.is_none_or(|max| taken < max as usize)
    }

    fn line(&mut self, side: Side) -> &mut Line {
        match side {
            Side::Put => &mut self.putting,
            Side::Get => &mut self.getting,
        }
    }

    /// Promises what is free to the one that has waited longest for it.
    fn call(&mut self, side: Side) -> Option<Bell> {
        let free = match side {
            Side::Put => self.is_room_free(),
            Side::Get => self.is_any_free(),
        };
        if free { self.line(side).call() } else { None }
    }

    fn leave(&mut self, side: Side, places: &mut [Place]) -> Option<Bell> {
        let was_called = self.line(side).leave(&mut places[side as usize]);
        if was_called { self.call(side) } else { None }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        if self.here.len() > MANY_ITEMS {
            let items = std::mem::take(&mut self.here);
            reap(move || drop(items));
        }
    }
}

impl State for Items {
    const NAME: &'static str = "queue";

    fn close(&mut self, places: &mut [Place]) -> Vec<Bell> {
        self.all_done.leave(&places[JOINING]);
        let sides = [Side::Put, Side::Get].into_iter();
        sides.filter_map(|side| self.leave(side, places)).collect()
    }
}

impl Queue {
    /// A handle of a new queue, for so many items at a time, or any number.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        allowance: &Allowance,
        max: Option<u32>,
    ) -> Result<Self, SharedError> {
        let items = Items {
            here: VecDeque::new(),
            max,
            getting: Line::default(),
            putting: Line::default(),
            undone: 0,
            all_done: Rounds::default(),
        };
        Self::add(kernel, owner, registry, allowance, items)
    }

    /// Puts an item in.
    ///
    /// # Errors
    /// [`SharedError::NotYet`] if it is full, and the handle stands in line; or if the item is too big, or there is
    /// no memory for it.
    pub(crate) fn put(&mut self, bytes: Vec<u8>, allowance: &Allowance) -> Result<(), SharedError> {
        check_size(&bytes)?;
        let (mut queue, places) = self.state_and_places();
        let place = &mut places[Side::Put as usize];
        let free = queue.is_room_free();
        if !queue.putting.may_pass(place, free) {
            queue.putting.stand(place);
            return Err(SharedError::NotYet);
        }
        let memory = allowance.hold(bytes.len() as u64 + ITEM_SIZE)?;
        queue.putting.pass(place);
        queue.here.push_back(Item {
            bytes,
            _memory: memory,
        });
        queue.undone += 1;
        let bell = queue.call(Side::Get);
        drop(queue);
        ring(bell);
        Ok(())
    }

    /// Takes the next item.
    ///
    /// # Errors
    /// [`SharedError::NotYet`] if there is none, and the handle stands in line.
    pub(crate) fn get(&mut self) -> Result<Vec<u8>, SharedError> {
        let (mut queue, places) = self.state_and_places();
        let place = &mut places[Side::Get as usize];
        let free = queue.is_any_free();
        if !queue.getting.may_pass(place, free) {
            queue.getting.stand(place);
            return Err(SharedError::NotYet);
        }
        queue.getting.pass(place);
        let item = queue.here.pop_front();
        let item = item.expect("one that may pass has an item");
        let bell = queue.call(Side::Put);
        drop(queue);
        ring(bell);
        Ok(item.bytes)
    }

    /// Begins to wait for what the handle stands in line for.
    pub(crate) fn wait(&self, side: Side) -> Standing {
        let place = &self.places[side as usize];
        if place.ticket.is_none() {
            return Standing::Absent;
        }
        if self.state().line(side).may_pass(place, false) {
            return Standing::Called;
        }
        place.quiet();
        Standing::Waits(place.source())
    }

    /// Leaves the line, and hands on what was promised.
    pub(crate) fn leave(&mut self, side: Side) {
        let (mut queue, places) = self.state_and_places();
        let bell = queue.leave(side, places);
        drop(queue);
        ring(bell);
    }

    /// Says that an item that was taken has been dealt with.
    ///
    /// # Errors
    /// If that was said of all.
    pub(crate) fn task_done(&self) -> Result<(), SharedError> {
        let mut queue = self.state();
        let undone = queue.undone.checked_sub(1).ok_or(SharedError::State(
            "task_done was called more often than items were put",
        ))?;
        queue.undone = undone;
        let bells = if undone == 0 {
            queue.all_done.next()
        } else {
            Vec::new()
        };
        drop(queue);
        ring(bells);
        Ok(())
    }

    /// How often all items had been dealt with; none if they have been now.
    pub(crate) fn undone(&self) -> Option<u64> {
        let queue = self.state();
        (queue.undone > 0).then(|| queue.all_done.count())
    }

    /// Begins to wait until all items have been dealt with more often than so.
    pub(crate) fn join(&self, more_than: u64) -> Standing {
        let mut queue = self.state();
        if queue.all_done.count() > more_than {
            return Standing::Called;
        }
        queue.all_done.wait(&self.places[JOINING], more_than);
        Standing::Waits(self.source(JOINING))
    }

    /// How many items are in it.
    pub(crate) fn len(&self) -> usize {
        self.state().here.len()
    }

    /// For how many items there is room, if not for any number.
    pub(crate) fn max(&self) -> Option<u32> {
        self.state().max
    }
}
