//! Tasks that wait for something of the program's own: a lock, an item, another task.
//!
//! They stand in a line, and are woken without a word to the kernel, which makes that cheap. The kernel
//! is told of one only if something may interrupt it: then it waits in a trap, too, which ends with the
//! interruption or is withdrawn when the task is woken. Whichever comes first is how the wait ends.

use std::cell::{Cell, OnceCell, RefCell};
use std::task::{Context, Waker};

use super::slots::{Ended, foreign_waker};
use super::tasks::index_of;
use super::{Running, Runtime};
use crate::bindings::traps::{self as kernel, WaitQueue};

/// All tasks that are suspended. A key is a place, counted from 1.
pub(crate) struct Suspended {
    entries: RefCell<Vec<Entry>>,
    /// The first free place, or 0.
    free: Cell<u32>,
    /// By a task's index: the places where it is suspended.
    of_tasks: RefCell<Vec<Ends>>,
    /// Where the kernel is told that they wait.
    queue: OnceCell<WaitQueue>,
}

struct Entry {
    by: Running,
    reason: &'static str,
    /// The waker to wake, unless polling the task is enough.
    waker: Option<Waker>,
    state: State,
    in_line: Link,
    of_task: Link,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// The kernel knows, too: the slot and the token of the trap.
    Told {
        cookie: u32,
        token: u64,
    },
    /// It was interrupted, and has not looked yet: the slot that says how.
    Interrupted(u32),
    Woken,
}

#[derive(Clone, Copy, Default)]
struct Link {
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy, Default)]
struct Ends {
    first: u32,
    last: u32,
}

/// A line of suspended tasks.
#[derive(Default)]
pub(crate) struct Line {
    ends: Cell<Ends>,
    len: Cell<u32>,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            ends: Cell::new(Ends { first: 0, last: 0 }),
            len: Cell::new(0),
        }
    }

    /// How many tasks wait.
    pub(crate) fn len(&self) -> u32 {
        self.len.get()
    }
}

/// How a wait has ended.
pub(crate) enum Wake {
    Woken,
    Interrupted(Ended),
}

fn at(key: u32) -> usize {
    key as usize - 1
}

fn append(entries: &mut [Entry], ends: &mut Ends, key: u32, link: fn(&mut Entry) -> &mut Link) {
    *link(&mut entries[at(key)]) = Link {
        previous: ends.last,
        next: 0,
    };
    match ends.last {
        0 => ends.first = key,
        last => link(&mut entries[at(last)]).next = key,
    }
    ends.last = key;
}

fn remove(entries: &mut [Entry], ends: &mut Ends, key: u32, link: fn(&mut Entry) -> &mut Link) {
    let Link { previous, next } = std::mem::take(link(&mut entries[at(key)]));
    match previous {
        0 => ends.first = next,
        previous => link(&mut entries[at(previous)]).next = next,
    }
    match next {
        0 => ends.last = previous,
        next => link(&mut entries[at(next)]).previous = previous,
    }
}

impl Suspended {
    pub(super) const fn new() -> Self {
        Self {
            entries: RefCell::new(Vec::new()),
            free: Cell::new(0),
            of_tasks: RefCell::new(Vec::new()),
            queue: OnceCell::new(),
        }
    }

    /// Suspends the task that runs, at the end of a line.
    pub(crate) fn take(
        &self,
        runtime: &Runtime,
        line: &Line,
        reason: &'static str,
        cx: &Context<'_>,
    ) -> u32 {
        let by = runtime.running();
        let entry = Entry {
            by,
            reason,
            waker: foreign_waker(by.task, cx),
            state: State::Waiting,
            in_line: Link::default(),
            of_task: Link::default(),
        };
        let entries = &mut *self.entries.borrow_mut();
        let key = match self.free.get() {
            0 => {
                entries.push(entry);
                index_of(entries.len() as u64)
            }
            key => {
                self.free.set(entries[at(key)].in_line.next);
                entries[at(key)] = entry;
                key
            }
        };
        let mut ends = line.ends.get();
        append(entries, &mut ends, key, |entry| &mut entry.in_line);
        line.ends.set(ends);
        line.len.set(line.len.get() + 1);
        self.enter_task(entries, key, by.task);
        key
    }

    fn enter_task(&self, entries: &mut [Entry], key: u32, task: u64) {
        let mut of_tasks = self.of_tasks.borrow_mut();
        let index = index_of(task) as usize;
        if of_tasks.len() <= index {
            of_tasks.resize(index + 1, Ends::default());
        }
        append(entries, &mut of_tasks[index], key, |entry| {
            &mut entry.of_task
        });
    }

    fn leave_task(&self, entries: &mut [Entry], key: u32) {
        let task = entries[at(key)].by.task;
        if task != 0 {
            let ends = &mut self.of_tasks.borrow_mut()[index_of(task) as usize];
            remove(entries, ends, key, |entry| &mut entry.of_task);
        }
    }

    fn leave_line(entries: &mut [Entry], line: &Line, key: u32) {
        let mut ends = line.ends.get();
        remove(entries, &mut ends, key, |entry| &mut entry.in_line);
        line.ends.set(ends);
        line.len.set(line.len.get() - 1);
    }

    fn free(&self, entries: &mut [Entry], key: u32) {
        self.leave_task(entries, key);
        let entry = &mut entries[at(key)];
        entry.waker = None;
        entry.in_line.next = self.free.get();
        self.free.set(key);
    }

