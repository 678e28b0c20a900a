//! The orders in which queues give their items.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// What holds a queue's items, and says which comes next.
pub trait Items: Default {
    /// An item.
    type Item;

    /// Adds an item.
    fn add(&mut self, item: Self::Item);

    /// Takes the next item.
    fn take(&mut self) -> Option<Self::Item>;

    /// How many there are.
    fn count(&self) -> usize;
}

impl<T> Items for VecDeque<T> {
    type Item = T;

    fn add(&mut self, item: T) {
        self.push_back(item);
    }

    fn take(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<T: Ord> Items for BinaryHeap<Reverse<T>> {
    type Item = T;

    fn add(&mut self, item: T) {
        self.push(Reverse(item));
    }

    fn take(&mut self) -> Option<T> {
        self.pop().map(|Reverse(item)| item)
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Items for Vec<T> {
    type Item = T;

    fn add(&mut self, item: T) {
        self.push(item);
    }

    fn take(&mut self) -> Option<T> {
        self.pop()
    }

    fn count(&self) -> usize {
        self.len()
    }
}
