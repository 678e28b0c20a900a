//! Passes: who runs now, and who next.
//!
//! The kernel says who may go on. Those that only yielded, or were woken by another task, may go on anyway, and are
//! kept here: the kernel is told how many they are, so that it does not wait, but not who, which makes a switch
//! between them cheap. In a pass the kernel's run first, then those that were here when it began. Inside a
//! timeout block a yield is a trap like any other, since whether the block has expired is for the kernel to say.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Waker};

use super::resumption::{self, Resumption};
use super::slots::foreign_waker;
use crate::bindings::traps::{self, Outcome};

/// Who runs in this pass, and who in the next.
pub(crate) struct Pass {
    /// The kernel's, as it gave them, and how many of the numbers were taken.
    parts: RefCell<(Vec<u64>, usize)>,
    /// The guest's own, in order.
    own: RefCell<VecDeque<Own>>,
    /// How many of these are for this pass.
    own_left: Cell<usize>,
    /// How many were ever taken out.
    turns: Cell<u64>,
    /// Tasks that have ended since the kernel was last told.
    ended: RefCell<Vec<u64>>,
    /// Whether the kernel was asked for something since the pass began that may have readied a task.
    asked: Cell<bool>,
    /// How many were resumed since the kernel last had a say.
    resumed: Cell<usize>,
}

/// As long as the guest readies tasks by itself, the kernel has a say after so many resumptions: it may have
/// to look after I/O and timers.
const RESUMPTIONS_PER_WAIT: usize = 64;

/// A task that may go on without the kernel's saying so.
struct Own {
    task: u64,
    /// The waker of what yielded, unless polling the task is enough.
    waker: Option<Waker>,
}

/// A task that may go on.
pub(super) enum Next {
    /// The kernel says so.
    Told(Resumption),
    /// It yielded or was woken by another.
    Own(u64, Option<Waker>),
}

impl Pass {
    pub(super) const fn new() -> Self {
        Self {
            parts: RefCell::new((Vec::new(), 0)),
            own: RefCell::new(VecDeque::new()),
            own_left: Cell::new(0),
            turns: Cell::new(0),
            ended: RefCell::new(Vec::new()),
            asked: Cell::new(false),
            resumed: Cell::new(0),
        }
    }

    /// Begins a pass: waits until somebody may go on.
    pub(super) fn begin(&self) {
        let own = self.own.borrow().len();
        self.own_left.set(own);
        let mut ended = self.ended.borrow_mut();
        let resumed = self.resumed.get() + own;
        let asked = self.asked.replace(false);
        let only_own = own > 0 && !asked;
        if only_own && resumed <= RESUMPTIONS_PER_WAIT {
            self.resumed.set(resumed);
            return;
        }
        self.resumed.set(own);
        let ready = u32::try_from(own).unwrap_or(u32::MAX);
        self.parts.replace((traps::wait(ready, &ended), 0));
        ended.clear();
    }

    /// The next one to resume in this pass.
    pub(super) fn next(&self) -> Option<Next> {
        {
            let (parts, taken) = &mut *self.parts.borrow_mut();
            if let Some(resumption) = resumption::first(&parts[*taken..]) {
                *taken += resumption::PARTS;
                return Some(Next::Told(resumption));
            }
        }
        let left = self.own_left.get().checked_sub(1)?;
        self.own_left.set(left);
        self.turns.set(self.turns.get() + 1);
        let Own { task, waker } = self.own.borrow_mut().pop_front()?;
        Some(Next::Own(task, waker))
    }

    /// Why a task will be resumed in this pass or the next, if that is certain already.
    pub(crate) fn upcoming(&self, task: u64) -> Option<Outcome> {
        let (parts, taken) = &*self.parts.borrow();
        let mut coming = resumption::all(&parts[*taken..]);
        if let Some(resumption) = coming.find(|next| next.task == task) {
            return Some(resumption.outcome);
        }
        self.is_ready(task).then_some(Outcome::Done)
    }

    /// Whether the trap with this cookie is told in this pass how it ended.
    pub(crate) fn comes(&self, cookie: u32) -> bool {
        let (parts, taken) = &*self.parts.borrow();
        resumption::all(&parts[*taken..]).any(|next| next.cookie == cookie)
    }

    /// Notes that the kernel is asked for something that may ready a task.
    pub(crate) fn note_asked(&self) {
        self.asked.set(true);
    }

    /// Notes that a task yields, and says what its turn is.
    pub(crate) fn push_yielded(&self, task: u64, cx: &Context<'_>) -> u64 {
        let mut own = self.own.borrow_mut();
        let waker = foreign_waker(task, cx);
        own.push_back(Own { task, waker });
        self.turns.get() + own.len() as u64
    }

    /// Whether a turn has come. Otherwise notes who waits for it now.
    pub(crate) fn poll_turn(&self, turn: u64, task: u64, cx: &Context<'_>) -> bool {
        let Some(ahead) = turn.checked_sub(self.turns.get() + 1) else {
            return true;
        };
        let place = usize::try_from(ahead).unwrap_or(usize::MAX);
        if let Some(own) = self.own.borrow_mut().get_mut(place) {
            *own = Own {
                task,
                waker: foreign_waker(task, cx),
            };
        }
        false
    }

    /// Notes that a task was woken by another.
    pub(crate) fn push_woken(&self, task: u64) {
        self.own.borrow_mut().push_back(Own { task, waker: None });
    }

    /// Whether a task may go on without the kernel's saying so.
    pub(super) fn is_ready(&self, task: u64) -> bool {
        self.own.borrow().iter().any(|own| own.task == task)
    }

    /// Notes that a task has ended. The kernel is told with the next pass.
    pub(super) fn push_ended(&self, task: u64) {
        self.ended.borrow_mut().push(task);
    }

    /// Tells the kernel now which tasks have ended. Returns false if none has.
    pub(crate) fn tell_ended(&self) -> bool {
        let mut ended = self.ended.borrow_mut();
        for task in ended.iter() {
            traps::exit(*task);
        }
        let told = !ended.is_empty();
        ended.clear();
        told
    }
}
