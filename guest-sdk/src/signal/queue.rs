//! Queues of signals.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Signal;
use super::watch::Watch;
use crate::error::Result;

/// The signals that have come since it was made, in their order. It watches as long as it lives.
///
/// ```no_run
/// use curio::signal::{Signal, SignalQueue};
///
/// # async fn example() -> curio::Result<()> {
/// let queue = SignalQueue::new([Signal::USR1, Signal::TERM])?;
/// while queue.get().await? != Signal::TERM {
///     println!("again");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SignalQueue {
    watch: Watch,
}

impl SignalQueue {
    /// Begins to watch. Never blocks.
    ///
    /// # Errors
    /// As [`SignalSet::watch`](super::SignalSet::watch).
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> Result<Self> {
        let signals: Vec<_> = signals.into_iter().collect();
        Ok(Self {
            watch: Watch::begin(&signals)?,
        })
    }

    /// Blocks until a signal comes, and returns the one that came first. Tasks that wait get one each, in the order in
    /// which they came.
    ///
    /// # Cancellation
    /// No signal is taken.
    pub async fn get(&self) -> Result<Signal> {
        self.watch.next().await
    }

    /// Takes the signal that came first, if one has come and no task waits for it. Never blocks.
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<Option<Signal>> {
        self.watch.take_free()
    }

    /// The signals as a stream, which never ends. One that was polled and found nothing stands in the line for a
    /// signal, until it is polled again or dropped.
    ///
    /// # Cancellation
    /// That is an item, the error. No signal is taken, and the stream goes on.
    #[doc(alias = "__aiter__")]
    pub fn stream(&self) -> SignalStream<'_> {
        SignalStream {
            queue: self,
            get: None,
        }
    }
}

/// The signals of a queue, one by one: what [`SignalQueue::stream`] returns.
pub struct SignalStream<'a> {
    queue: &'a SignalQueue,
    /// The wait for a signal.
    get: Option<Pin<Box<dyn Future<Output = Result<Signal>> + 'a>>>,
}

impl Stream for SignalStream<'_> {
    type Item = Result<Signal>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let queue = self.queue;
        let get = self.get.get_or_insert_with(|| Box::pin(queue.get()));
        let polled = get.as_mut().poll(cx);
        if polled.is_ready() {
            self.get = None;
        }
        polled.map(Some)
    }
}

impl fmt::Debug for SignalStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalStream")
            .field("queue", self.queue)
            .finish_non_exhaustive()
    }
}
