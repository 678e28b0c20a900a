//! Cancellation, timeout blocks and shields.

use super::super::kind::Kind;
use super::entries::{Entry, EntryState};
use super::unheard::Unheard;
use super::{Model, Place};

/// An open timeout block, or a shield.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) task: usize,
    around: Option<u64>,
    /// A shield has none.
    deadline: Option<u64>,
    pub(super) state: ScopeState,
    /// Whether it was open when its task was cancelled.
    pub(super) disarmed: bool,
    /// Whether its time had come by then, and nobody was told.
    was_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeState {
    Armed,
    /// Its time has come, and nobody was told.
    Expired,
    /// A wait or an operation in the given block was told; and whether any of those that were has been looked at.
    Told(u64, bool),
}

impl Model {
    /// Opens a block: with a deadline, or a shield.
    pub(crate) fn open(&mut self, place: Place, after: Option<u64>) -> Place {
        self.sync();
        let id = self.next();
        let scope = Scope {
            task: place.task,
            around: place.scope,
            deadline: after.map(|after| self.now + after),
            state: if after == Some(0) {
                ScopeState::Expired
            } else {
                ScopeState::Armed
            },
            disarmed: false,
            was_late: false,
        };
        self.scopes.insert(id, scope);
        Place {
            scope: Some(id),
            shielded: place.shielded || after.is_none(),
            ..place
        }
    }

    /// Closes a block. What was told of outer ones in it may have been handled there, so they fire again.
    pub(crate) fn close(&mut self, id: u64) {
        self.sync();
        let closed = self.scopes.remove(&id).expect("it is open");
        for outer in self.around(closed.around) {
            let scope = self.scope(outer);
            if matches!(scope.state, ScopeState::Told(inner, _) if inner == id) {
                scope.state = ScopeState::Expired;
            }
        }
        self.note_expired(closed.around);
        if closed.deadline.is_none() {
            self.note_unheard(Unheard::Cancel(closed.task));
        }
    }

    fn scope(&mut self, id: u64) -> &mut Scope {
        self.scopes.get_mut(&id).expect("it is open")
    }

    /// A block and those around it.
    pub(super) fn around(&self, innermost: Option<u64>) -> Vec<u64> {
        let around = |id: &u64| self.scopes.get(id)?.around;
        std::iter::successors(innermost, around).collect()
    }

    /// What becomes of an error that leaves a block, and whether that is the block's own timeout.
    pub(crate) fn leave(&self, id: u64, kind: Kind) -> (Kind, bool) {
        let Some(at) = kind.timed_out_at() else {
            return (kind, false);
        };
        let expired = |id: &&u64| self.scopes[*id].deadline.is_some_and(|time| time <= at);
        let blocks = self.around(Some(id));
        match blocks.iter().rfind(expired) {
            Some(outermost) if *outermost == id => (Kind::Timeout(at), true),
            Some(_) => (Kind::TimeoutCancellation(at), false),
            None => (Kind::UncaughtTimeout, false),
        }
    }

    /// When a block's future was dropped, since nothing in it could be told: checks that it had to be.
    pub(crate) fn gave_up(&mut self, id: u64) -> Kind {
        self.sync();
        let now = self.now;
        let scope = &self.scopes[&id];
        // Its future was about to be dropped when its task was cancelled, and has not heard of that either.
        let was_late = scope.was_late && self.tasks[scope.task].pending.is_some();
        let due = scope.state == ScopeState::Expired && (!scope.disarmed || was_late);
        assert!(due, "{scope:?} was dropped, and had no reason to be");
        Kind::Timeout(now)
    }

    /// The block whose time comes next, and when, if that is by now.
    pub(super) fn next_expiry(&self, now: u64) -> Option<(u64, u64)> {
        let armed = |scope: &&Scope| scope.state == ScopeState::Armed;
        let scopes = self.scopes.iter().filter(|(_, scope)| armed(scope));
        let due = scopes.filter_map(|(id, scope)| Some((scope.deadline?, *id)));
        due.filter(|(deadline, _)| *deadline <= now).min()
    }

    /// A block's time has come.
    pub(super) fn expire(&mut self, id: u64, at: u64) {
        let scope = self.scope(id);
        scope.state = ScopeState::Expired;
        if !scope.disarmed {
            self.tell_waits(id, at);
            self.note_unheard(Unheard::Expiry(id));
        }
    }

    /// Ends all waits in a block as timed out.
    pub(super) fn tell_waits(&mut self, id: u64, at: u64) {
        let inside: Vec<_> = self.scopes.keys().copied().collect();
        let inside: Vec<_> = inside
            .into_iter()
            .filter(|inner| self.around(Some(*inner)).contains(&id))
            .collect();
        let is_inside = |place: &Place| place.scope.is_some_and(|scope| inside.contains(&scope));
        for place in self.interrupt_all(is_inside, EntryState::TimedOut(at)) {
            self.tell(place.scope, at, false);
        }
    }

