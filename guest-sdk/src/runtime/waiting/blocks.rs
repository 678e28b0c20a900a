//! Blocks that tasks are in: timeout blocks, with their deadlines, and shields, inside which nothing is
//! delivered. They are nested as the program's code is.
//!
//! Every timeout block has a deadline of its own, so that an outer one stays in force whatever happens to an
//! inner one. A block fires once. One firing tells every block around the wait that has expired, since one
//! interruption at a time is what cleanup code can cope with. When the block in which that happened
//! closes, the outer ones fire again at the next blocking operation inside them: the interruption may have been
//! handled there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::task::Waker;

use slab::Slab;

use super::wait::Ends;
use crate::time::Instant;

/// Below this size a heap is not worth sweeping.
const WORTH_SWEEPING: usize = 256;

/// A block's place in the table, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockKey(NonZeroU32);

/// All open blocks.
pub(super) struct Blocks {
    entries: Slab<Block>,
    /// How many there ever were.
    pub(super) opened: u64,
    /// The deadlines of those that wait for theirs: when, which block by its serial number, and where that is.
    deadlines: BinaryHeap<Reverse<(Instant, u64, BlockKey)>>,
    /// How many of these are of blocks that don't wait any more.
    dead: usize,
    /// How many of the blocks are shields.
    shields: usize,
}

/// An open block.
pub(super) struct Block {
    /// The task that is in it.
    pub(super) task: u64,
    /// The block around it.
    pub(super) around: Option<BlockKey>,
    /// Counts the blocks: a greater number was opened later.
    pub(super) serial: u64,
    /// When it expires; a shield never does, and lets nothing in.
    deadline: Option<Instant>,
    pub(super) state: State,
    /// How many waits were told of its expiry, and have not been looked at.
    pub(super) unseen: u32,
    /// Whether anybody was told and has looked at that, since it expired or fired again.
    pub(super) seen: bool,
    /// Whether its deadline is among those in the heap.
    in_heap: bool,
    /// Whether its expiry is in the list of those that nobody was told of.
    pub(super) listed: bool,
    /// When it expired, if its future is to be dropped, since it can't be told.
    pub(super) gave_up: Option<Instant>,
    /// The waker to wake for that, unless polling the task is enough.
    pub(super) waker: Option<Waker>,
    /// What is waited for directly in it.
    pub(super) waits: Ends,
    /// How many blocks are directly in it.
    inside: u32,
}

/// How far the expiry of a block has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is still to come.
    Armed,
    /// It has come, and the next operation that blocks in it will end as timed out.
    Expired,
    /// It has come, and a wait in the given block, its own or an inner one, was told.
    Told(BlockKey),
}

impl BlockKey {
    fn new(index: usize) -> Option<Self> {
        let place = u32::try_from(index).ok()?.checked_add(1)?;
        NonZeroU32::new(place).map(Self)
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Block {
    pub(super) fn is_shield(&self) -> bool {
        self.deadline.is_none()
    }

    /// Whether its time has come.
    pub(super) fn has_expired(&self, at: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= at)
    }

    /// Whether the next operation that blocks in it is to end as timed out.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        match self.state {
            State::Armed => self.has_expired(now),
            State::Expired => true,
            State::Told(_) => false,
        }
    }
}

impl std::ops::Index<BlockKey> for Blocks {
    type Output = Block;

    fn index(&self, key: BlockKey) -> &Block {
        &self.entries[key.index()]
    }
}

impl std::ops::IndexMut<BlockKey> for Blocks {
    fn index_mut(&mut self, key: BlockKey) -> &mut Block {
        &mut self.entries[key.index()]
    }
}

