//! What happens to all that wait for it, and may happen again.

use std::collections::BTreeMap;

use super::place::{Bell, Place};

/// How often something has happened, and who waits for the next time.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    count: u64,
    /// By their places: more often than what it is to have happened, and how they are called.
    waiting: BTreeMap<u64, (u64, Bell)>,
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
        let count = self.count;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (told, waiting) = waiting.partition(|(_, (more_than, _))| count > *more_than);
        self.waiting = waiting;
        // The order is that in which the places were made: nobody takes anything from another.
        let told: BTreeMap<_, _> = told;
        told.into_values().map(|(_, bell)| bell).collect()
    }

    /// Lets a handle wait until it has happened more often than so.
    pub(super) fn wait(&mut self, place: &Place, more_than: u64) {
        place.quiet();
        self.waiting.insert(place.id, (more_than, place.bell()));
    }

    /// Lets a handle go.
    pub(super) fn leave(&mut self, place: &Place) {
        self.waiting.remove(&place.id);
    }
}
