//! What the futures of tasks wait for, and how that ends: with what they waited for, or interrupted.
//!
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
mod undelivered;
mod wait;

use std::cell::RefCell;
use std::task::{Context, Waker};

pub(crate) use self::blocks::BlockKey;
use self::blocks::Blocks;
pub(crate) use self::lines::Line;
use self::lines::{LineKey, Lines};
use self::undelivered::Undelivered;
pub(super) use self::wait::End;
use self::wait::{Ends, Kind, State, Waits, What};
pub(crate) use self::wait::{Looked, WaitKey};
use super::tasks::index_of;
use super::{Runtime, task_waker};
use crate::bindings::traps::{self as kernel, Caller};
use crate::error::{Error, Result, TimedOut};
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

struct Table {
    waits: Waits,
    lines: Lines,
    blocks: Blocks,
    tasks: OfTasks,
    /// Interruptions that nobody could be told of.
    undelivered: Vec<Undelivered>,
    /// The time, as far as is known without asking.
    now: Instant,
}

/// What belongs to tasks, by their index.
struct OfTasks(Vec<OfTask>);

/// What belongs to a task.
#[derive(Default)]
struct OfTask {
    waits: Ends,
    /// Whether its cancellation was requested.
    cancelled: bool,
    /// What it is to be interrupted with.
    pending: Option<Error>,
    /// How many waits have ended so, and have not been looked at.
    told: u32,
    /// Blocks with a smaller number don't fire: they were open when it was cancelled.
    disarmed_before: u64,
    /// Whether its interruption is among those that nobody could be told of.
    listed: bool,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self {
            table: RefCell::new(Table {
                waits: Waits::new(),
                lines: Lines::new(),
                blocks: Blocks::new(),
                tasks: OfTasks(Vec::new()),
                undelivered: Vec::new(),
                now: Instant::from_nanos(0),
            }),
        }
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
        self.table.borrow().lines.len(line)
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

/// A task that may go on.
#[must_use = "its task has to be readied"]
struct Readied {
    task: u64,
    waker: Option<Waker>,
}

impl Readied {
    fn ready(self, runtime: &Runtime) {
        match self.waker {
            Some(waker) => runtime.pass.push_waker(runtime, self.task, waker),
            None => runtime.pass.push_task(runtime, self.task),
        }
    }
}

impl OfTasks {
    /// What belongs to a task.
    fn of(&mut self, task: u64) -> &mut OfTask {
        let index = index_of(task) as usize;
        if self.0.len() <= index {
            self.0.resize_with(index + 1, OfTask::default);
        }
        &mut self.0[index]
    }
}

impl Table {
    fn of_task(&mut self, task: u64) -> &mut OfTask {
        self.tasks.of(task)
    }

    fn begin(&mut self, by: Running, what: What, cx: &Context<'_>) -> WaitKey {
        let key = self.waits.insert(by, what, foreign_waker(by.task, cx));
        self.enlist(key, by);
        key
    }

    /// Puts a wait that is nowhere where it belongs.
    fn link(&mut self, key: WaitKey, by: Running) {
        self.waits[key].by = by;
        self.enlist(key, by);
    }

    fn enlist(&mut self, key: WaitKey, by: Running) {
        let of_task = self.tasks.of(by.task);
        self.waits.append(&mut of_task.waits, key, Kind::OfTask);
        if let Some(block) = by.block {
            let ends = &mut self.blocks[block].waits;
            self.waits.append(ends, key, Kind::OfBlock);
        }
    }

    /// Takes a wait from where it is.
    fn unlink(&mut self, key: WaitKey) {
        let by = std::mem::take(&mut self.waits[key].by);
        if by.task != 0 {
            let of_task = self.tasks.of(by.task);
            self.waits.take_out(&mut of_task.waits, key, Kind::OfTask);
        }
        if let Some(block) = by.block {
            let ends = &mut self.blocks[block].waits;
            self.waits.take_out(ends, key, Kind::OfBlock);
        }
    }

    fn end(&mut self, key: WaitKey, end: End) -> Readied {
        let wait = &mut self.waits[key];
        wait.state = State::Ended(end);
        let readied = Readied {
            task: wait.by.task,
            waker: wait.waker.take(),
        };
        if let What::Line(line, _) = wait.what {
            self.lines.leave(&mut self.waits, line, key);
        }
        readied
    }

    fn look(&mut self, runtime: &Runtime, key: WaitKey, cx: &Context<'_>) -> Looked {
        let wait = &mut self.waits[key];
        let by = wait.by;
        let end = match wait.state {
            State::Ended(end) => end,
            State::Pending | State::Coming => {
                let current = runtime.running();
                if current.task != by.task {
                    return self.move_to(current, key, cx);
                }
                // A future may have moved behind another waker since it last looked.
                match &wait.waker {
                    Some(waker) if waker.will_wake(cx.waker()) => {}
                    _ => wait.waker = foreign_waker(by.task, cx),
                }
                return Looked::Pending;
            }
        };
        self.unlink(key);
        self.waits.remove(key);
        Looked::Ended(match end {
            End::Done(value) => Ok(value),
            End::Busy => Err(Error::ResourceBusy),
            End::Closed => Err(Error::Closed),
            End::Cancelled => Err(self.take_told(by.task)),
            End::TimedOut(at) => {
                self.note_seen(by.block, at);
                Err(Error::TaskTimeout(TimedOut { at }))
            }
        })
    }

    /// Another task has come to wait.
    fn move_to(&mut self, current: Running, key: WaitKey, cx: &Context<'_>) -> Looked {
        let wait = &mut self.waits[key];
        wait.waker = foreign_waker(current.task, cx);
        if wait.state == State::Pending {
            let withdrawn = match wait.what {
                What::Line(..) => false,
                What::Lost => true,
                What::Trap(token) => {
                    let withdrawn = kernel::withdraw(token);
                    if !withdrawn {
                        wait.state = State::Coming;
                    }
                    withdrawn
                }
            };
            if withdrawn {
                self.unlink(key);
                self.waits.remove(key);
                return Looked::Withdrawn;
            }
        }
        self.unlink(key);
        self.link(key, current);
        Looked::Pending
    }

    /// Gives up a wait. Returns whether it had ended with what was waited for.
    fn give_up(&mut self, key: WaitKey) -> bool {
        let wait = &self.waits[key];
        let (state, by) = (wait.state, wait.by);
        match (state, wait.what) {
            // If it has ended, nobody takes notice of that.
            (State::Pending, What::Trap(token)) => drop(kernel::withdraw(token)),
            (State::Pending, What::Line(line, _)) => self.lines.leave(&mut self.waits, line, key),
            _ => {}
        }
        self.unlink(key);
        self.waits.remove(key);
        match state {
            // A result is lost with the future that wanted it, an interruption must not be.
            State::Ended(End::Cancelled) => self.cancel_again(by.task),
            State::Ended(End::TimedOut(at)) => self.expire_again(by.block, at),
            State::Ended(_) => return true,
            State::Pending | State::Coming => {}
        }
        false
    }
}

/// The waker to wake when a wait ends, unless polling its task is enough.
pub(super) fn foreign_waker(task: u64, cx: &Context<'_>) -> Option<Waker> {
    let waker = cx.waker();
    (!waker.will_wake(&task_waker(index_of(task)))).then(|| waker.clone())
}
