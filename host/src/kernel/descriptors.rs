//! Watching descriptors, and waiting for them.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use slotmap::{Key, KeyData};

use super::source::{Direction, Duty, Readiness, Source};
use super::trap::Wait;
use super::{Caller, Fault, InstanceKey, Kernel, Outcome, SourceKey, TaskKey, TrapKey};
use crate::selector::Event;

impl Kernel {
    /// Watches a descriptor for an instance, or for the host itself.
    ///
    /// # Errors
    /// If the selector can't.
    pub(crate) fn watch(
        &mut self,
        owner: Option<InstanceKey>,
        fd: BorrowedFd<'_>,
    ) -> io::Result<(SourceKey, Arc<Readiness>)> {
        let readiness = Arc::new(Readiness::unknown());
        let key = self.insert_source(owner, &readiness);
        if let Err(error) = self.selector.register(fd, key.data().as_ffi()) {
            self.forget_source(key);
            return Err(error);
        }
        Ok((key, readiness))
    }

    /// Has the host do something whenever a descriptor becomes readable, whether or not a task waits for that.
    pub(crate) fn set_duty(&mut self, key: SourceKey, duty: Duty) {
        if let Some(source) = self.sources.get_mut(key) {
            source.duty = Some(duty);
        }
    }

    /// Makes a descriptor the host's own: its duty stays when the instance is forgotten.
    pub(crate) fn disown(&mut self, key: SourceKey) {
        self.remove_from_owner(key);
        if let Some(source) = self.sources.get_mut(key) {
            source.owner = None;
        }
    }

    fn insert_source(
        &mut self,
        owner: Option<InstanceKey>,
        readiness: &Arc<Readiness>,
    ) -> SourceKey {
        let instance = owner.and_then(|owner| self.instances.get_mut(owner));
        let mut list = instance.map(|instance| &mut instance.sources);
        let key = self.sources.insert(Source {
            owner,
            index: list.as_ref().map_or(0, |list| list.len()),
            readiness: readiness.clone(),
            reader: None,
            writer: None,
            duty: None,
        });
        if let Some(list) = &mut list {
            list.push(key);
        }
        key
    }

    /// Removes a source, for which nobody waits, from the table.
    fn forget_source(&mut self, key: SourceKey) {
        self.remove_from_owner(key);
        self.sources.remove(key);
    }

    /// Removes a source from the list of its instance.
    fn remove_from_owner(&mut self, key: SourceKey) {
        let Some(source) = self.sources.get(key) else {
            return;
        };
        let (owner, index) = (source.owner, source.index);
        let Some(owner) = owner.and_then(|owner| self.instances.get_mut(owner)) else {
            return;
        };
        owner.sources.swap_remove(index);
        if let Some(moved) = owner.sources.get(index) {
            self.sources[*moved].index = index;
        }
    }

    /// Adds something that is no descriptor: it becomes readable, once after each [`Readiness::clear`], by a
    /// message from another thread.
    pub(crate) fn add_source(&mut self, owner: InstanceKey) -> (SourceKey, Arc<Readiness>) {
        let readiness = Arc::new(Readiness::unknown());
        readiness.clear(Direction::Read);
        let key = self.insert_source(Some(owner), &readiness);
        (key, readiness)
    }

    /// Stops watching a descriptor, which is about to be closed. Whoever waits for it is told.
    pub(crate) fn unwatch(&mut self, key: SourceKey, fd: BorrowedFd<'_>) {
        // It can only fail if the descriptor is not registered, which is what is wanted.
        drop(self.selector.deregister(fd));
        self.remove_source(key);
    }

    /// Forgets what was watched, or added. Whoever waits for it is told.
    pub(crate) fn remove_source(&mut self, key: SourceKey) {
        self.tell_closed(key);
        self.forget_source(key);
    }

