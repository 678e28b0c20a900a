//! Those that wait: in which line, and how that ends.

use super::super::kind::Kind;
use super::unheard::Unheard;
use super::{Model, Place};

/// What is waited for. Those that wait for the same thing stand in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A point in time, in nanoseconds.
    Sleep(u64),
    /// A lock of any kind: see `Things::locks`.
    Lock(usize),
    Semaphore(usize),
    Event(usize),
    Condition(usize),
    Get(usize),
    Put(usize),
    JoinQueue(usize),
    /// The end of a task.
    End(usize),
    /// A change in a group.
    Group(usize),
    /// A future that can't be interrupted.
    Gate(usize),
}

/// One that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    line: Line,
    pub(super) state: EntryState,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryState {
    Waiting,
    /// It was woken at a time; counts the wake-ups.
    Woken(u64, u64),
    Cancelled(u64),
    TimedOut(u64),
}

/// What is foretold of an operation.
#[derive(Debug, Default)]
pub(crate) enum Ticket {
    /// Nothing.
    #[default]
    Unknown,
    /// It does not block.
    Immediate,
    /// It fails at once, since the task is interrupted.
    Interrupted(Kind),
    /// It waits.
    Waits(u64),
}

impl Entry {
    /// Whether an interruption ends it.
    pub(super) fn is_interruptible(&self) -> bool {
        self.state == EntryState::Waiting
            && !self.place.shielded
            && !matches!(self.line, Line::Gate(_))
    }
}

impl Model {
    /// Begins an operation, which blocks or not.
    pub(crate) fn begin(&mut self, place: Place, line: Line, blocks: bool) -> Ticket {
        self.sync();
        if !blocks {
            return Ticket::Immediate;
        }
        if !matches!(line, Line::Gate(_))
            && let Some(kind) = self.take_interruption(place)
        {
            return Ticket::Interrupted(kind);
        }
        Ticket::Waits(self.stand(place, line))
    }

    pub(super) fn stand(&mut self, place: Place, line: Line) -> u64 {
        let id = self.next();
        let state = EntryState::Waiting;
        self.entries.insert(id, Entry { place, line, state });
        id
    }

    /// Wakes the first so many in a line, and says how many there were.
    pub(crate) fn wake(&mut self, line: Line, count: usize) -> usize {
        self.sync();
        let waiting = |entry: &Entry| entry.line == line && entry.state == EntryState::Waiting;
        let found = self.entries.iter().filter(|(_, entry)| waiting(entry));
        let ids: Vec<_> = found.map(|(id, _)| *id).take(count).collect();
        for id in &ids {
            self.wake_entry(*id, self.now);
        }
        ids.len()
    }

    fn wake_entry(&mut self, id: u64, at: u64) {
        let serial = self.next();
        self.of(id).state = EntryState::Woken(at, serial);
    }

    fn of(&mut self, id: u64) -> &mut Entry {
        self.entries.get_mut(&id).expect("it waits")
    }

    /// Whether an entry was woken or interrupted.
    pub(crate) fn is_over(&mut self, id: u64) -> bool {
        self.sync();
        self.of(id).state != EntryState::Waiting
    }

    /// Whether an entry was woken.
    pub(crate) fn is_woken(&mut self, id: u64) -> bool {
        self.sync();
        matches!(self.of(id).state, EntryState::Woken(..))
    }

    /// How a wait that is over must have ended.
    pub(super) fn foretold(&mut self, id: u64) -> Result<(), Kind> {
        let (state, task) = {
            let entry = self.of(id);
            (entry.state, entry.place.task)
        };
        match state {
            EntryState::Waiting | EntryState::Woken(..) => Ok(()),
            EntryState::Cancelled(_) => {
                let pending = self.tasks[task].pending.clone();
                Err(pending.unwrap_or(Kind::Cancelled))
            }
            EntryState::TimedOut(at) => Err(Kind::Timeout(at)),
        }
    }

    /// A wait is over: checks that it had to be, in this way, and now.
    pub(crate) fn finish(&mut self, id: u64, result: &Result<(), Kind>) {
        self.sync();
        let entry = self.entries.remove(&id).expect("it waits");
        let (expected, at) = match entry.state {
            EntryState::Waiting => {
                panic!("{entry:?} ({id}) ended with {result:?}, and nobody woke it")
            }
            EntryState::Woken(at, serial) => {
                self.check_order(&entry, serial);
                (Ok(()), at)
            }
            EntryState::Cancelled(at) => (Err(self.take_told(entry.place.task)), at),
            EntryState::TimedOut(at) => {
                self.looked_at(entry.place.scope, at);
                (Err(Kind::Timeout(at)), at)
            }
        };
        assert_eq!(*result, expected, "{entry:?} ({id})");
        assert_eq!(self.now, at, "{entry:?} ({id}) is late");
    }

    /// Those that were woken earlier in a line go on earlier.
    fn check_order(&self, entry: &Entry, serial: u64) {
        if self.branched.contains(&entry.place.task) {
            return;
        }
        // Its task may have had a turn already, for a block to drop what is in it.
        if matches!(entry.line, Line::Gate(_)) && self.is_due_around(entry.place) {
            return;
        }
        let earlier = self.entries.values().find(|other| {
            let before = matches!(other.state, EntryState::Woken(_, other) if other < serial);
            !other.place.in_branch && before && other.line == entry.line
        });
        assert!(
            earlier.is_none(),
            "{entry:?} goes on before {earlier:?} of the same line"
        );
    }

    /// The error of a wait that ended as cancelled.
    fn take_told(&mut self, task: usize) -> Kind {
        let of_task = &mut self.tasks[task];
        of_task.told -= 1;
        of_task.pending.take().unwrap_or(Kind::Cancelled)
    }

    /// A wait is given up, since its future is dropped.
    pub(crate) fn abandon(&mut self, id: u64) {
        self.sync();
        let entry = self.entries.remove(&id).expect("it waits");
        match entry.state {
            EntryState::Waiting => {}
            EntryState::Woken(..) => self.pass_on(entry.line),
            EntryState::Cancelled(_) => {
                self.tasks[entry.place.task].told -= 1;
                self.note_unheard(Unheard::Cancel(entry.place.task));
            }
            EntryState::TimedOut(at) => self.unlooked_at(entry.place.scope, at),
        }
    }

    /// A pass may be over, and time has passed: sleeps and timeout blocks end, in their order.
    pub(super) fn sync(&mut self) {
        self.settle();
        let now = curio::clock().as_nanos();
        if now == self.now {
            return;
        }
        loop {
            let sleeps = self.entries.iter().filter_map(|(id, entry)| {
                let waiting = entry.state == EntryState::Waiting;
                match entry.line {
                    Line::Sleep(until) if waiting && until <= now => Some((until, *id)),
                    _ => None,
                }
            });
            let sleep = sleeps.min();
            let block = self.next_expiry(now);
            match (sleep, block) {
                // What has come in time is not late.
                (Some((until, id)), block) if block.is_none_or(|(at, _)| until <= at) => {
                    self.wake_entry(id, until);
                }
                (_, Some((at, block))) => self.expire(block, at),
                _ => break,
            }
        }
        self.now = now;
    }

    /// Ends all waits of a task that an interruption ends, and says how many there were.
    pub(super) fn interrupt_all(
        &mut self,
        which: impl Fn(&Place) -> bool,
        state: EntryState,
    ) -> Vec<Place> {
        let mut told = Vec::new();
        for entry in self.entries.values_mut() {
            if entry.is_interruptible() && which(&entry.place) {
                entry.state = state;
                told.push(entry.place);
            }
        }
        told
    }
}
