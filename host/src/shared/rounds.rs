//! What happens to all that wait for it, and may happen again.

use std::collections::{BTreeMap, HashMap};

use super::place::{Bell, Place};

/// How often something has happened, and who waits for the next time.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    count: u64,
    /// By more often than what it is to have happened, and by their places: so that those that wait for a later time
    /// cost nothing when it happens.
    waiting: BTreeMap<(u64, u64), Bell>,
    /// Where the places stand in that.
    more_than: HashMap<u64, u64>,
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
        let later = self.waiting.split_off(&(self.count, 0));
        let told = std::mem::replace(&mut self.waiting, later).into_iter();
        let mut told: Vec<_> = told.map(|((_, place), bell)| (place, bell)).collect();
        // The order is that in which the places were made: nobody takes anything from another.
        told.sort_unstable_by_key(|(place, _)| *place);
        for (place, _) in &told {
            self.more_than.remove(place);
        }
        told.into_iter().map(|(_, bell)| bell).collect()
    }

    /// Lets a handle wait until it has happened more often than so.
    pub(super) fn wait(&mut self, place: &Place, more_than: u64) {
        place.quiet();
        self.leave(place);
        self.more_than.insert(place.id, more_than);
        self.waiting.insert((more_than, place.id), place.bell());
    }

    /// Lets a handle go.
    pub(super) fn leave(&mut self, place: &Place) {
        if let Some(more_than) = self.more_than.remove(&place.id) {
            self.waiting.remove(&(more_than, place.id));
        }
    }
}
