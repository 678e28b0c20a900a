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
}
