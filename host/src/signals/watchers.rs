//! Who watches which signals, and who ignores which.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slotmap::{SlotMap, new_key_type};

use super::queue::{Cost, Queue, Run};
use super::taken::Signals;
use crate::kernel::{Direction, InstanceKey, Kernel, Readiness, SourceKey};
use crate::limits::LimitExceeded;
use crate::permissions::{Signal, SignalMask};

/// How many signals are read before others have a turn.
const READ_AT_ONCE: usize = 1024;

/// How many watchers are looked at, over all these signals, before others have a turn; at least all, for one signal.
const VISITS_AT_ONCE: usize = 16_384;

new_key_type! {
    struct EntryKey;
}

/// The watchers of one host, shared with its instances. All are on one thread, so the lock is never contended.
pub(crate) type SharedWatchers = Arc<Mutex<Watchers>>;

/// Takes the watchers' lock. It comes before the kernel's.
pub(crate) fn lock(watchers: &SharedWatchers) -> MutexGuard<'_, Watchers> {
    watchers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A guest's handle of signals that it watches. Whoever drops it closes it first.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Clone, Debug)]
pub struct Watcher {
    key: EntryKey,
    source: SourceKey,
    readiness: Arc<Readiness>,
}

impl Watcher {
    /// What a task waits for until a signal comes.
    pub(crate) fn source(&self) -> SourceKey {
        self.source
    }
}

/// A guest's handle of signals that it ignores. Whoever drops it closes it first.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Clone, Debug)]
pub struct Ignorer {
    key: EntryKey,
}

/// What an instance wants of some signals.
#[derive(Debug)]
struct Entry {
    owner: InstanceKey,
    signals: SignalMask,
    interest: Interest,
}

#[derive(Debug)]
enum Interest {
    /// To be told of each.
    Watch { queue: Queue, source: SourceKey },
    /// That nothing happens.
    Ignore,
}

/// Who watches which signals, and who ignores which.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    /// What they come from, if the host was given it, and what the kernel knows that by.
    signals: Option<(Signals, SourceKey)>,
    entries: SlotMap<EntryKey, Entry>,
    /// What has come and nobody wanted.
    unclaimed: VecDeque<Signal>,
}

impl Watchers {
    /// Begins to read signals. Returns false if it has begun with others before.
    ///
    /// # Errors
    /// If the kernel can't watch for them.
    pub(crate) fn begin(&mut self, signals: Signals, kernel: &mut Kernel) -> io::Result<bool> {
        if self.signals.is_some() {
            return Ok(false);
        }
        let source = signals.watch(kernel)?;
        self.signals = Some((signals, source));
        Ok(true)
    }

    /// Whether a signal is read here at all.
    pub(crate) fn is_taken(&self, signal: Signal) -> bool {
        let taken = self.signals.as_ref().map(|(signals, _)| signals.taken());
        taken.is_some_and(|taken| taken.contains(signal))
    }

    /// Begins to watch signals for an instance.
    ///
    /// # Errors
    /// If it has no memory left.
    pub(crate) fn watch(
        &mut self,
        owner: InstanceKey,
        signals: SignalMask,
        kernel: &mut Kernel,
    ) -> Result<Watcher, LimitExceeded> {
        let budget = kernel.instance(owner).budget();
        budget.take_memory(size(signals))?;
        let (source, readiness) = kernel.add_source(owner);
        let key = self.entries.insert(Entry {
            owner,
            signals,
            interest: Interest::Watch {
                queue: Queue::default(),
                source,
            },
        });
        Ok(Watcher {
            key,
            source,
            readiness,
        })
    }

    /// Begins to ignore signals for an instance.
    ///
    /// # Errors
    /// If it has no memory left.
    pub(crate) fn ignore(
        &mut self,
        owner: InstanceKey,
        signals: SignalMask,
        kernel: &mut Kernel,
    ) -> Result<Ignorer, LimitExceeded> {
        kernel.instance(owner).budget().take_entry::<Entry>()?;
        let key = self.entries.insert(Entry {
            owner,
            signals,
            interest: Interest::Ignore,
        });
        Ok(Ignorer { key })
    }

