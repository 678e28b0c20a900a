//! What futures wait for: pending traps and open timeout blocks.
//!
//! A future that makes a trap takes a slot, whose index is the cookie that the kernel gives back when the trap
//! has ended. How it ended is put into the slot before the task is polled; the future takes it out.
//! If that future is behind a waker of its own, as in `FuturesUnordered`, that waker is woken.

use std::cell::RefCell;
use std::task::{Context, Waker};

use super::resumption::Resumption;
use super::task_waker;
use super::tasks::index_of;
use crate::bindings::traps::{self, Outcome};

/// How a trap ended: the outcome, and its value.
pub(crate) type Ended = (Outcome, u64);

/// All slots. The first one is not used, since a cookie is never 0.
pub(crate) struct Slots {
    entries: RefCell<Entries>,
    /// By a task's index: how many of its futures wait in a trap.
    traps: RefCell<Vec<u32>>,
}

struct Entries {
    slots: Vec<Slot>,
    /// The first free slot, or 0.
    free: u32,
    /// The slots that are abandoned, and their tasks.
    abandoned: Vec<(u64, u32)>,
}

enum Slot {
    /// Nobody's; the next free slot, or 0.
    Free(u32),
    /// A future waits, behind this waker if it is not its task's own.
    Waiting(Option<Waker>),
    /// It has ended; the future has not looked yet.
    Ended(Ended),
    /// The future was dropped when the trap had ended, but the resumption had not come.
    Abandoned {
        /// The innermost timeout block it was made in.
        scope: u64,
        /// Where it is in the list of those.
        place: u32,
    },
}

impl Slots {
    pub(super) const fn new() -> Self {
        let entries = Entries {
            slots: Vec::new(),
            free: 0,
            abandoned: Vec::new(),
        };
        Self {
            entries: RefCell::new(entries),
            traps: RefCell::new(Vec::new()),
        }
    }

    /// Notes that one more future of a task waits in a trap.
    pub(crate) fn enter(&self, task: u64) {
        let index = index_of(task) as usize;
        let mut traps = self.traps.borrow_mut();
        if traps.len() <= index {
            traps.resize(index + 1, 0);
        }
        traps[index] += 1;
    }

    /// Notes that one less does.
    pub(crate) fn leave(&self, task: u64) {
        if let Some(traps) = self.traps.borrow_mut().get_mut(index_of(task) as usize) {
            *traps = traps.saturating_sub(1);
        }
    }

    /// Whether some future of a task waits in a trap.
    pub(crate) fn holds(&self, task: u64) -> bool {
        let traps = self.traps.borrow();
        traps.get(index_of(task) as usize).is_some_and(|n| *n > 0)
    }

    /// Takes a slot for a future of this task.
    pub(crate) fn take(&self, task: u64, cx: &Context<'_>) -> u32 {
        self.take_for(foreign_waker(task, cx))
    }

    /// Takes a slot for a future behind this waker, if it is not its task's own.
    pub(super) fn take_for(&self, waker: Option<Waker>) -> u32 {
        let slot = Slot::Waiting(waker);
        let entries = &mut *self.entries.borrow_mut();
        let cookie = entries.free;
        if cookie == 0 {
            if entries.slots.is_empty() {
                entries.slots.push(Slot::Free(0));
            }
            entries.slots.push(slot);
            return index_of((entries.slots.len() - 1) as u64);
        }
        if let Slot::Free(next) = std::mem::replace(&mut entries.slots[cookie as usize], slot) {
            entries.free = next;
        }
        cookie
    }

    /// Gives a slot back if its trap has ended, and says how; otherwise notes who waits now.
    pub(crate) fn poll(&self, cookie: u32, task: u64, cx: &Context<'_>) -> Option<Ended> {
        let mut entries = self.entries.borrow_mut();
        match &mut entries.slots[cookie as usize] {
            Slot::Ended(ended) => {
                let ended = *ended;
                entries.free(cookie);
                Some(ended)
            }
            Slot::Waiting(waker) => {
                // A future may have moved behind another waker since it last looked.
                match waker {
                    Some(waker) if waker.will_wake(cx.waker()) => {}
                    _ => *waker = foreign_waker(task, cx),
                }
                None
            }
            Slot::Free(_) | Slot::Abandoned { .. } => None,
        }
    }

