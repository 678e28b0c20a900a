//! Timeout blocks: a task's deadlines, nested as its code is.
//!
//! Every block has a timer of its own, so that an outer deadline stays in force whatever happens to an
//! inner one. A block fires once: one trap inside it ends as timed out. What that timeout leaves as
//! when it crosses the borders of blocks is for the guest to work out; it knows all the deadlines.
//!
//! One firing tells every block around the trap that has expired, since one interruption at a
//! time is what cleanup code can cope with. When the block in which that happened closes, the outer
//! ones fire again at the next blocking trap inside them: the interruption may have been handled there.

use slotmap::SlotMap;

use super::trap::List;
use super::{Instant, ScopeKey, TaskKey};

/// An open timeout block.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The task that is in it.
    pub(crate) task: TaskKey,
    /// The block around it.
    pub(crate) parent: Option<ScopeKey>,
    /// Counts the blocks of an instance: a greater number was opened later.
    pub(crate) serial: u64,
    /// How many blocks it is in, itself included.
    pub(crate) depth: u32,
    /// When it expires.
    pub(crate) deadline: Instant,
    /// The guest's number for it.
    pub(crate) cookie: u32,
    /// How far that has come.
    pub(crate) state: ScopeState,
    /// The expiry is in the instance's list of undelivered interruptions.
    pub(crate) listed: bool,
    /// The pending traps that were made in it, and in no block inside it.
    pub(crate) traps: List,
    /// The blocks directly inside it, and its place among those of the block around it.
    pub(crate) family: Family,
}

/// How a block finds those inside it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Family {
    first: Option<ScopeKey>,
    last: Option<ScopeKey>,
    previous: Option<ScopeKey>,
    next: Option<ScopeKey>,
}

impl Scope {
    /// Whether the next blocking trap inside it is to end as timed out.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        match self.state {
            ScopeState::Armed => self.deadline <= now,
            ScopeState::Expired => true,
            ScopeState::Told(_) => false,
        }
    }
}

/// How far the expiry of a timeout block has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeState {
    /// Its timer is running.
    Armed,
    /// It has expired, and the next blocking trap inside it will end as timed out.
    Expired,
    /// It has expired, and a trap made in the given block, its own or an inner one, was told.
    Told(ScopeKey),
}

/// Puts a block into the table.
pub(crate) fn insert(scopes: &mut SlotMap<ScopeKey, Scope>, mut scope: Scope) -> ScopeKey {
    let parent = scope.parent;
    let previous = parent.and_then(|parent| scopes[parent].family.last);
    scope.family.previous = previous;
    let key = scopes.insert(scope);
    if let Some(previous) = previous {
        scopes[previous].family.next = Some(key);
    }
    if let Some(parent) = parent {
        let family = &mut scopes[parent].family;
        family.first = family.first.or(Some(key));
        family.last = Some(key);
    }
    key
}

/// Takes a block out of the table. Blocks inside it that are still open are then outermost ones.
pub(crate) fn remove(scopes: &mut SlotMap<ScopeKey, Scope>, key: ScopeKey) -> Option<Scope> {
    let scope = scopes.remove(key)?;
    let Family { previous, next, .. } = scope.family;
    if let Some(previous) = previous {
        scopes[previous].family.next = next;
    }
    if let Some(next) = next {
        scopes[next].family.previous = previous;
    }
    if let Some(parent) = scope.parent.and_then(|parent| scopes.get_mut(parent)) {
        let family = &mut parent.family;
        if previous.is_none() {
            family.first = next;
        }
        if next.is_none() {
            family.last = previous;
        }
    }
    Some(scope)
}

/// The block that follows `key` among those inside `outermost`: from the outside in, the older first.
pub(crate) fn following(
    scopes: &SlotMap<ScopeKey, Scope>,
    mut key: ScopeKey,
    outermost: ScopeKey,
) -> Option<ScopeKey> {
    if let Some(first) = scopes[key].family.first {
        return Some(first);
    }
    while key != outermost {
        let scope = &scopes[key];
        if let Some(next) = scope.family.next {
            return Some(next);
        }
        key = scope.parent?;
    }
    None
}
