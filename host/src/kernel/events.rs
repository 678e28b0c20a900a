//! Finding out what has happened: I/O, messages from other threads, timers.

use std::io;
use std::time::Duration;

use super::instance::Turn;
use super::{InstanceKey, Kernel, Message};
use crate::selector::Event;

/// How many messages from other threads are looked at in one pass.
const MAX_MESSAGES: usize = 4096;

impl Kernel {
    /// Finds out what has happened, and waits for it if `block` is set and nothing may go on.
    #[cfg(test)]
    pub(crate) fn select(&mut self, block: bool) -> io::Result<()> {
        if block {
            self.select_or_wait(|| ())
        } else {
            self.poll_events()
        }
    }

    /// Finds out what has happened: I/O, messages from other threads, timers. Waits for something to happen if nothing
    /// may go on; while it does, it keeps what `pause` returns.
    ///
    /// # Errors
    /// If the selector fails, which leaves nothing to go on with.
    pub(crate) fn select_or_wait<G>(&mut self, pause: impl FnOnce() -> G) -> io::Result<()> {
        let idle = self.runnable.is_empty()
            && self.preempted.is_empty()
            && self.messages.is_empty()
            && !self.has_to_clean_up()
            && !self.wants_attention();
        if !idle || !self.door.about_to_wait() {
            return self.poll_events();
        }
        let timeout = self.timers.next().map(|next| next.since(self.clock.now()));
        let paused = (timeout != Some(Duration::ZERO)).then(pause);
        let mut events = std::mem::take(&mut self.events);
        let selected = self.selector.select(timeout, &mut events);
        drop(paused);
        selected?;
        self.handle_events(events);
        Ok(())
    }

    /// Finds out what has happened, without waiting.
    pub(super) fn poll_events(&mut self) -> io::Result<()> {
        let mut events = std::mem::take(&mut self.events);
        self.selector.select(Some(Duration::ZERO), &mut events)?;
        self.handle_events(events);
        Ok(())
    }

    fn handle_events(&mut self, mut events: Vec<Event>) {
        for event in events.drain(..) {
            self.take_event(event);
        }
        self.events = events;
        self.take_messages();
        self.now = self.clock.now();
        self.selected_at = self.now;
        self.resumptions = 0;
        self.expire_timers();
        self.clean_up();
    }

    fn take_messages(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        self.door.take(&mut messages);
        let count = messages.len().min(MAX_MESSAGES);
        for message in messages.drain(..count) {
            match message {
                Message::Poll(key) => self.poll_instance(key),
                Message::Ready(key) => self.note_readable(key),
                Message::Released(key) => self.released.push(key),
            }
        }
        self.messages = messages;
    }

    /// Gives an instance its turn, since what it waited for outside the kernel has come.
    fn poll_instance(&mut self, key: InstanceKey) {
        match self.instances.get(key).map(|instance| instance.turn) {
            Some(Turn::Running | Turn::Waiting) => self.enqueue(key),
            Some(Turn::Queued | Turn::Preempted) | None => {}
        }
    }
}
