//! Passes: who runs now, and who next.
//!
//! The kernel says who may go on. Those that only yielded may go on anyway, and are kept here: the kernel is told
//! how many they are, so that it does not wait, but not who, which makes a yield cheap. In a pass
//! the kernel's run first, then those that had yielded when it began. Inside a timeout block a yield is a trap like
//! any other, since whether the block has expired is for the kernel to say.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::resumption::{self, Resumption};
use crate::bindings::traps::{self, Outcome};

/// Who runs in this pass, and who in the next.
pub(crate) struct Pass {
    /// The kernel's, as it gave them, and how many of the numbers were taken.
    parts: RefCell<(Vec<u64>, usize)>,
    /// Those that yielded, in order.
    yielded: RefCell<VecDeque<Yielded>>,
    /// How many of these are for this pass.
    yielded_before: Cell<usize>,
    /// Tasks that have ended since the kernel was last told.
    ended: RefCell<Vec<u64>>,
    /// Whether the kernel was asked for something since the pass began that may have readied a task.
    asked: Cell<bool>,
    /// How many were resumed since the kernel last had a say.
    resumed: Cell<usize>,
}

/// As long as tasks do nothing but yield, the kernel has a say after so many resumptions: it may have to
/// look after I/O and timers.
const RESUMPTIONS_PER_WAIT: usize = 64;

/// A task that yielded, or was woken by another.
#[derive(Clone, Copy)]
struct Yielded {
    /// The task; 0 if it was interrupted instead.
    task: u64,
    /// The slot of the future that waits; 0 if it was woken.
    cookie: u32,
}

impl Pass {
    pub(super) const fn new() -> Self {
        Self {
            parts: RefCell::new((Vec::new(), 0)),
            yielded: RefCell::new(VecDeque::new()),
            yielded_before: Cell::new(0),
            ended: RefCell::new(Vec::new()),
            asked: Cell::new(false),
            resumed: Cell::new(0),
        }
    }

    /// Begins a pass: waits until somebody may go on.
    pub(super) fn begin(&self) {
        let yielded = self.yielded.borrow().len();
        self.yielded_before.set(yielded);
        let mut ended = self.ended.borrow_mut();
        let resumed = self.resumed.get() + yielded;
        let asked = self.asked.replace(false);
        let only_yields = yielded > 0 && ended.is_empty() && !asked;
        if only_yields && resumed <= RESUMPTIONS_PER_WAIT {
            self.resumed.set(resumed);
            return;
        }
        self.resumed.set(yielded);
        let ready = u32::try_from(yielded).unwrap_or(u32::MAX);
        self.parts.replace((traps::wait(ready, &ended), 0));
        ended.clear();
    }

    /// The next one to resume in this pass.
    pub(super) fn next(&self) -> Option<Resumption> {
        {
            let (parts, taken) = &mut *self.parts.borrow_mut();
            if let Some(resumption) = resumption::first(&parts[*taken..]) {
                *taken += resumption::PARTS;
                return Some(resumption);
            }
        }
        let mut yielded = self.yielded.borrow_mut();
        while self.yielded_before.get() > 0 {
            self.yielded_before.set(self.yielded_before.get() - 1);
            if let Some(next) = yielded.pop_front()
                && next.task != 0
            {
                return Some(Resumption {
                    task: next.task,
                    cookie: next.cookie,
                    outcome: if next.cookie == 0 {
                        Outcome::Woken
                    } else {
                        Outcome::Done
                    },
                    value: 0,
                });
            }
        }
        None
    }

    /// Why a task will be resumed in this pass or the next, if that is certain already.
    pub(crate) fn upcoming(&self, task: u64) -> Option<Outcome> {
        let (parts, taken) = &*self.parts.borrow();
        let mut coming = resumption::all(&parts[*taken..]);
        if let Some(resumption) = coming.find(|next| next.task == task) {
            return Some(resumption.outcome);
        }
        let yielded = self.yielded.borrow();
        let found = yielded.iter().any(|next| next.task == task);
        found.then_some(Outcome::Done)
    }

    /// Whether the trap with this cookie is told in this pass or the next how it ended.
    pub(crate) fn comes(&self, cookie: u32) -> bool {
        let (parts, taken) = &*self.parts.borrow();
        resumption::all(&parts[*taken..]).any(|next| next.cookie == cookie)
            || self
                .yielded
                .borrow()
                .iter()
                .any(|next| next.task != 0 && next.cookie == cookie)
    }

    /// Notes that the kernel is asked for something that may ready a task.
    pub(crate) fn note_asked(&self) {
        self.asked.set(true);
    }

    /// Notes that a task yields.
    pub(crate) fn push_yielded(&self, task: u64, cookie: u32) {
        let next = Yielded { task, cookie };
        self.yielded.borrow_mut().push_back(next);
    }

    /// Notes that a task was woken by another.
    pub(crate) fn push_woken(&self, task: u64) {
        self.push_yielded(task, 0);
    }

    /// Whether a task was woken by another, and has not gone on yet.
    pub(super) fn is_woken(&self, task: u64) -> bool {
        let yielded = self.yielded.borrow();
        yielded
            .iter()
            .any(|next| next.task == task && next.cookie == 0)
    }

    /// Takes a task's yield out of the queue, to be interrupted: its cookie.
    pub(super) fn take_yielded(&self, task: u64) -> Option<u32> {
        let mut yielded = self.yielded.borrow_mut();
        let found = (yielded.iter_mut()).find(|next| next.task == task && next.cookie != 0)?;
        found.task = 0;
        Some(found.cookie)
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