    /// A wait or an operation in a block is told that the time of all blocks around it has come.
    fn tell(&mut self, innermost: Option<u64>, at: u64, heard: bool) {
        let Some(inner) = innermost else { return };
        for id in self.around(innermost) {
            let scope = self.scope(id);
            let told = matches!(scope.state, ScopeState::Told(..));
            if scope.deadline.is_some_and(|deadline| deadline <= at) && !told {
                scope.state = ScopeState::Told(inner, heard);
            }
        }
    }

    /// The blocks around a wait that was told at a time of their expiry, as far as nobody has heard of that.
    fn unheard_by(&self, innermost: Option<u64>, at: u64) -> Vec<u64> {
        let unheard = |id: &u64| {
            let scope = &self.scopes[id];
            matches!(scope.state, ScopeState::Told(_, false)) && scope.deadline <= Some(at)
        };
        self.around(innermost).into_iter().filter(unheard).collect()
    }

    /// A wait that was told at a time has been looked at.
    pub(super) fn looked_at(&mut self, innermost: Option<u64>, at: u64) {
        for id in self.unheard_by(innermost, at) {
            if let ScopeState::Told(_, heard) = &mut self.scope(id).state {
                *heard = true;
            }
        }
    }

    /// A wait that was told at a time was given up before anybody looked. The blocks of which nobody else was told
    /// fire again.
    pub(super) fn unlooked_at(&mut self, innermost: Option<u64>, at: u64) {
        for id in self.unheard_by(innermost, at) {
            let deadline = self.scopes[&id].deadline;
            let tells = |entry: &Entry| match entry.state {
                EntryState::TimedOut(at) => {
                    deadline <= Some(at) && self.around(entry.place.scope).contains(&id)
                }
                _ => false,
            };
            if !self.entries.values().any(tells) {
                self.scope(id).state = ScopeState::Expired;
            }
        }
        self.note_expired(innermost);
    }

    /// Whether a block around this place is to fire.
    pub(super) fn is_due_around(&self, place: Place) -> bool {
        let due = |id: &u64| {
            let scope = &self.scopes[id];
            scope.state == ScopeState::Expired && !scope.disarmed
        };
        self.around(place.scope).iter().any(due)
    }

    /// Takes what an operation here that blocks is to fail with.
    pub(crate) fn take_interruption(&mut self, place: Place) -> Option<Kind> {
        self.sync();
        if place.shielded {
            return None;
        }
        if self.tasks[place.task].told == 0
            && let Some(kind) = self.tasks[place.task].pending.take()
        {
            return Some(kind);
        }
        self.is_due_around(place).then(|| {
            self.tell(place.scope, self.now, true);
            Kind::Timeout(self.now)
        })
    }

    /// Whether something is pending here, shield or not.
    pub(crate) fn has_pending(&mut self, place: Place) -> bool {
        self.sync();
        self.tasks[place.task].pending.is_some() || self.is_due_around(place)
    }

    /// Takes what is pending here, shield or not.
    pub(crate) fn take_pending(&mut self, place: Place) -> Option<Kind> {
        self.sync();
        if let Some(kind) = self.tasks[place.task].pending.take() {
            return Some(kind);
        }
        self.is_due_around(place).then(|| {
            self.tell(place.scope, self.now, true);
            Kind::Timeout(self.now)
        })
    }

    /// Cancels a task, which is done once. Returns whether it was alive.
    pub(crate) fn cancel(&mut self, task: usize, kind: Kind) -> bool {
        self.sync();
        let of_task = &mut self.tasks[task];
        if of_task.alive && !of_task.cancelled {
            of_task.cancelled = true;
            of_task.pending = Some(kind);
            for scope in self.scopes.values_mut().filter(|scope| scope.task == task) {
                scope.disarmed = true;
                scope.was_late = scope.state == ScopeState::Expired;
            }
            self.cancel_waits(task);
            self.note_unheard(Unheard::Cancel(task));
        }
        self.tasks[task].alive
    }

    /// Whether a cancellation has reached a task, or is about to reach another branch of it: it will not be cancelled
    /// again.
    pub(crate) fn is_told(&self, task: usize) -> bool {
        let of_task = &self.tasks[task];
        of_task.cancelled && (of_task.pending.is_none() || of_task.told > 0)
    }

    pub(super) fn has_shield_of(&self, task: usize) -> bool {
        let mut shields = self
            .scopes
            .values()
            .filter(|scope| scope.deadline.is_none());
        shields.any(|scope| scope.task == task)
    }

    /// Nobody waits in a block that is to fire, except behind shields.
    pub(super) fn no_block_is_late(&self) {
        for (id, scope) in &self.scopes {
            if scope.state != ScopeState::Expired || scope.disarmed {
                continue;
            }
            let shields = self
                .scopes
                .iter()
                .filter(|(_, shield)| shield.deadline.is_none());
            let mut shields = shields.map(|(shield, _)| *shield);
            let shielded = shields.any(|shield| {
                self.around(Some(shield)).contains(id) || self.around(Some(*id)).contains(&shield)
            });
            assert!(
                shielded,
                "the time of {scope:?} has come, and nobody was told"
            );
        }
    }
}
