//! All that tasks wait for: how a wait begins, moves to another task, and ends.

use std::task::{Context, Waker};

use super::blocks::Blocks;
use super::lines::Lines;
use super::undelivered::Undelivered;
use super::wait::{End, Ends, Kind, Looked, State, WaitKey, Waits, What};
use super::{Running, foreign_waker};
use crate::bindings::traps as kernel;
use crate::error::{Error, TimedOut};
use crate::runtime::Runtime;
use crate::runtime::tasks::index_of;
use crate::time::Instant;

pub(super) struct Table {
    pub(super) waits: Waits,
    pub(super) lines: Lines,
    pub(super) blocks: Blocks,
    pub(super) tasks: OfTasks,
    /// Interruptions that nobody could be told of.
    pub(super) undelivered: Vec<Undelivered>,
    /// The time, as far as is known without asking.
    pub(super) now: Instant,
}

/// What belongs to tasks, by their index.
pub(super) struct OfTasks(pub(super) Vec<OfTask>);

/// What belongs to a task.
#[derive(Default)]
pub(super) struct OfTask {
    pub(super) waits: Ends,
    /// Whether its cancellation was requested.
    pub(super) cancelled: bool,
    /// What it is to be interrupted with.
    pub(super) pending: Option<Error>,
    /// How many waits have ended so, and have not been looked at.
    pub(super) told: u32,
    /// Blocks with a smaller number don't fire: they were open when it was cancelled.
    pub(super) disarmed_before: u64,
    /// Whether its interruption is among those that nobody could be told of.
    pub(super) listed: bool,
}

/// A task that may go on.
#[must_use = "its task has to be readied"]
pub(super) struct Readied {
    pub(super) task: u64,
    pub(super) waker: Option<Waker>,
}

impl Readied {
    #[inline]
    pub(super) fn ready(self, runtime: &Runtime) {
        match self.waker {
            Some(waker) => runtime.pass.push_waker(runtime, self.task, waker),
            None => runtime.pass.push_task(runtime, self.task),
        }
    }
}

impl OfTasks {
    /// What belongs to a task.
    #[inline]
    pub(super) fn of(&mut self, task: u64) -> &mut OfTask {
        let index = index_of(task) as usize;
        if self.0.len() <= index {
            self.grow(index);
        }
        &mut self.0[index]
    }

    #[cold]
    fn grow(&mut self, index: usize) {
        self.0.resize_with(index + 1, OfTask::default);
    }
}

impl Table {
    pub(super) const fn new() -> Self {
        Self {
            waits: Waits::new(),
            lines: Lines::new(),
            blocks: Blocks::new(),
            tasks: OfTasks(Vec::new()),
            undelivered: Vec::new(),
            now: Instant::from_nanos(0),
        }
    }

    #[inline]
    pub(super) fn of_task(&mut self, task: u64) -> &mut OfTask {
        self.tasks.of(task)
    }

    #[inline]
    pub(super) fn begin(&mut self, by: Running, what: What, cx: &Context<'_>) -> WaitKey {
        let key = self.waits.insert(by, what, foreign_waker(by.task, cx));
        self.enlist(key, by);
        key
    }

    /// Puts a wait that is nowhere where it belongs.
    pub(super) fn link(&mut self, key: WaitKey, by: Running) {
        self.waits[key].by = by;
        self.enlist(key, by);
    }

    #[inline]
    pub(super) fn enlist(&mut self, key: WaitKey, by: Running) {
        let of_task = self.tasks.of(by.task);
        self.waits.append(&mut of_task.waits, key, Kind::OfTask);
        if let Some(block) = by.block {
            let ends = &mut self.blocks[block].waits;
            self.waits.append(ends, key, Kind::OfBlock);
        }
    }

    /// Takes a wait from where it is.
    #[inline]
    pub(super) fn unlink(&mut self, key: WaitKey) {
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

    #[inline]
    pub(super) fn end(&mut self, key: WaitKey, end: End) -> Readied {
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

    pub(super) fn look(&mut self, runtime: &Runtime, key: WaitKey, cx: &Context<'_>) -> Looked {
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
            End::InvalidState => Err(Error::InvalidState(
                "a stream can be waited for when it listens or is connected".to_owned(),
            )),
            End::Cancelled => Err(self.take_told(by.task)),
            End::TimedOut(at) => {
                self.note_seen(by.block, at);
                Err(Error::TaskTimeout(TimedOut::new(at)))
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
    pub(super) fn give_up(&mut self, key: WaitKey) -> bool {
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
