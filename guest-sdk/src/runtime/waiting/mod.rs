//! What the futures of tasks wait for, and how that ends: with what they waited for, or interrupted.
//!
//! - `table`: all of that, and a wait's life
//! - `wait`: what one future waits for, and the lists such a wait is in
//! - `lines`: lines of waiting tasks
//! - `blocks`: timeout blocks and shields
//! - `interruption`: cancellation and timeouts, and how they reach a task; `undelivered`: if they can't
//!
//! Tasks that wait for something of the program's own, a lock, an item, another task, stand in a line, and
//! are woken without a word to the kernel, which makes that cheap. What they wait for outside, the kernel
//! knows, by a trap.

mod blocks;
mod interruption;
mod lines;
mod table;
mod undelivered;
mod wait;

use std::cell::RefCell;
use std::task::{Context, Waker};

pub(crate) use self::blocks::BlockKey;
pub(crate) use self::lines::Line;
use self::lines::LineKey;
use self::table::{OfTask, Table};
pub(super) use self::wait::End;
pub(crate) use self::wait::{Looked, WaitKey};
use self::wait::{State, What};
use super::tasks::index_of;
use super::{Runtime, task_waker};
use crate::bindings::traps::{self as kernel, Caller};
use crate::error::Result;
use crate::time::Instant;

/// A task that runs, and where in its code it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Running {
    /// The task; 0 if none runs.
    pub(crate) task: u64,
    /// The innermost block that it is in.
    pub(crate) block: Option<BlockKey>,
    /// Whether a shield is among the blocks that it is in.
    pub(crate) shielded: bool,
}

impl Running {
    /// A task that is in no block.
    pub(crate) const fn in_no_block(task: u64) -> Self {
        Self {
            task,
            block: None,
            shielded: false,
        }
    }
}

/// What the futures of tasks wait for.
pub(crate) struct Waiting {
    table: RefCell<Table>,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self {
            table: RefCell::new(Table::new()),
        }
    }

    /// How many waits, blocks and lines there are.
    pub(crate) fn len(&self) -> usize {
        let table = self.table.borrow();
        table.waits.len() + table.blocks.len() + table.lines.len()
    }

    /// Notes what time it is.
    pub(crate) fn set_now(&self, now: Instant) {
        self.table.borrow_mut().now = now;
    }

    /// Begins to wait in a line.
    ///
    /// # Errors
    /// If the task was interrupted.
    pub(crate) fn stand(
        &self,
        runtime: &Runtime,
        line: &Line,
        reason: &'static str,
        cx: &Context<'_>,
    ) -> Result<WaitKey> {
        let by = runtime.running();
        let table = &mut *self.table.borrow_mut();
        table.take_interruption(by)?;
        let of_line = line.key.get().unwrap_or_else(|| {
            let of_line = table.lines.open();
            line.key.set(Some(of_line));
            of_line
        });
        let key = table.begin(by, What::Line(of_line, reason), cx);
        table.lines.stand(&mut table.waits, of_line, key);
        Ok(key)
    }

    /// Begins to wait for what the kernel knows: makes a trap.
    ///
    /// # Errors
    /// If the task was interrupted.
    pub(crate) fn trap(
        &self,
        runtime: &Runtime,
        make: impl FnOnce(Caller) -> u64,
        cx: &Context<'_>,
    ) -> Result<WaitKey> {
        let by = runtime.running();
        let table = &mut *self.table.borrow_mut();
        table.take_interruption(by)?;
        let key = table.begin(by, What::Lost, cx);
        let cookie = table.waits.cookie(key);
        let task = by.task;
        table.waits[key].what = What::Trap(make(Caller { task, cookie }));
        Ok(key)
    }

    /// A wait as its future finds it.
    pub(crate) fn look(&self, runtime: &Runtime, key: WaitKey, cx: &Context<'_>) -> Looked {
        self.table.borrow_mut().look(runtime, key, cx)
    }

    /// Whether a wait has ended as timed out, and nobody has looked at it.
    pub(crate) fn has_timed_out(&self, key: WaitKey) -> bool {
        let table = self.table.borrow();
        matches!(table.waits[key].state, State::Ended(End::TimedOut(_)))
    }

    /// Gives up a wait. Returns whether it had ended with what was waited for.
    pub(crate) fn give_up(&self, key: WaitKey) -> bool {
        self.table.borrow_mut().give_up(key)
    }

    /// Wakes the first one in a line. Returns false if there is none.
    pub(crate) fn wake_first(&self, runtime: &Runtime, line: &Line) -> bool {
        let Some(of_line) = line.key.get() else {
            return false;
        };
        let table = &mut *self.table.borrow_mut();
        let Some(key) = table.lines.first(of_line) else {
            return false;
        };
        table.end(key, End::Done(0)).ready(runtime);
        true
    }

    fn line_len(&self, line: LineKey) -> usize {
        self.table.borrow().lines.len_of(line)
    }

    fn close_line(&self, line: LineKey) {
        let table = &mut *self.table.borrow_mut();
        table.lines.close(&mut table.waits, line);
    }

    /// A trap has ended, says the kernel.
    pub(super) fn end(&self, runtime: &Runtime, cookie: u64, end: End) {
        let table = &mut *self.table.borrow_mut();
        if let Some(key) = table.waits.by_cookie(cookie) {
            table.end(key, end).ready(runtime);
        }
    }

    /// What a task waits for; nothing if that is a future that is none of this crate's.
    pub(crate) fn waits_for(&self, task: u64) -> Option<WaitsFor> {
        let table = &mut *self.table.borrow_mut();
        let key = table.of_task(task).waits.first?;
        Some(match table.waits[key].what {
            What::Line(_, reason) => WaitsFor::Line(reason),
            What::Trap(_) | What::Lost => WaitsFor::Trap,
        })
    }

    /// Lets go of a task that has ended. If futures that it waited in have gone to other tasks, these find it out.
    pub(super) fn forget(&self, task: u64) {
        let table = &mut *self.table.borrow_mut();
        while let Some(key) = table.of_task(task).waits.first {
            if let (State::Pending, What::Trap(token)) =
                (table.waits[key].state, table.waits[key].what)
            {
                if kernel::withdraw(token) {
                    table.waits[key].what = What::Lost;
                } else {
                    table.waits[key].state = State::Coming;
                }
            }
            table.unlink(key);
        }
        *table.of_task(task) = OfTask::default();
    }
}

/// What a task waits for.
pub(crate) enum WaitsFor {
    /// Being woken by another task, for this reason.
    Line(&'static str),
    /// Something that the kernel knows.
    Trap,
}

/// The waker to wake when a wait ends, unless polling its task is enough.
pub(super) fn foreign_waker(task: u64, cx: &Context<'_>) -> Option<Waker> {
    let waker = cx.waker();
    (!waker.will_wake(&task_waker(index_of(task)))).then(|| waker.clone())
}
