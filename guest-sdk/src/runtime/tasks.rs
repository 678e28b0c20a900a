//! The futures of all tasks, by the index that is part of a task's number.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;

use super::task_waker;
use crate::local::Locals;
use crate::task::Header;

/// What outlives a task's future: its result, and what is known of it.
pub(crate) trait State {
    /// What is known of it.
    fn header(&self) -> &Header;

    /// The task has ended, after so many cycles. Without a result, it was dropped.
    fn end(&self, cycles: u64);
}

/// The futures of all tasks.
pub(crate) struct Tasks {
    entries: RefCell<Vec<Option<Entry>>>,
    /// How many were spawned.
    serials: Cell<u64>,
}

struct Entry {
    id: u64,
    /// Absent while it is being polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    state: Rc<dyn State>,
    cycles: u64,
    /// How often it is in the queue of those that may go on.
    queued: u32,
    /// What it stored, if anything; shared with its children until one of them stores something.
    locals: Option<Rc<Locals>>,
}

/// The index that is part of a number of the kernel's: the lower half.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the index is the lower half"
)]
pub(super) fn index_of(number: u64) -> u32 {
    number as u32
}

/// A task, if it has not ended.
#[inline]
fn alive(entries: &mut [Option<Entry>], id: u64) -> Option<&mut Entry> {
    let entry = entries.get_mut(index_of(id) as usize)?.as_mut()?;
    (entry.id == id).then_some(entry)
}

impl Tasks {
    pub(super) const fn new() -> Self {
        Self {
            entries: RefCell::new(Vec::new()),
            serials: Cell::new(0),
        }
    }

    /// The serial number of the task that is being spawned.
    pub(crate) fn next_serial(&self) -> u64 {
        self.serials.set(self.serials.get() + 1);
        self.serials.get()
    }

    /// Takes in the future of a task.
    pub(crate) fn insert(
        &self,
        id: u64,
        future: Pin<Box<dyn Future<Output = ()>>>,
        state: Rc<dyn State>,
    ) {
        let locals = self.locals(state.header().parent());
        let index = index_of(id) as usize;
        let mut entries = self.entries.borrow_mut();
        if entries.len() <= index {
            entries.resize_with(index + 1, || None);
        }
        entries[index] = Some(Entry {
            id,
            future: Some(future),
            state,
            cycles: 0,
            queued: 0,
            locals,
        });
    }

    /// Whether a task is alive.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.id_at(index_of(id)) == Some(id)
    }

    /// The task that has an index now.
    pub(super) fn id_at(&self, index: u32) -> Option<u64> {
        let entries = self.entries.borrow();
        Some(entries.get(index as usize)?.as_ref()?.id)
    }

    /// All tasks, the one that was spawned last first.
    pub(super) fn newest_first(&self) -> Vec<u64> {
        let entries = self.entries.borrow();
        let mut alive: Vec<_> = entries
            .iter()
            .flatten()
            .map(|entry| (entry.state.header().serial(), entry.id))
            .collect();
        alive.sort_unstable_by(|a, b| b.cmp(a));
        alive.into_iter().map(|(_, id)| id).collect()
    }

    /// The tasks alive that a task spawned, the oldest first.
    pub(crate) fn children(&self, parent: u64) -> Vec<Rc<dyn State>> {
        let entries = self.entries.borrow();
        let mut children: Vec<_> = entries
            .iter()
            .flatten()
            .filter(|entry| entry.state.header().parent() == parent)
            .map(|entry| entry.state.clone())
            .collect();
        children.sort_unstable_by_key(|child| child.header().serial());
        children
    }

    /// A task that is alive.
    pub(crate) fn state(&self, id: u64) -> Option<Rc<dyn State>> {
        let entries = self.entries.borrow();
        let entry = entries.get(index_of(id) as usize)?.as_ref()?;
        (entry.id == id).then(|| entry.state.clone())
    }

    /// How often a task was resumed; nothing if it has ended.
    pub(crate) fn cycles(&self, id: u64) -> Option<u64> {
        let entries = self.entries.borrow();
        let entry = entries.get(index_of(id) as usize)?.as_ref()?;
        (entry.id == id).then_some(entry.cycles)
    }

    /// What a task stored, or its parent had when it was spawned.
    pub(crate) fn locals(&self, id: u64) -> Option<Rc<Locals>> {
        let entries = self.entries.borrow();
        let entry = entries.get(index_of(id) as usize)?.as_ref()?;
        entry.locals.clone().filter(|_| entry.id == id)
    }

    /// Replaces what a task stored.
    pub(crate) fn set_locals(&self, id: u64, locals: Rc<Locals>) {
        if let Some(Some(entry)) = self.entries.borrow_mut().get_mut(index_of(id) as usize) {
            entry.locals = Some(locals);
        }
    }

    /// Notes that a task is to be put into the queue of those that may go on, unless it is there
    /// already or has ended: returns false then.
    pub(super) fn note_woken(&self, id: u64) -> bool {
        let mut entries = self.entries.borrow_mut();
        let entry = alive(&mut entries, id).filter(|entry| entry.queued == 0);
        entry.map(|entry| entry.queued = 1).is_some()
    }

    /// Notes that a task is put into that queue.
    pub(super) fn note_queued(&self, id: u64) {
        if let Some(entry) = alive(&mut self.entries.borrow_mut(), id) {
            entry.queued += 1;
        }
    }

    /// Notes that a task is taken out of that queue.
    pub(super) fn note_dequeued(&self, id: u64) {
        if let Some(entry) = alive(&mut self.entries.borrow_mut(), id) {
            entry.queued -= 1;
        }
    }

    /// Whether a task is in that queue.
    pub(crate) fn is_queued(&self, id: u64) -> bool {
        alive(&mut self.entries.borrow_mut(), id).is_some_and(|entry| entry.queued > 0)
    }

    /// Polls the future of a task that comes from that queue, if the task is alive. Returns whether it
    /// has ended now.
    pub(super) fn poll(&self, id: u64) -> bool {
        // Taken out, since the task may spawn others while it runs.
        let Some(mut future) = self.take_future(id, 1) else {
            return false;
        };
        let waker = task_waker(index_of(id));
        if future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            if let Some(Some(entry)) = self.entries.borrow_mut().get_mut(index_of(id) as usize) {
                entry.future = Some(future);
            }
            return false;
        }
        drop(future);
        self.end(id);
        true
    }

    /// Drops a task's future, if the task is alive. Returns whether it has ended now.
    pub(super) fn abort(&self, id: u64) -> bool {
        let Some(future) = self.take_future(id, 0) else {
            return false;
        };
        drop(future);
        self.end(id);
        true
    }

    /// Takes a task's future, and the task itself so often out of the queue of those that may go on.
    #[inline]
    fn take_future(&self, id: u64, dequeued: u32) -> Option<Pin<Box<dyn Future<Output = ()>>>> {
        let mut entries = self.entries.borrow_mut();
        let entry = alive(&mut entries, id)?;
        entry.queued -= dequeued;
        entry.cycles += 1;
        entry.future.take()
    }

    fn end(&self, id: u64) {
        let entry = self.entries.borrow_mut()[index_of(id) as usize].take();
        super::with(|runtime| runtime.pass.push_ended(id));
        if let Some(entry) = entry {
            entry.state.end(entry.cycles);
        }
    }
}
