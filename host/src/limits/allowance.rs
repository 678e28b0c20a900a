//! What an application may use over all its instances: memory, and workers.
//!
//! An application's workers are instances of their own, on other threads. What they hold counts together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{LimitExceeded, Limits, Places};

/// What an application may use. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<State>);

#[derive(Debug)]
struct State {
    limit: u64,
    used: AtomicU64,
    threads: Places,
    processes: Places,
}

/// Memory that is in use until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    allowance: Allowance,
    bytes: u64,
}

impl Allowance {
    /// What limits allow, of which nothing is used.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(State {
            limit: limits.memory(),
            used: AtomicU64::new(0),
            threads: Places::new(limits.threads()),
            processes: Places::new(limits.processes()),
        }))
    }

    /// The places for worker threads.
    pub(crate) fn threads(&self) -> &Places {
        &self.0.threads
    }

    /// The places for processes: workers, and programs that were started.
    pub(crate) fn processes(&self) -> &Places {
        &self.0.processes
    }

    /// Takes memory.
    ///
    /// # Errors
    /// If that is more than is left; nothing is taken then.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), LimitExceeded> {
        let State { limit, used, .. } = &*self.0;
        let enough = |used: u64| used.checked_add(bytes).filter(|used| used <= limit);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough)
            .map(drop)
            .map_err(|_| LimitExceeded::Memory { limit: *limit })
    }

    /// Takes memory that can't be refused, even if that is more than is left.
    pub(crate) fn charge(&self, bytes: u64) {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives memory back that was taken.
    pub(crate) fn give(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes memory for as long as something lives.
    ///
    /// # Errors
    /// As [`Allowance::take`].
    pub(crate) fn hold(&self, bytes: u64) -> Result<Held, LimitExceeded> {
        self.take(bytes)?;
        Ok(Held {
            allowance: self.clone(),
            bytes,
        })
    }

    /// Holds no memory yet.
    pub(crate) fn nothing(&self) -> Held {
        Held {
            allowance: self.clone(),
            bytes: 0,
        }
    }

    /// Takes memory for what only makes something faster. It is refused as soon as half of the memory is in use, so
    /// that it never takes what the program itself needs.
    fn take_spare(&self, bytes: u64) -> Result<(), LimitExceeded> {
        let State { limit, used, .. } = &*self.0;
        let enough = |used: u64| used.checked_add(bytes).filter(|used| *used <= limit / 2);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough)
            .map(drop)
            .map_err(|_| LimitExceeded::Memory { limit: *limit })
    }

    /// How many bytes of memory there are in all.
    pub(crate) fn limit(&self) -> u64 {
        self.0.limit
    }

    /// How many bytes are in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }
}

impl Held {
    /// How many bytes it holds.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The allowance that it was taken from.
    pub(crate) fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Takes or gives memory until it holds `bytes`.
    ///
    /// # Errors
    /// As [`Allowance::take`]; it holds as much as before then.
    pub(crate) fn resize(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.allowance.take(more)?,
            None => self.allowance.give(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Gives memory until it holds `bytes` at the most.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let spare = self.bytes.saturating_sub(bytes);
        self.allowance.give(spare);
        self.bytes -= spare;
    }

    /// Takes more memory, unless half of all memory is in use then. Returns whether it did.
    pub(crate) fn grow_if_spare(&mut self, more: u64) -> bool {
        let taken = self.allowance.take_spare(more).is_ok();
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Holds what another one holds, too.
    pub(crate) fn merge(&mut self, mut other: Self) {
        debug_assert!(
            Arc::ptr_eq(&self.allowance.0, &other.allowance.0),
            "one sum"
        );
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.allowance.give(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let allowance = Allowance::new(&Limits::default().with_memory(100));
        let other = allowance.clone();
        let held = allowance.hold(60).unwrap();
        other.take(40).unwrap();
        let full = LimitExceeded::Memory { limit: 100 };
        assert_eq!(allowance.take(1), Err(full));
        assert_eq!(other.take(u64::MAX), Err(full));
        drop(held);
        other.charge(100);
        assert_eq!(allowance.used(), 140);
        other.give(100);
        allowance.take(60).unwrap();
        assert_eq!(other.hold(1).unwrap_err(), full);
    }

    #[test]
    fn what_is_held_grows_and_shrinks_and_is_given_back() {
        let allowance = Allowance::new(&Limits::default().with_memory(100));
        let mut held = allowance.hold(10).unwrap();
        held.resize(90).unwrap();
        assert!(held.resize(101).is_err());
        assert_eq!((held.bytes(), allowance.used()), (90, 90));
        held.resize(20).unwrap();
        held.shrink_to(30);
        assert_eq!((held.bytes(), allowance.used()), (20, 20));
        assert!(!held.grow_if_spare(31), "half is for the program itself");
        assert!(held.grow_if_spare(30));
        held.merge(allowance.hold(50).unwrap());
        assert_eq!((held.bytes(), allowance.used()), (100, 100));
        held.shrink_to(7);
        assert_eq!(allowance.used(), 7);
        drop(held);
        assert_eq!(allowance.used(), 0);
    }
}
