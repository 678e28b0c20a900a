//! A selector that tests drive by hand: it never waits.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Alarm, Event, Selector};
use crate::kernel::SimulatedClock;

/// A selector whose events a test posts, and whose waiting moves a simulated clock.
#[derive(Clone, Debug)]
pub(crate) struct Simulated {
    clock: SimulatedClock,
    posted: Arc<Mutex<Vec<Event>>>,
    rings: Arc<Rings>,
    stalls: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Rings(AtomicUsize);

impl Simulated {
    /// A selector that, asked to wait, moves `clock` to the end of the wait.
    pub(crate) fn new(clock: SimulatedClock) -> Self {
        Self {
            clock,
            posted: Arc::default(),
            rings: Arc::default(),
            stalls: Arc::default(),
        }
    }

    /// Posts an event, which the next `select` brings.
    pub(crate) fn post(&self, event: Event) {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.push(event);
    }

    /// How often it was asked to wait for as long as it takes, with nothing to come.
    pub(crate) fn stalls(&self) -> usize {
        self.stalls.load(Ordering::Relaxed)
    }

    /// How often the alarm was rung.
    pub(crate) fn rings(&self) -> usize {
        self.rings.0.load(Ordering::Relaxed)
    }
}

impl Alarm for Rings {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Selector for Simulated {
    fn register(&mut self, _fd: BorrowedFd<'_>, _token: u64) -> io::Result<()> {
        Ok(())
    }

    fn deregister(&mut self, _fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    fn select(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        match timeout {
            Some(timeout) if posted.is_empty() => self.clock.advance(timeout),
            None if posted.is_empty() => drop(self.stalls.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        events.append(&mut posted);
        Ok(())
    }

    fn alarm(&self) -> Arc<dyn Alarm> {
        self.rings.clone()
    }
}