    /// Tells whoever waits for something that it is closed. It stays watched.
    pub(crate) fn tell_closed(&mut self, key: SourceKey) {
        let Some(source) = self.sources.get_mut(key) else {
            return;
        };
        let waiters = [source.reader.take(), source.writer.take()];
        let owner = source.owner;
        if let Some(owner) = owner.and_then(|owner| self.instances.get_mut(owner)) {
            for trap in waiters.into_iter().flatten() {
                owner.finish(trap, Outcome::Closed);
            }
        }
    }

    /// Blocks a task until something becomes possible with a descriptor.
    ///
    /// # Errors
    /// If the caller or the descriptor does not exist, or a limit is reached.
    pub(crate) fn wait_for_source(
        &mut self,
        key: InstanceKey,
        by: Caller,
        source: SourceKey,
        direction: Direction,
    ) -> Result<TrapKey, Fault> {
        let instance = self.instances.get_mut(key).ok_or(Fault::Task)?;
        let entry = self.sources.get_mut(source).ok_or(Fault::Source)?;
        let other = entry.waiter(direction);
        if other.is_some_and(|trap| instance.is_pending(trap)) {
            return instance.end_at_once(by, Outcome::Busy);
        }
        if entry.readiness.get(direction) {
            return instance.end_at_once(by, Outcome::Done(0));
        }
        let wait = match direction {
            Direction::Read => Wait::Read(source),
            Direction::Write => Wait::Write(source),
        };
        let trap = instance.pend(by, wait)?;
        *entry.waiter(direction) = Some(trap);
        Ok(trap)
    }

    /// Ends a trap before it begins.
    ///
    /// # Errors
    /// If the caller does not exist, or a limit is reached.
    pub(crate) fn end_at_once(
        &mut self,
        key: InstanceKey,
        by: Caller,
        outcome: Outcome,
    ) -> Result<TrapKey, Fault> {
        self.instance(key).end_at_once(by, outcome)
    }

    /// The task that waits for something to become possible with a descriptor.
    pub(crate) fn waiter(
        &mut self,
        key: InstanceKey,
        source: SourceKey,
        direction: Direction,
    ) -> Option<TaskKey> {
        let trap = (*self.sources.get_mut(source)?.waiter(direction))?;
        let instance = self.instances.get(key)?;
        let task = instance.traps.get(trap)?.task;
        instance.tasks.contains_key(task).then_some(task)
    }

    /// Notes that there is something to read, or that what another thread did is done.
    pub(crate) fn note_readable(&mut self, key: SourceKey) {
        self.take_event(Event {
            token: key.data().as_ffi(),
            readable: true,
            writable: false,
            closed: false,
        });
    }

    /// Does what the host has to do about a descriptor that became readable. Returns whether that is all there is to do.
    fn do_duty(&mut self, key: SourceKey) -> bool {
        let source = self.sources.get_mut(key);
        let Some(mut duty) = source.and_then(|source| source.duty.take()) else {
            return false;
        };
        let done = duty.act(self);
        let Some(source) = self.sources.get_mut(key) else {
            return true;
        };
        if !done {
            source.duty = Some(duty);
        }
        source.owner.is_none()
    }

    /// Keeps what an event says, and readies who waited for it.
    pub(super) fn take_event(&mut self, event: Event) {
        let key = SourceKey::from(KeyData::from_ffi(event.token));
        if event.readable && self.do_duty(key) {
            return;
        }
        let Some(source) = self.sources.get_mut(key) else {
            return;
        };
        let mut waiters = [None, None];
        if event.closed {
            source.readiness.set_closed();
        }
        if event.readable {
            source.readiness.set(Direction::Read);
            waiters[0] = source.reader.take();
        }
        if event.writable {
            source.readiness.set(Direction::Write);
            waiters[1] = source.writer.take();
        }
        let Some(owner) = source.owner else {
            self.host_events.push(key);
            return;
        };
        let Some(instance) = self.instances.get_mut(owner) else {
            return;
        };
        for trap in waiters.into_iter().flatten() {
            instance.finish(trap, Outcome::Done(0));
        }
        self.settle(owner);
    }
}