    /// Takes the signal that came first for a watcher; none if nothing has come, and then its source waits.
    pub(crate) fn next(&mut self, watcher: &Watcher, kernel: &mut Kernel) -> Option<Signal> {
        let entry = self.entries.get_mut(watcher.key)?;
        let Interest::Watch { queue, .. } = &mut entry.interest else {
            return None;
        };
        let Some((signal, cost)) = queue.pop() else {
            watcher.readiness.clear(Direction::Read);
            return None;
        };
        if cost == Cost::Run {
            kernel.instance(entry.owner).budget().give_entry::<Run>();
        }
        Some(signal)
    }

    /// Stops watching. What has come by now is lost.
    pub(crate) fn close_watcher(&mut self, watcher: &Watcher, kernel: &mut Kernel) {
        self.read(kernel);
        let Some(entry) = self.entries.remove(watcher.key) else {
            return;
        };
        kernel.remove_source(watcher.source);
        let budget = kernel.instance(entry.owner).budget();
        budget.give_memory(size(entry.signals));
        if let Interest::Watch { queue, .. } = entry.interest {
            budget.give_entries::<Run>(queue.paid());
        }
    }

    /// Stops ignoring. What has come by now is lost.
    pub(crate) fn close_ignorer(&mut self, ignorer: &Ignorer, kernel: &mut Kernel) {
        self.read(kernel);
        if let Some(entry) = self.entries.remove(ignorer.key) {
            kernel.instance(entry.owner).budget().give_entry::<Entry>();
        }
    }

    /// Forgets what an instance wanted, which has ended.
    pub(crate) fn remove_instance(&mut self, owner: InstanceKey) {
        self.entries.retain(|_, entry| entry.owner != owner);
    }

    /// Reads signals that have come, and hands them out. Those that nobody wants are kept for the host. If there are
    /// such, or there may be more to read, the kernel tells the host.
    pub(crate) fn read(&mut self, kernel: &mut Kernel) {
        let Some((signals, source)) = self.signals.take() else {
            return;
        };
        let mut has_more = true;
        let at_once = READ_AT_ONCE.min(1 + VISITS_AT_ONCE / (self.entries.len() + 1));
        for _ in 0..at_once {
            let Some(signal) = signals.read() else {
                has_more = false;
                break;
            };
            if !self.hand_out(signal, kernel) {
                self.unclaimed.push_back(signal);
            }
        }
        if has_more || !self.unclaimed.is_empty() {
            kernel.note_readable(source);
        }
        self.signals = Some((signals, source));
    }

    /// Takes a signal that has come and that nobody wanted.
    pub(crate) fn take_unclaimed(&mut self) -> Option<Signal> {
        self.unclaimed.pop_front()
    }

    /// Hands out a signal. Returns false if nobody wants it.
    pub(crate) fn hand_out(&mut self, signal: Signal, kernel: &mut Kernel) -> bool {
        let ignoring = self.entries.values().filter(|entry| {
            entry.signals.contains(signal) && matches!(entry.interest, Interest::Ignore)
        });
        let ignoring: Vec<_> = ignoring.map(|entry| entry.owner).collect();
        let mut wanted = !ignoring.is_empty();
        for entry in self.entries.values_mut() {
            let owner = entry.owner;
            if let Interest::Watch { queue, source } = &mut entry.interest
                && entry.signals.contains(signal)
                && !ignoring.contains(&owner)
            {
                let budget = kernel.instance(owner).budget();
                queue.push(signal, || budget.take_entry::<Run>().is_ok());
                kernel.note_readable(*source);
                wanted = true;
            }
        }
        wanted
    }
}

