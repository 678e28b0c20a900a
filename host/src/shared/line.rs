//! Lines of handles, to which things are handed one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Bell, Place};

/// Handles that wait, and those that were called and have not come yet. Who is called has something promised, which
/// nobody else may take: who owns the line counts those.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// How many have stood here.
    tickets: u64,
    waiting: BTreeMap<u64, Bell>,
    called: BTreeSet<u64>,
}

impl Line {
    /// Whether a handle may pass: since it was called; or since it has not had to stand here, and `free` says
    /// that there is something that is promised to nobody.
    pub(super) fn may_pass(&self, place: &Place, free: bool) -> bool {
        match place.ticket {
            Some(ticket) => self.called.contains(&ticket),
            None => free,
        }
    }

    /// Lets a handle pass that may.
    pub(super) fn pass(&mut self, place: &mut Place) {
        if let Some(ticket) = place.ticket.take() {
            self.called.remove(&ticket);
        }
    }

    /// Lets a handle stand at the end of the line, unless it stands in it already.
    pub(super) fn stand(&mut self, place: &mut Place) {
        if place.ticket.is_none() {
            self.tickets += 1;
            self.waiting.insert(self.tickets, place.bell());
            place.ticket = Some(self.tickets);
        }
    }

    /// Calls the handle that has waited longest, if one waits: whoever asked is to ring.
    #[must_use]
    pub(super) fn call(&mut self) -> Option<Bell> {
        let (ticket, bell) = self.waiting.pop_first()?;
        self.called.insert(ticket);
        Some(bell)
    }

    /// How many were called and have not come yet.
    pub(super) fn called(&self) -> usize {
        self.called.len()
    }

    /// Lets a handle leave. Returns whether it had been called: what was promised to it is somebody else's.
    pub(super) fn leave(&mut self, place: &mut Place) -> bool {
        let Some(ticket) = place.ticket.take() else {
            return false;
        };
        self.waiting.remove(&ticket);
        self.called.remove(&ticket)
    }
}
