//! The open timeout blocks: which is in which, and when each expires. What a timeout becomes when it crosses the
//! border of a block is worked out from these.

use std::cell::RefCell;

use super::tasks::index_of;

/// All open timeout blocks, by the index that is part of their number.
pub(crate) struct Blocks {
    blocks: RefCell<Vec<Block>>,
    /// By the slot in which a block's task is told that it expired.
    by_cookie: RefCell<Vec<u64>>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    /// The kernel's number for it; 0 if the place is free.
    scope: u64,
    /// The block around it, or 0.
    parent: u64,
    /// When it expires.
    deadline: u64,
}

impl Blocks {
    pub(super) const fn new() -> Self {
        Self {
            blocks: RefCell::new(Vec::new()),
            by_cookie: RefCell::new(Vec::new()),
        }
    }

    /// Notes an open block.
    pub(crate) fn open(&self, scope: u64, parent: u64, deadline: u64) {
        let index = index_of(scope) as usize;
        let mut blocks = self.blocks.borrow_mut();
        if blocks.len() <= index {
            blocks.resize(index + 1, Block::default());
        }
        blocks[index] = Block {
            scope,
            parent,
            deadline,
        };
    }

    /// Notes the slot in which a block's task is told that it expired.
    pub(crate) fn note_cookie(&self, scope: u64, cookie: u32) {
        let mut by_cookie = self.by_cookie.borrow_mut();
        if by_cookie.len() <= cookie as usize {
            by_cookie.resize(cookie as usize + 1, 0);
        }
        by_cookie[cookie as usize] = scope;
    }

    /// The block with this slot.
    pub(super) fn by_cookie(&self, cookie: u32) -> Option<u64> {
        self.by_cookie.borrow().get(cookie as usize).copied()
    }

    /// Forgets a block.
    pub(crate) fn close(&self, scope: u64) {
        if let Some(block) = self.blocks.borrow_mut().get_mut(index_of(scope) as usize) {
            *block = Block::default();
        }
    }

    /// The outermost block, from the given one outwards, that had expired at a time.
    pub(crate) fn outermost_expired(&self, innermost: u64, at: u64) -> Option<u64> {
        let blocks = self.blocks.borrow();
        let mut expired = None;
        let mut scope = innermost;
        while scope != 0
            && let Some(block) = blocks.get(index_of(scope) as usize)
            && block.scope == scope
        {
            if block.deadline <= at {
                expired = Some(scope);
            }
            scope = block.parent;
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_expired_block_counts() {
        let blocks = Blocks::new();
        blocks.open(1, 0, 100);
        blocks.open(2, 1, 50);
        blocks.open(3, 2, 10);
        assert_eq!(blocks.outermost_expired(3, 5), None);
        assert_eq!(blocks.outermost_expired(3, 10), Some(3));
        assert_eq!(blocks.outermost_expired(3, 70), Some(2));
        assert_eq!(blocks.outermost_expired(3, 100), Some(1));
        blocks.close(3);
        assert_eq!(blocks.outermost_expired(3, 100), None);
        assert_eq!(blocks.outermost_expired(2, 100), Some(1));
    }
}