impl Blocks {
    pub(super) const fn new() -> Self {
        Self {
            entries: Slab::new(),
            opened: 0,
            deadlines: BinaryHeap::new(),
            dead: 0,
            shields: 0,
        }
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Opens a block: with a deadline, or a shield.
    pub(super) fn open(
        &mut self,
        task: u64,
        around: Option<BlockKey>,
        deadline: Option<Instant>,
    ) -> BlockKey {
        self.opened += 1;
        self.shields += usize::from(deadline.is_none());
        if let Some(around) = around {
            self[around].inside += 1;
        }
        let index = self.entries.insert(Block {
            task,
            around,
            serial: self.opened,
            deadline,
            state: State::Armed,
            unseen: 0,
            seen: false,
            in_heap: false,
            listed: false,
            gave_up: None,
            waker: None,
            waits: Ends::default(),
            inside: 0,
        });
        BlockKey::new(index).expect("a guest's memory has no room for so many")
    }

    /// Closes a block that nothing waits directly in. Outer ones that fired while it was open are
    /// expired again; says which is the innermost of them.
    pub(super) fn close(&mut self, key: BlockKey) -> Option<BlockKey> {
        let closed = self.entries.remove(key.index());
        self.shields -= usize::from(closed.is_shield());
        if closed.in_heap {
            self.bury();
        }
        if let Some(around) = closed.around {
            self[around].inside -= 1;
        }
        if closed.inside > 0 {
            self.pass_on_inner(key, closed.around);
        }
        let mut again = None;
        let mut outer = closed.around;
        while let Some(key_of_outer) = outer {
            let block = &mut self[key_of_outer];
            outer = block.around;
            if block.state == State::Told(key) {
                block.state = State::Expired;
                again = again.or(Some(key_of_outer));
            }
        }
        again
    }

    /// The future with an inner block has left an outer one, which closes.
    fn pass_on_inner(&mut self, closed: BlockKey, around: Option<BlockKey>) {
        let mut inner = 0;
        for (_, block) in &mut self.entries {
            if block.around == Some(closed) {
                block.around = around;
                inner += 1;
            }
        }
        if let Some(around) = around {
            self[around].inside += inner;
        }
    }

    /// Sees to it that a block's deadline is heeded while its task waits.
    pub(super) fn arm(&mut self, key: BlockKey) {
        let block = &mut self[key];
        if block.state == State::Armed
            && let Some(deadline) = block.deadline
            && !std::mem::replace(&mut block.in_heap, true)
        {
            let serial = block.serial;
            self.deadlines.push(Reverse((deadline, serial, key)));
        }
    }

    /// Notes that a block's deadline has come, or that it was told of that.
    pub(super) fn disarm(&mut self, key: BlockKey) {
        if std::mem::take(&mut self[key].in_heap) {
            self.bury();
        }
    }

    fn bury(&mut self) {
        self.dead += 1;
        if self.dead > WORTH_SWEEPING && self.dead > self.deadlines.len() / 2 {
            let entries = &self.entries;
            self.deadlines
                .retain(|Reverse((_, serial, key))| waits_for_deadline(entries, *key, *serial));
            self.dead = 0;
        }
    }

    /// The next deadline, if any block waits for one.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        loop {
            let Reverse((deadline, serial, key)) = *self.deadlines.peek()?;
            if waits_for_deadline(&self.entries, key, serial) {
                return Some(deadline);
            }
            self.deadlines.pop();
            self.dead = self.dead.saturating_sub(1);
        }
    }

    /// Takes the next block whose deadline has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<BlockKey> {
        if self.next_deadline()? > now {
            return None;
        }
        let Reverse((_, _, key)) = self.deadlines.pop()?;
        self[key].in_heap = false;
        Some(key)
    }

    /// The block with this serial number, if it is still open.
    pub(super) fn by_serial(&self, key: BlockKey, serial: u64) -> Option<&Block> {
        let block = self.entries.get(key.index())?;
        (block.serial == serial).then_some(block)
    }

    /// A block and those around it, from the inside out.
    pub(super) fn around(&self, innermost: Option<BlockKey>) -> impl Iterator<Item = BlockKey> {
        std::iter::successors(innermost, |key| self[*key].around)
    }

    /// Whether some block is directly or indirectly in another, or is that one.
    pub(super) fn is_in(&self, inner: Option<BlockKey>, outer: BlockKey) -> bool {
        self.around(inner).any(|key| key == outer)
    }

    /// Whether there are blocks in a block.
    pub(super) fn has_inner(&self, key: BlockKey) -> bool {
        self[key].inside > 0
    }

    /// Whether a shield is around a block.
    pub(super) fn is_shielded(&self, key: BlockKey) -> bool {
        self.around(Some(key)).any(|key| self[key].is_shield())
    }

    /// Whether a shield is open in a block.
    pub(super) fn holds_shield(&self, key: BlockKey) -> bool {
        self.has_inner(key) && self.any_shield(|shield| self.is_in(shield.around, key))
    }

    /// Whether a task has a shield.
    pub(super) fn has_shield_of(&self, task: u64) -> bool {
        self.any_shield(|shield| shield.task == task)
    }

    fn any_shield(&self, is_wanted: impl Fn(&Block) -> bool) -> bool {
        let mut all = self.entries.iter();
        self.shields > 0 && all.any(|(_, block)| block.is_shield() && is_wanted(block))
    }

    /// The outermost block, from the given one outwards, that had expired at a time.
    pub(super) fn outermost_expired(&self, innermost: BlockKey, at: Instant) -> Option<BlockKey> {
        let expired = |key: &BlockKey| self[*key].has_expired(at);
        self.around(Some(innermost)).filter(expired).last()
    }
}

