//! Passes: who runs now, and who next.
//!
//! A pass runs the tasks that were ready when it began: those that were woken by others, or only gave them a turn,
//! and then those of whose traps the kernel says that they have ended. As long as there are others, the
//! kernel is not asked in every pass, which makes a switch between them cheap.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Waker};

use super::Runtime;
use super::waiting::{End, foreign_waker};
use crate::bindings::traps;
use crate::time::Instant;

/// As long as there are ready tasks, the kernel has a say after so many resumptions: it may have to look after
/// I/O and timers.
const RESUMPTIONS_PER_WAIT: usize = 64;

/// Who runs in this pass, and who in the next.
pub(crate) struct Pass {
    /// Those that may go on, in order.
    ready: RefCell<VecDeque<Ready>>,
    /// How many of these are for this pass.
    left: Cell<usize>,
    /// How many were ever taken out.
    turns: Cell<u64>,
    /// Tasks that have ended since the kernel was last told.
    ended: RefCell<Vec<u64>>,
    /// How many were resumed since the kernel last had a say.
    resumed: Cell<usize>,
    /// How many passes there were.
    count: Cell<u64>,
}

/// A task that may go on.
pub(super) struct Ready {
    pub(super) task: u64,
    /// The waker of the future that may go on, unless polling the task is enough.
    pub(super) waker: Option<Waker>,
}

impl Pass {
    pub(super) const fn new() -> Self {
        Self {
            ready: RefCell::new(VecDeque::new()),
            left: Cell::new(0),
            turns: Cell::new(0),
            ended: RefCell::new(Vec::new()),
            resumed: Cell::new(0),
            count: Cell::new(0),
        }
    }

    /// Begins a pass: asks the kernel, if it has to have a say, and waits for it if nobody is ready.
    pub(super) fn begin(&self, runtime: &Runtime) {
        let ready = self.ready.borrow().len();
        let resumed = self.resumed.get() + ready;
        if ready > 0 && resumed <= RESUMPTIONS_PER_WAIT {
            self.resumed.set(resumed);
        } else {
            self.resumed.set(ready);
            let count = u32::try_from(ready).unwrap_or(u32::MAX);
            let until = runtime.waiting.next_deadline();
            let parts = {
                let mut ended = self.ended.borrow_mut();
                let parts = traps::wait(count, &ended, until.as_nanos());
                ended.clear();
                parts
            };
            runtime.take_parts(&parts);
        }
        self.left.set(self.ready.borrow().len());
    }

    /// Ends a pass, or one in which tasks were dropped.
    pub(super) fn end(&self) {
        self.count.set(self.count.get() + 1);
    }

    /// How many passes have ended.
    pub(crate) fn count(&self) -> u64 {
        self.count.get()
    }

    /// The next one to resume in this pass.
    pub(super) fn next(&self) -> Option<Ready> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        self.turns.set(self.turns.get() + 1);
        self.ready.borrow_mut().pop_front()
    }

    /// Readies a task, unless it is ready already or has ended.
    #[inline]
    pub(crate) fn push_task(&self, runtime: &Runtime, task: u64) {
        if runtime.tasks.note_woken(task) {
            self.ready
                .borrow_mut()
                .push_back(Ready { task, waker: None });
        }
    }

    /// Readies a future of a task, which is behind this waker.
    pub(crate) fn push_waker(&self, runtime: &Runtime, task: u64, waker: Waker) {
        runtime.tasks.note_queued(task);
        let waker = Some(waker);
        self.ready.borrow_mut().push_back(Ready { task, waker });
    }

    /// Notes that a task gives others a turn, and says what its own turn is.
    pub(crate) fn push_yielded(&self, runtime: &Runtime, task: u64, cx: &Context<'_>) -> u64 {
        runtime.tasks.note_queued(task);
        let mut ready = self.ready.borrow_mut();
        let waker = foreign_waker(task, cx);
        ready.push_back(Ready { task, waker });
        self.turns.get() + ready.len() as u64
    }

    /// Whether a turn has come. Otherwise notes who waits for it now.
    pub(crate) fn poll_turn(
        &self,
        runtime: &Runtime,
        turn: u64,
        task: u64,
        cx: &Context<'_>,
    ) -> bool {
        let Some(ahead) = turn.checked_sub(self.turns.get() + 1) else {
            return true;
        };
        let place = usize::try_from(ahead).unwrap_or(usize::MAX);
        if let Some(ready) = self.ready.borrow_mut().get_mut(place) {
            runtime.tasks.note_dequeued(ready.task);
            runtime.tasks.note_queued(task);
            let waker = foreign_waker(task, cx);
            *ready = Ready { task, waker };
        }
        false
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

/// How many numbers a resumption is: see `pass-part` in `wit/traps.wit`.
const PARTS: usize = 3;

const DONE: u64 = traps::Outcome::Done as u64;
const BUSY: u64 = traps::Outcome::Busy as u64;
const CLOSED: u64 = traps::Outcome::Closed as u64;
const INVALID_STATE: u64 = traps::Outcome::InvalidState as u64;

impl Runtime {
    /// Takes what the kernel says at the beginning of a pass.
    fn take_parts(&self, parts: &[u64]) {
        let Some((now, resumptions)) = parts.split_first() else {
            return;
        };
        self.waiting.set_now(Instant::from_nanos(*now));
        let (resumptions, _) = resumptions.as_chunks::<PARTS>();
        for &[cookie, outcome, value] in resumptions {
            let end = match outcome {
                DONE => End::Done(value),
                BUSY => End::Busy,
                CLOSED => End::Closed,
                INVALID_STATE => End::InvalidState,
                _ => {
                    self.cancel_main();
                    continue;
                }
            };
            self.waiting.end(self, cookie, end);
        }
        // After these: what has come in time is not late.
        self.waiting.expire(self);
    }
}