    /// Gives back the slot of a trap whose future is dropped. One that is known to have ended may have the token 0.
    pub(crate) fn abandon(&self, cookie: u32, token: u64, task: u64, scope: u64) {
        let mut entries = self.entries.borrow_mut();
        if let Slot::Ended((outcome, _)) = entries.slots[cookie as usize] {
            entries.free(cookie);
            redeliver(task, scope, outcome);
        } else if token != 0 && traps::withdraw(token) {
            entries.free(cookie);
        } else {
            let place = index_of(entries.abandoned.len() as u64);
            entries.abandoned.push((task, cookie));
            entries.slots[cookie as usize] = Slot::Abandoned { scope, place };
        }
    }

    /// Gives back the abandoned slots of a task that has ended: the kernel has forgotten its resumptions.
    /// `comes` tells those apart that are still to come in this pass.
    pub(super) fn forget(&self, task: u64, comes: impl Fn(u32) -> bool) {
        if let Some(traps) = self.traps.borrow_mut().get_mut(index_of(task) as usize) {
            *traps = 0;
        }
        let mut entries = self.entries.borrow_mut();
        let mut place = 0;
        while let Some((of, cookie)) = entries.abandoned.get(place).copied() {
            if of == task && !comes(cookie) {
                entries.settle(place);
                entries.free(cookie);
            } else {
                place += 1;
            }
        }
    }

    /// Gives back a slot that nothing is on its way to. That is so if a trap was withdrawn, and if a timeout
    /// block closes: it is only told of its expiry while its task is blocked, and looks right then.
    pub(crate) fn give_back(&self, cookie: u32) {
        self.entries.borrow_mut().free(cookie);
    }

    /// Notes how a trap ended, or that a timeout block is to give up.
    pub(super) fn end(&self, resumption: &Resumption) {
        let cookie = resumption.cookie;
        let ended = Slot::Ended((resumption.outcome, resumption.value));
        let before = {
            let mut entries = self.entries.borrow_mut();
            let Some(slot) = entries.slots.get_mut(cookie as usize) else {
                return;
            };
            match slot {
                Slot::Waiting(_) => std::mem::replace(slot, ended),
                Slot::Abandoned { scope, place } => {
                    let (scope, place) = (*scope, *place);
                    entries.settle(place as usize);
                    entries.free(cookie);
                    Slot::Abandoned { scope, place }
                }
                Slot::Free(_) | Slot::Ended(_) => return,
            }
        };
        match before {
            Slot::Waiting(Some(waker)) => waker.wake(),
            // A result is lost with the future that wanted it, an interruption must not be.
            Slot::Abandoned { scope, .. } => {
                redeliver(resumption.task, scope, resumption.outcome);
            }
            _ => {}
        }
    }
}

impl Entries {
    fn free(&mut self, cookie: u32) {
        self.slots[cookie as usize] = Slot::Free(self.free);
        self.free = cookie;
    }

    /// Takes a slot out of the list of those that are abandoned.
    fn settle(&mut self, at: usize) {
        self.abandoned.swap_remove(at);
        if let Some((_, moved)) = self.abandoned.get(at)
            && let Slot::Abandoned { place, .. } = &mut self.slots[*moved as usize]
        {
            *place = index_of(at as u64);
        }
    }
}

fn redeliver(task: u64, scope: u64, outcome: Outcome) {
    super::with(|runtime| runtime.pass.note_asked());
    match outcome {
        Outcome::Cancelled => traps::redeliver_cancel(task),
        Outcome::TimedOut => traps::redeliver_timeout(scope),
        _ => {}
    }
}

/// The waker to wake when a trap ends, unless polling its task is enough.
pub(super) fn foreign_waker(task: u64, cx: &Context<'_>) -> Option<Waker> {
    let waker = cx.waker();
    (!waker.will_wake(&task_waker(index_of(task)))).then(|| waker.clone())
}
