//! What carries bytes.

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll};

use super::READ_SIZE;
use crate::error::Result;
use crate::traps::PollWait;

/// What carries bytes: a [`Socket`](crate::Socket), say. [`Stream`](super::Stream) and
/// [`channel`](crate::channel) work on anything that implements this.
///
/// Everything is tried first. What can't be done yet says `None`; whoever wants to wait then makes the trap, and
/// tries again.
///
/// What wraps another one passes on what it does not change. The methods that need not be there are as they are for a
/// socket: what may wrap a file, or a TLS connection, passes on those too.
///
/// ```no_run
/// use std::cell::Cell;
/// use std::task::{Context, Poll};
///
/// use curio::Result;
/// use curio::io::RawIo;
/// use curio::traps::PollWait;
///
/// /// Counts what is received.
/// struct Counted<T> {
///     inside: T,
///     received: Cell<usize>,
/// }
///
/// impl<T: RawIo> RawIo for Counted<T> {
///     fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
///         let data = self.inside.try_recv(max)?;
///         let count = data.as_ref().map_or(0, Vec::len);
///         self.received.set(self.received.get() + count);
///         Ok(data)
///     }
///
///     fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
///         self.inside.try_send(data)
///     }
///
///     fn try_end(&self) -> Result<Option<()>> {
///         self.inside.try_end()
///     }
///
///     fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
///         self.inside.poll_read_wait(wait, cx)
///     }
///
///     fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
///         self.inside.poll_write_wait(wait, cx)
///     }
/// }
/// ```
pub trait RawIo {
    /// Receives up to `max` bytes, if some are there; none at the end. Never blocks.
    ///
    /// # Errors
    /// What is wrong with the connection.
    fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>>;

    /// Sends as much as can be at once, and returns how many bytes that were. Never blocks.
    ///
    /// # Errors
    /// What is wrong with the connection.
    fn try_send(&self, data: &[u8]) -> Result<Option<usize>>;

    /// Sees to it that what was sent is on its way. Never blocks. Does nothing where nothing is held back.
    ///
    /// # Errors
    /// As [`RawIo::try_send`].
    fn try_flush(&self) -> Result<Option<()>> {
        Ok(Some(()))
    }

    /// Tells the peer that nothing more will be sent. Never blocks. Does nothing where that can't be told.
    ///
    /// # Errors
    /// As [`RawIo::try_send`].
    fn try_end(&self) -> Result<Option<()>> {
        Ok(Some(()))
    }

    /// Whether something that was sent may stay here until it is flushed. A stream does that at the end of a write then.
    fn wants_flush(&self) -> bool {
        false
    }

    /// Called before something is sent, if so many bytes that were received were not given yet. What has one
    /// position for both directions, as a file does, moves that back, and says true: the stream forgets those bytes.
    /// Never blocks.
    ///
    /// # Errors
    /// As [`RawIo::try_recv`].
    fn try_unread(&self, _count: usize) -> Result<Option<bool>> {
        Ok(Some(false))
    }

    /// How many bytes are best received at once, if it does not matter how many come.
    fn read_size(&self) -> usize {
        READ_SIZE
    }

    /// Polls the trap that waits until something can be received, or makes it, in the place that is given.
    ///
    /// # Errors
    /// An interruption; or that another task waits for the same.
    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>>;

    /// Polls the trap that waits until something can be sent, or makes it, in the place that is given.
    ///
    /// # Errors
    /// As [`RawIo::poll_read_wait`].
    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>>;

    /// Blocks until something can be received.
    ///
    /// # Errors
    /// As [`RawIo::poll_read_wait`].
    ///
    /// # Cancellation
    /// Nothing is received.
    fn read_wait(&self) -> impl Future<Output = Result<()>> {
        let wait = PollWait::new();
        poll_fn(move |cx| self.poll_read_wait(&wait, cx))
    }

    /// Blocks until something can be sent.
    ///
    /// # Errors
    /// As [`RawIo::poll_read_wait`].
    ///
    /// # Cancellation
    /// Nothing is sent.
    fn write_wait(&self) -> impl Future<Output = Result<()>> {
        let wait = PollWait::new();
        poll_fn(move |cx| self.poll_write_wait(&wait, cx))
    }
}

/// Passes everything on to what is pointed to.
macro_rules! pass_on {
    () => {
        fn try_recv(&self, max: usize) -> Result<Option<Vec<u8>>> {
            (**self).try_recv(max)
        }

        fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
            (**self).try_send(data)
        }

        fn try_flush(&self) -> Result<Option<()>> {
            (**self).try_flush()
        }

        fn try_end(&self) -> Result<Option<()>> {
            (**self).try_end()
        }

        fn wants_flush(&self) -> bool {
            (**self).wants_flush()
        }

        fn try_unread(&self, count: usize) -> Result<Option<bool>> {
            (**self).try_unread(count)
        }

        fn read_size(&self) -> usize {
            (**self).read_size()
        }

        fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
            (**self).poll_read_wait(wait, cx)
        }

        fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
            (**self).poll_write_wait(wait, cx)
        }

        fn read_wait(&self) -> impl Future<Output = Result<()>> {
            (**self).read_wait()
        }

        fn write_wait(&self) -> impl Future<Output = Result<()>> {
            (**self).write_wait()
        }
    };
}

impl<T: RawIo + ?Sized> RawIo for &T {
    pass_on!();
}

impl<T: RawIo + ?Sized> RawIo for Rc<T> {
    pass_on!();
}
