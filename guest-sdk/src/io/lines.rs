//! The lines that come.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::{RawIo, Stream};
use crate::error::Result;

/// The lines that come on a stream, each with its end; the last one may have none. [`Stream::lines`] makes it.
///
/// It is a [`futures_core::Stream`] too. After an error it may be asked again, and goes on where it was.
///
/// ```no_run
/// # async fn example(mut stream: curio::io::SocketStream) -> curio::Result<()> {
/// let mut lines = stream.lines();
/// while let Some(line) = lines.next().await {
///     println!("{}", line?.escape_ascii());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias = "__aiter__")]
pub struct Lines<'a, T> {
    stream: &'a mut Stream<T>,
}

impl<'a, T: RawIo> Lines<'a, T> {
    pub(super) fn new(stream: &'a mut Stream<T>) -> Self {
        Self { stream }
    }

    /// The next line; nothing at the end of the stream.
    ///
    /// # Errors
    /// As [`Stream::read_line`].
    ///
    /// # Cancellation
    /// As [`Stream::read_line`]: nothing is lost.
    #[doc(alias = "__anext__")]
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        let line = self.stream.read_line().await;
        line.map(|line| (!line.is_empty()).then_some(line))
            .transpose()
    }
}

impl<T: RawIo> futures_core::Stream for Lines<'_, T> {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let line = std::task::ready!(self.stream.poll_line(cx));
        Poll::Ready(
            line.map(|line| (!line.is_empty()).then_some(line))
                .transpose(),
        )
    }
}
