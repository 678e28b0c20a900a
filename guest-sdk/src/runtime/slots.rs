//! The traps that futures wait for, and the timeout blocks they are in, by the index that is
//! part of a trap's token or a block's number.
//!
//! How a trap ended is put into its slot before its task is polled; the future that waits takes it out. If that
//! future is behind a waker of its own, as in `FuturesUnordered`, that waker is woken.

use std::cell::RefCell;
use std::task::{Context, Waker};

use super::task_waker;
use super::tasks::index_of;
use crate::bindings::traps::{self, Caller, Outcome, Resumption};

/// How a trap ended: the outcome, and its value.
pub(crate) type Ended = (Outcome, u64);

/// All pending traps and open timeout blocks.
#[derive(Default)]
pub(crate) struct Slots {
    traps: RefCell<Vec<Slot>>,
    scopes: RefCell<Vec<Slot>>,
    /// Traps that had ended when their futures were dropped, but whose resumption had not come yet.
    abandoned: RefCell<Vec<(u64, u64)>>,
}

struct Slot {
    /// The trap's token, or the block's number; 0 if the slot is free.
    number: u64,
    /// The innermost timeout block it was made in.
    scope: u64,
    /// For a block, its deadline.
    deadline: u64,
    state: SlotState,
}

enum SlotState {
    /// Somebody waits, behind this waker if it is not the task's own.
    Waiting(Option<Waker>),
    /// It has ended; nobody has looked yet.
    Ended(Ended),
}

/// A timeout block, as its inner ones need to know it.
pub(crate) struct Block {
    /// The block around it, or 0.
    pub(crate) parent: u64,
    /// When it expires.
    pub(crate) deadline: u64,
}

impl Slots {
    /// Notes that a future waits for a trap.
    pub(crate) fn begin(&self, token: u64, by: Caller, cx: &Context<'_>) {
        let waker = foreign_waker(by.task, cx);
        put(
            &mut self.traps.borrow_mut(),
            Slot {
                number: token,
                scope: by.scope,
                deadline: 0,
                state: SlotState::Waiting(waker),
            },
        );
    }

    /// Takes how a trap ended, or notes who waits for it now.
    pub(crate) fn take(&self, token: u64, task: u64, cx: &Context<'_>) -> Option<Ended> {
        take(&mut self.traps.borrow_mut(), token, task, cx)
    }

    /// Notes how a trap ended.
    pub(super) fn end(&self, resumption: &Resumption) {
        let ended = (resumption.outcome, resumption.value);
        if finish(&self.traps, resumption.token, ended) {
            return;
        }
        // Its future was dropped on the way. A result is lost with it, an interruption must not be.
        let mut abandoned = self.abandoned.borrow_mut();
        let position = abandoned
            .iter()
            .position(|(token, _)| *token == resumption.token);
        if let Some(position) = position {
            let (_, scope) = abandoned.swap_remove(position);
            redeliver(resumption.task, scope, resumption.outcome);
        }
    }

    /// Forgets a trap whose future is dropped.
    pub(crate) fn abandon(&self, token: u64, task: u64) {
        let Some(slot) = remove(&mut self.traps.borrow_mut(), token) else {
            return;
        };
        match slot.state {
            SlotState::Ended((outcome, _)) => redeliver(task, slot.scope, outcome),
            SlotState::Waiting(_) => {
                if !traps::withdraw(token) {
                    self.abandoned.borrow_mut().push((token, slot.scope));
                }
            }
        }
    }

    /// Notes an open timeout block.
    pub(crate) fn open_scope(&self, scope: u64, by: Caller, deadline: u64) {
        put(
            &mut self.scopes.borrow_mut(),
            Slot {
                number: scope,
                scope: by.scope,
                deadline,
                state: SlotState::Waiting(None),
            },
        );
    }

    /// Whether a timeout block is to give up because nothing in it could be told.
    pub(crate) fn take_expiry(&self, scope: u64, task: u64, cx: &Context<'_>) -> bool {
        take(&mut self.scopes.borrow_mut(), scope, task, cx).is_some()
    }

    /// Forgets a timeout block.
    pub(crate) fn close_scope(&self, scope: u64) {
        remove(&mut self.scopes.borrow_mut(), scope);
    }

    /// An open timeout block; none for 0.
    pub(crate) fn block(&self, scope: u64) -> Option<Block> {
        if scope == 0 {
            return None;
        }
        let scopes = self.scopes.borrow();
        let slot = scopes.get(index_of(scope) as usize)?;
        (slot.number == scope).then_some(Block {
            parent: slot.scope,
            deadline: slot.deadline,
        })
    }

    /// Notes that a timeout block is to give up.
    pub(super) fn expire_scope(&self, scope: u64, at: u64) {
        finish(&self.scopes, scope, (Outcome::TimedOut, at));
    }
}

fn redeliver(task: u64, scope: u64, outcome: Outcome) {
    match outcome {
        Outcome::Cancelled => traps::redeliver_cancel(task),
        Outcome::TimedOut => traps::redeliver_timeout(scope),
        _ => {}
    }
}

/// The waker to wake when a trap ends, unless polling its task is enough.
fn foreign_waker(task: u64, cx: &Context<'_>) -> Option<Waker> {
    let waker = cx.waker();
    (!waker.will_wake(&task_waker(index_of(task)))).then(|| waker.clone())
}

fn put(slots: &mut Vec<Slot>, slot: Slot) {
    let index = index_of(slot.number) as usize;
    if slots.len() <= index {
        slots.resize_with(index + 1, || Slot {
            number: 0,
            scope: 0,
            deadline: 0,
            state: SlotState::Waiting(None),
        });
    }
    slots[index] = slot;
}

fn get(slots: &mut [Slot], number: u64) -> Option<&mut Slot> {
    let slot = slots.get_mut(index_of(number) as usize)?;
    (slot.number == number).then_some(slot)
}

fn remove(slots: &mut [Slot], number: u64) -> Option<Slot> {
    let slot = get(slots, number)?;
    Some(std::mem::replace(
        slot,
        Slot {
            number: 0,
            scope: 0,
            deadline: 0,
            state: SlotState::Waiting(None),
        },
    ))
}

fn take(slots: &mut [Slot], number: u64, task: u64, cx: &Context<'_>) -> Option<Ended> {
    let slot = get(slots, number)?;
    match &mut slot.state {
        SlotState::Ended(ended) => {
            let ended = *ended;
            remove(slots, number);
            Some(ended)
        }
        SlotState::Waiting(waker) => {
            // A future may have moved behind another waker since it last looked.
            match waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                _ => *waker = foreign_waker(task, cx),
            }
            None
        }
    }
}

fn finish(slots: &RefCell<Vec<Slot>>, number: u64, ended: Ended) -> bool {
    let waker = {
        let mut slots = slots.borrow_mut();
        let Some(slot) = get(&mut slots, number) else {
            return false;
        };
        match std::mem::replace(&mut slot.state, SlotState::Ended(ended)) {
            SlotState::Waiting(waker) => waker,
            SlotState::Ended(_) => None,
        }
    };
    if let Some(waker) = waker {
        waker.wake();
    }
    true
}
