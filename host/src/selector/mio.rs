//! The selector on `mio`.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::{Alarm, Event, Selector};

/// The alarm's own number; the kernel's never have all bits set.
const ALARM: Token = Token(usize::MAX);

/// How many events one system call may bring. More wait in the system's queue.
const CAPACITY: usize = 1024;

/// A selector on the operating system's event queue, through `mio`.
pub(crate) struct MioSelector {
    poll: Poll,
    /// Filled by each `select`; kept so that it is allocated once.
    events: Events,
    alarm: Arc<MioAlarm>,
}

#[derive(Debug)]
struct MioAlarm(Waker);

impl MioSelector {
    /// Opens an event queue.
    ///
    /// # Errors
    /// If the system has no descriptor left for it.
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Arc::new(MioAlarm(Waker::new(poll.registry(), ALARM)?));
        Ok(Self {
            poll,
            events: Events::with_capacity(CAPACITY),
            alarm,
        })
    }
}

impl fmt::Debug for MioSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MioSelector").finish_non_exhaustive()
    }
}

impl Alarm for MioAlarm {
    fn ring(&self) {
        // It fails only if the counter behind it is full, and then it is ringing already.
        drop(self.0.wake());
    }
}

impl Selector for MioSelector {
    fn register(&mut self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let token = usize::try_from(token).map_err(io::Error::other)?;
        self.poll.registry().register(
            &mut SourceFd(&fd.as_raw_fd()),
            Token(token),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poll
            .registry()
            .deregister(&mut SourceFd(&fd.as_raw_fd()))
    }

    fn select(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            if event.token() == ALARM {
                continue;
            }
            // An error or a hang-up is for whoever reads or writes next to find out.
            let over = event.is_error();
            events.push(Event {
                token: event.token().0 as u64,
                readable: event.is_readable() || event.is_read_closed() || over,
                writable: event.is_writable() || event.is_write_closed() || over,
                closed: event.is_read_closed() || over,
            });
        }
        Ok(())
    }

    fn alarm(&self) -> Arc<dyn Alarm> {
        self.alarm.clone()
    }
}
