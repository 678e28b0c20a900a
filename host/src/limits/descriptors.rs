//! The descriptors that the system allows this process, shared by all instances in it.
//!
//! A process has one table of descriptors for everything. The host keeps a reserve of it for itself: event queues,
//! caches, workers, files that are being opened. Of the rest, an instance may have as many as leave an equal number to
//! those that come after it: half of what the others do not use, or seven eighths if the process runs one application
//! only and the others are its workers. So whatever one instance takes, there is something left for each other one.
//! Every handle counts as one descriptor.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::sys::resource::{Resource, getrlimit};

use super::LimitExceeded;

/// The least that the host keeps for itself, and the part of all descriptors that it keeps if that is more.
const RESERVE: (u32, u32) = (64, 32);

/// How many an instance may have in any case.
const LEAST: u32 = 16;

/// How many all instances of this process have.
static IN_USE: AtomicU32 = AtomicU32::new(0);

/// Whether this process runs one application only.
static ONE_APPLICATION: AtomicBool = AtomicBool::new(false);

/// Whether this process runs one instance only, by whose limit the system's was set.
static ONE_INSTANCE: AtomicBool = AtomicBool::new(false);

/// The descriptors of an instance.
#[derive(Debug)]
pub(crate) struct Descriptors {
    /// How many all instances have.
    in_use: &'static AtomicU32,
    /// How many they may have together.
    total: u32,
    own: u32,
}

/// Notes that this process runs one application only.
pub(crate) fn run_one_application() {
    ONE_APPLICATION.store(true, Ordering::Relaxed);
}

/// Notes that this process runs one instance only, and may have as many descriptors as that needs.
pub(crate) fn run_one_instance() {
    ONE_INSTANCE.store(true, Ordering::Relaxed);
}

impl Descriptors {
    /// None yet, of those that the system allows now.
    pub(crate) fn new() -> Self {
        let allowed = getrlimit(Resource::RLIMIT_NOFILE).map_or(u32::MAX, |(soft, _)| {
            u32::try_from(soft).unwrap_or(u32::MAX)
        });
        let (least, part) = RESERVE;
        let total = if ONE_INSTANCE.load(Ordering::Relaxed) {
            u32::MAX
        } else {
            allowed.saturating_sub(least.max(allowed / part))
        };
        Self {
            in_use: &IN_USE,
            total,
            own: 0,
        }
    }

    /// How many the instance has.
    pub(crate) fn own(&self) -> u32 {
        self.own
    }

    /// How many an instance may have if no other one has any.
    pub(crate) fn most(&self) -> u32 {
        share(self.total, 0)
    }

    /// How many more it may have.
    pub(crate) fn left(&self) -> u32 {
        let others = self.in_use.load(Ordering::Relaxed).saturating_sub(self.own);
        share(self.total, others).saturating_sub(self.own)
    }

    /// Takes some.
    ///
    /// # Errors
    /// If that is more than its share; none is taken then.
    pub(crate) fn take(&mut self, count: u32) -> Result<(), LimitExceeded> {
        let (total, own) = (self.total, self.own);
        let wanted = own.saturating_add(count);
        let take = |in_use: u32| {
            let others = in_use.saturating_sub(own);
            (wanted <= share(total, others)).then(|| in_use.saturating_add(count))
        };
        match (self.in_use).fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => {
                self.own = wanted;
                Ok(())
            }
            Err(in_use) => Err(LimitExceeded::Descriptors {
                limit: share(total, in_use.saturating_sub(own)),
            }),
        }
    }

    /// Takes one that can't be refused.
    pub(crate) fn charge(&mut self) {
        self.in_use.fetch_add(1, Ordering::Relaxed);
        self.own += 1;
    }

    /// Gives some back.
    pub(crate) fn give(&mut self, count: u32) {
        let count = count.min(self.own);
        self.in_use.fetch_sub(count, Ordering::Relaxed);
        self.own -= count;
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        self.give(self.own);
    }
}

/// How many an instance may have beside others.
fn share(total: u32, others: u32) -> u32 {
    let free = total.saturating_sub(others);
    let share = if ONE_APPLICATION.load(Ordering::Relaxed) {
        free - free / 8
    } else {
        free / 2
    };
    share.max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_something_left() {
        static IN_USE: AtomicU32 = AtomicU32::new(0);
        let new = || Descriptors {
            in_use: &IN_USE,
            total: 1 << 20,
            own: 0,
        };
        let mut hogs = [new(), new(), new()];
        for hog in &mut hogs {
            while hog.take(64).is_ok() {}
            assert!(hog.own() >= 1 << 16);
            assert!(hog.left() < 64);
        }
        let mut late = new();
        late.take(1 << 15).unwrap();
        let refused = hogs[0].take(1 << 19).unwrap_err().to_string();
        assert!(refused.contains("--max-handles"), "{refused}");
        drop(hogs);
        assert!(late.left() > 1 << 18);
        late.give(1 << 15);
        late.charge();
        assert_eq!(late.own(), 1);
    }

    #[test]
    fn each_has_a_few_in_any_case() {
        static IN_USE: AtomicU32 = AtomicU32::new(1000);
        let mut poor = Descriptors {
            in_use: &IN_USE,
            total: 0,
            own: 0,
        };
        poor.take(LEAST).unwrap();
        assert!(poor.take(1).is_err());
    }
}