    /// How a wait has ended, if it has: its place is given back then. Otherwise notes who waits now.
    pub(crate) fn poll(
        &self,
        runtime: &Runtime,
        key: u32,
        line: &Line,
        cx: &Context<'_>,
    ) -> Option<Wake> {
        let entries = &mut *self.entries.borrow_mut();
        let entry = &mut entries[at(key)];
        let (state, by) = (entry.state, entry.by);
        match state {
            State::Woken => {
                self.free(entries, key);
                return Some(Wake::Woken);
            }
            State::Told { cookie, .. } => {
                if let Some(ended) = runtime.slots.poll(cookie, by.task, cx) {
                    Self::leave_line(entries, line, key);
                    self.free(entries, key);
                    return Some(Wake::Interrupted(ended));
                }
            }
            State::Interrupted(cookie) => {
                if let Some(ended) = runtime.slots.poll(cookie, by.task, cx) {
                    self.free(entries, key);
                    return Some(Wake::Interrupted(ended));
                }
                return None;
            }
            State::Waiting => {}
        }
        let current = runtime.running();
        if current.task == by.task {
            let entry = &mut entries[at(key)];
            match &entry.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                _ => entry.waker = foreign_waker(by.task, cx),
            }
            return None;
        }
        // Another task has come to wait for it: it keeps its place in the line.
        if let State::Told { cookie, token } = state {
            runtime.slots.abandon(cookie, token, by.task, by.scope);
        }
        self.leave_task(entries, key);
        let entry = &mut entries[at(key)];
        entry.state = State::Waiting;
        entry.by = current;
        entry.waker = foreign_waker(current.task, cx);
        self.enter_task(entries, key, current.task);
        None
    }

    /// Ends a wait whose future is dropped. Returns whether it had been woken.
    pub(crate) fn abandon(&self, runtime: &Runtime, key: u32, line: &Line) -> bool {
        let entries = &mut *self.entries.borrow_mut();
        let Entry { by, state, .. } = entries[at(key)];
        match state {
            State::Woken => {}
            State::Waiting => Self::leave_line(entries, line, key),
            State::Told { cookie, token } => {
                runtime.slots.abandon(cookie, token, by.task, by.scope);
                Self::leave_line(entries, line, key);
            }
            State::Interrupted(cookie) => runtime.slots.abandon(cookie, 0, by.task, by.scope),
        }
        self.free(entries, key);
        state == State::Woken
    }

    /// Wakes the first one in a line that was not interrupted. Returns false if there is none.
    pub(crate) fn wake_first(&self, runtime: &Runtime, line: &Line) -> bool {
        let (task, waker) = {
            let entries = &mut *self.entries.borrow_mut();
            loop {
                let key = line.ends.get().first;
                if key == 0 {
                    return false;
                }
                Self::leave_line(entries, line, key);
                let entry = &mut entries[at(key)];
                if let State::Told { cookie, token } = entry.state {
                    if !kernel::withdraw(token) {
                        entry.state = State::Interrupted(cookie);
                        continue;
                    }
                    runtime.slots.give_back(cookie);
                }
                entry.state = State::Woken;
                break (entry.by.task, entry.waker.take());
            }
        };
        match waker {
            Some(waker) => waker.wake(),
            None => runtime.pass.push_woken(task),
        }
        true
    }

    /// Whether a task is suspended and was not woken.
    pub(crate) fn reason(&self, task: u64) -> Option<&'static str> {
        let entries = self.entries.borrow();
        let of_tasks = self.of_tasks.borrow();
        let mut key = of_tasks.get(index_of(task) as usize)?.first;
        while key != 0 {
            let entry = &entries[at(key)];
            if entry.by.task == task && entry.state != State::Woken {
                return Some(entry.reason);
            }
            key = entry.of_task.next;
        }
        None
    }

    /// Tells the kernel of all waits of a task, so that it can interrupt them. Returns whether
    /// there are any.
    pub(crate) fn tell(&self, runtime: &Runtime, task: u64) -> bool {
        let mut entries = self.entries.borrow_mut();
        let of_tasks = self.of_tasks.borrow();
        let Some(ends) = of_tasks.get(index_of(task) as usize) else {
            return false;
        };
        let mut any = false;
        let mut key = ends.first;
        while key != 0 {
            let entry = &mut entries[at(key)];
            key = entry.of_task.next;
            any |= entry.state != State::Woken;
            if entry.state == State::Waiting {
                let queue = self.queue.get_or_init(|| WaitQueue::new("suspended"));
                let cookie = runtime.slots.take_for(entry.waker.clone());
                let token = queue.suspend(entry.by.caller(cookie));
                runtime.pass.note_asked();
                entry.state = State::Told { cookie, token };
            }
        }
        any
    }

    /// Lets go of the waits of a task that has ended: their futures have gone to other tasks.
    pub(super) fn forget(&self, runtime: &Runtime, task: u64) {
        let mut of_tasks = self.of_tasks.borrow_mut();
        let Some(ends) = of_tasks.get_mut(index_of(task) as usize) else {
            return;
        };
        let mut key = std::mem::take(ends).first;
        if key == 0 {
            return;
        }
        let mut entries = self.entries.borrow_mut();
        while key != 0 {
            let entry = &mut entries[at(key)];
            if let State::Told { cookie, token } = entry.state {
                runtime.slots.abandon(cookie, token, task, entry.by.scope);
                entry.state = State::Waiting;
            }
            entry.by.task = 0;
            key = std::mem::take(&mut entry.of_task).next;
        }
    }
}
