//! How many workers or processes an application may have.
//!
//! A worker that was told to stop gives its place up at once, and is gone a moment later. So that this can't be used to
//! have any number of them, only so many may be leaving.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How many may be leaving, unless there are more places than that.
const MAX_LEAVING: u32 = 64;

/// The places for those of one kind. Clones are the same places.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<State>);

#[derive(Debug)]
struct State {
    limit: u32,
    taken: AtomicU32,
    leaving: AtomicU32,
}

/// A worker's place. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    left: AtomicBool,
}

impl Places {
    /// So many places.
    pub(crate) fn new(limit: u32) -> Self {
        Self(Arc::new(State {
            limit,
            taken: AtomicU32::new(0),
            leaving: AtomicU32::new(0),
        }))
    }

    /// How many there are.
    pub(crate) fn limit(&self) -> u32 {
        self.0.limit
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(&self) -> Option<Place> {
        let State {
            limit,
            taken,
            leaving,
        } = &*self.0;
        let one_more = |taken| (taken < *limit).then_some(taken + 1);
        if leaving.load(Ordering::Relaxed) >= MAX_LEAVING.max(*limit) {
            return None;
        }
        let took = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        took.is_ok().then(|| Place {
            places: self.clone(),
            left: AtomicBool::new(false),
        })
    }
}

impl Place {
    /// Frees the place for another worker, since this one is about to be gone.
    pub(crate) fn leave(&self) {
        if !self.left.swap(true, Ordering::Relaxed) {
            let State { taken, leaving, .. } = &*self.places.0;
            leaving.fetch_add(1, Ordering::Relaxed);
            taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let State { taken, leaving, .. } = &*self.places.0;
        let count = if self.left.load(Ordering::Relaxed) {
            leaving
        } else {
            taken
        };
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_workers_than_places() {
        let places = Places::new(2);
        let first = places.take().unwrap();
        let second = places.clone().take().unwrap();
        assert!(places.take().is_none());
        drop(first);
        let third = places.take().unwrap();
        assert!(places.take().is_none());
        drop((second, third));
        let both = (places.take().unwrap(), places.take().unwrap());
        assert!(places.take().is_none());
        drop(both);
    }

    #[test]
    fn those_that_leave_make_place_but_are_bounded_too() {
        let places = Places::new(2);
        let leaving: Vec<_> = std::iter::from_fn(|| {
            let place = places.take()?;
            place.leave();
            place.leave();
            Some(place)
        })
        .take(100)
        .collect();
        assert_eq!(leaving.len(), 64);
        drop(leaving);
        assert!(places.take().is_some());
    }

    #[test]
    fn there_may_be_none() {
        assert!(Places::new(0).take().is_none());
    }
}