/// Whether a deadline in the heap still means something.
fn waits_for_deadline(entries: &Slab<Block>, key: BlockKey, serial: u64) -> bool {
    entries
        .get(key.index())
        .is_some_and(|block| block.serial == serial && block.in_heap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Option<Instant> {
        Some(Instant::from_nanos(nanos))
    }

    #[test]
    fn the_outermost_expired_block_counts() {
        let mut blocks = Blocks::new();
        let outer = blocks.open(1, None, at(100));
        let middle = blocks.open(1, Some(outer), at(50));
        let inner = blocks.open(1, Some(middle), at(10));
        let outermost = |time| blocks.outermost_expired(inner, Instant::from_nanos(time));
        assert_eq!(outermost(5), None);
        assert_eq!(outermost(10), Some(inner));
        assert_eq!(outermost(70), Some(middle));
        assert_eq!(outermost(100), Some(outer));
    }

    #[test]
    fn deadlines_come_in_order_and_only_of_blocks_that_are_open() {
        let mut blocks = Blocks::new();
        let keys: Vec<_> = [30, 10, 20, 10]
            .into_iter()
            .map(|nanos| {
                let key = blocks.open(1, None, at(nanos));
                blocks.arm(key);
                key
            })
            .collect();
        blocks.close(keys[2]);
        assert_eq!(blocks.next_deadline(), at(10));
        let due: Vec<_> = std::iter::from_fn(|| blocks.pop_due(Instant::from_nanos(25))).collect();
        assert_eq!(due, [keys[1], keys[3]]);
        assert_eq!(blocks.next_deadline(), at(30));
    }

    #[test]
    fn deadlines_of_closed_blocks_are_swept() {
        let mut blocks = Blocks::new();
        for nanos in 0..10_000 {
            let key = blocks.open(1, None, at(nanos));
            blocks.arm(key);
            blocks.close(key);
        }
        assert!(blocks.deadlines.len() <= 2 * WORTH_SWEEPING);
        assert_eq!(blocks.next_deadline(), None);
    }

    #[test]
    fn inner_blocks_outlive_an_outer_one() {
        let mut blocks = Blocks::new();
        let outer = blocks.open(1, None, at(100));
        let middle = blocks.open(1, Some(outer), at(50));
        let inner = blocks.open(1, Some(middle), at(10));
        blocks.close(middle);
        assert!(blocks.is_in(Some(inner), outer));
        assert!(blocks.has_inner(outer));
        blocks.close(inner);
        assert!(!blocks.has_inner(outer));
    }
}