/// What a watcher takes of memory: itself, and a run of each kind.
fn size(signals: SignalMask) -> u64 {
    let runs = u64::from(signals.len()) * size_of::<Run>() as u64;
    runs + size_of::<Entry>() as u64 + 80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::MonotonicClock;
    use crate::limits::Limits;
    use crate::selector::MioSelector;

    fn signals(names: &[&str]) -> SignalMask {
        names.iter().map(|name| signal(name)).collect()
    }

    fn signal(name: &str) -> Signal {
        name.parse().unwrap()
    }

    fn kernel() -> Kernel {
        let selector = MioSelector::new().unwrap();
        Kernel::new(Box::new(selector), Box::new(MonotonicClock::new()))
    }

    #[test]
    fn a_flood_takes_no_more_memory_than_there_is_and_loses_nothing() {
        let limit = 4096;
        let mut kernel = kernel();
        let owner = kernel.add_instance(Limits::default().with_memory(limit));
        let mut watchers = Watchers::default();
        let set = signals(&["USR1", "USR2"]);
        let watcher = watchers.watch(owner, set, &mut kernel).unwrap();
        let before = kernel.instance(owner).budget().memory();
        for _ in 0..10_000 {
            for name in ["USR1", "USR2"] {
                assert!(watchers.hand_out(signal(name), &mut kernel));
            }
            assert!(kernel.instance(owner).budget().memory() <= limit);
        }
        assert!(watcher.readiness.get(Direction::Read));
        let mut counts = [0, 0];
        while let Some(next) = watchers.next(&watcher, &mut kernel) {
            counts[usize::from(next == signal("USR2"))] += 1;
        }
        assert_eq!(counts, [10_000, 10_000]);
        assert!(!watcher.readiness.get(Direction::Read));
        assert_eq!(kernel.instance(owner).budget().memory(), before);
        watchers.hand_out(signal("USR1"), &mut kernel);
        watchers.close_watcher(&watcher, &mut kernel);
        assert_eq!(kernel.instance(owner).budget().memory(), 0);
        assert!(!watchers.hand_out(signal("USR1"), &mut kernel));
    }

    #[test]
    fn who_ignores_a_signal_keeps_it_from_nobody_else() {
        let mut kernel = kernel();
        let owners = [(); 2].map(|()| kernel.add_instance(Limits::default()));
        let mut watchers = Watchers::default();
        let set = signals(&["USR1"]);
        let [first, second] = owners.map(|owner| watchers.watch(owner, set, &mut kernel).unwrap());
        let ignorer = watchers.ignore(owners[0], set, &mut kernel).unwrap();
        assert!(watchers.hand_out(signal("USR1"), &mut kernel));
        assert_eq!(watchers.next(&first, &mut kernel), None);
        let came = Some(signal("USR1"));
        assert_eq!(watchers.next(&second, &mut kernel), came);
        // With it, all that the second one wanted is gone.
        watchers.remove_instance(owners[1]);
        assert!(watchers.hand_out(signal("USR1"), &mut kernel));
        watchers.close_ignorer(&ignorer, &mut kernel);
        assert!(watchers.hand_out(signal("USR1"), &mut kernel));
        assert_eq!(watchers.next(&first, &mut kernel), came);
        watchers.remove_instance(owners[0]);
        assert!(!watchers.hand_out(signal("USR1"), &mut kernel));
    }

    #[test]
    fn what_there_is_no_memory_for_is_refused() {
        let mut kernel = kernel();
        let owner = kernel.add_instance(Limits::default().with_memory(16));
        let mut watchers = Watchers::default();
        let set = signals(&["USR1"]);
        assert!(watchers.watch(owner, set, &mut kernel).is_err());
        assert!(watchers.ignore(owner, set, &mut kernel).is_err());
        assert!(!watchers.hand_out(signal("USR1"), &mut kernel));
    }
}
