//! What happens to all that wait for it, and may happen again.

use std::collections::BTreeMap;

use super::place::{Bell, Place};

/// How often something has happened, and who waits for the next time.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    count: u64,
    waiting: BTreeMap<u64, Bell>,
}

impl Rounds {
    /// How often it has happened.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Notes that it happens once more. Whoever says so is to ring.
    #[must_use]
    pub(super) fn next(&mut self) -> Vec<Bell> {
        self.count += 1;
        // The order is that in which the places were made: nobody takes anything from another.
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Lets a handle wait for the next time, unless it does.
    pub(super) fn wait(&mut self, place: &Place) {
        place.quiet();
        self.waiting.entry(place.id).or_insert_with(|| place.bell());
    }

    /// Lets a handle go.
    pub(super) fn leave(&mut self, place: &Place) {
        self.waiting.remove(&place.id);
    }
}
