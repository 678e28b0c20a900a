//! A queue as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{Items, Queued};
use crate::error::Result;

/// The items of a queue, one by one: what [`Queued::stream`] returns.
///
/// A stream that was polled and found nothing stands in the line for an item, until it is polled again or dropped.
/// So nothing is lost when its `next()` is dropped, by `select!` say; but an item may be put for it, which
/// waits until it comes back. Drop the stream with it if it does not.
///
/// # Cancellation
/// That is an item, the error. No item of the queue is taken, and the stream goes on.
pub struct QueueStream<'a, I: Items> {
    queue: &'a Queued<I>,
    /// The wait for an item.
    get: Option<Get<'a, I::Item>>,
}

type Get<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

impl<'a, I: Items> QueueStream<'a, I> {
    pub(super) fn new(queue: &'a Queued<I>) -> Self {
        Self { queue, get: None }
    }
}

impl<I: Items> Stream for QueueStream<'_, I> {
    type Item = Result<I::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let queue = self.queue;
        if self.get.is_none()
            && let Some(item) = queue.take_free()
        {
            return Poll::Ready(Some(Ok(item)));
        }
        let get = self.get.get_or_insert_with(|| Box::pin(queue.get()));
        let polled = get.as_mut().poll(cx);
        if polled.is_ready() {
            self.get = None;
        }
        polled.map(Some)
    }
}

impl<I: Items> fmt::Debug for QueueStream<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueStream")
            .field("queue", self.queue)
            .finish_non_exhaustive()
    }
}
