//! Time: the clock, sleeping, and timeouts.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::error::{Error, Result, TimedOut};
use crate::runtime::{self, BlockKey, Running, Runtime};
use crate::traps;

/// A point in time, on the kernel's monotonic clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    nanos: u64,
}

impl Instant {
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// Nanoseconds since the kernel began.
    pub fn as_nanos(self) -> u64 {
        self.nanos
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// The instant `length` later; the end of time if that is too far.
    fn add(self, length: Duration) -> Self {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Self {
            nanos: self.nanos.saturating_add(nanos),
        }
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// How long after `earlier` this is; zero if it is not after it.
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// The time on the kernel's clock. Never blocks.
pub fn clock() -> Instant {
    traps::clock()
}

/// Sleeps for a time, and returns the time of waking. A sleep of zero is [`yield_now`].
///
/// # Cancellation
/// The rest of the sleep is off.
#[doc(alias = "_sleep")]
pub async fn sleep(length: Duration) -> Result<Instant> {
    if length.is_zero() {
        traps::reschedule().await?;
        return Ok(clock());
    }
    traps::sleep_until(clock() + length).await
}

/// Goes to the end of the ready queue: the other ready tasks run first, and I/O is looked after.
///
/// # Cancellation
/// This is a place where a pending cancellation arrives.
#[doc(alias = "sleep(0)")]
#[doc(alias = "schedule")]
pub fn yield_now() -> impl Future<Output = Result<()>> {
    traps::reschedule()
}

/// How long a timeout block may take.
#[derive(Clone, Copy)]
enum Limit {
    /// From when it is entered.
    For(Duration),
    /// Until then.
    Until(Instant),
}

impl Limit {
    /// The deadline of a block that is entered now.
    fn deadline(self) -> Instant {
        match self {
            Self::For(time) => clock() + time,
            Self::Until(deadline) => deadline,
        }
    }
}

pin_project! {
    /// A future with a timeout block around it, if there is a limit.
    ///
    /// It and what is made of it are no `async` functions: each of those would hold the future twice, so
    /// that nested timeouts would take memory without end.
    struct Block<F> {
        #[pin]
        inside: F,
        limit: Option<Limit>,
        open: Option<Open>,
    }
}

pin_project! {
    /// A block whose timeout is an error.
    struct Timeout<F> {
        #[pin]
        block: Block<F>,
    }
}

pin_project! {
    /// A block whose timeout is no value.
    struct Ignore<F> {
        #[pin]
        block: Block<F>,
    }
}

/// An open timeout block. Dropping it closes it.
struct Open {
    key: BlockKey,
    /// The task that is in it, and where.
    inside: Running,
}

impl Open {
    fn new(deadline: Instant) -> Self {
        runtime::with(|runtime| {
            let by = runtime.running();
            let key = runtime.waiting.open_block(by, deadline);
            let inside = Running {
                block: Some(key),
                ..by
            };
            Self { key, inside }
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        runtime::with(|runtime| runtime.waiting.close(self.key));
    }
}

impl<T, F: Future<Output = Result<T>>> Future for Block<F> {
    /// What the future returned, and whether its error is this block's own timeout.
    type Output = (Result<T>, bool);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(limit) = *this.limit else {
            return this.inside.poll(cx).map(|result| (result, false));
        };
        // Another task has come to wait for the block: that one is in it now.
        let current = runtime::with(Runtime::running);
        if (this.open.as_ref()).is_some_and(|open| open.inside.task != current.task) {
            *this.open = None;
        }
        let open = this.open.get_or_insert_with(|| Open::new(limit.deadline()));
        let key = open.key;
        runtime::with(|runtime| runtime.swap(open.inside));
        let polled = this.inside.poll(cx);
        let gave_up = runtime::with(|runtime| {
            runtime.swap(current);
            polled
                .is_pending()
                .then(|| runtime.waiting.look_at_block(key, cx))
        });
        let result = match (polled, gave_up.flatten()) {
            (Poll::Ready(result), _) => result,
            (Poll::Pending, None) => return Poll::Pending,
            // Nothing inside can be told: it is dropped with the block.
            (Poll::Pending, Some(at)) => Err(Error::TaskTimeout(TimedOut::new(at))),
        };
        let result = leave(key, result);
        *this.open = None;
        Poll::Ready(result)
    }
}

/// What a result becomes when it crosses the border of a block, and whether it is the block's own timeout.
fn leave<T>(block: BlockKey, result: Result<T>) -> (Result<T>, bool) {
    let timed_out = match &result {
        Err(Error::TaskTimeout(timed_out) | Error::TimeoutCancellation(timed_out)) => {
            timed_out.clone()
        }
        _ => return (result, false),
    };
    let outermost = runtime::with(|runtime| runtime.waiting.outermost_expired(block, timed_out.at));
    match outermost {
        Some(outermost) if outermost == block => (Err(Error::TaskTimeout(timed_out)), true),
        Some(_) => (Err(Error::TimeoutCancellation(timed_out)), false),
        None => (Err(Error::UncaughtTimeout), false),
    }
}

impl<F> Block<F> {
    fn new(limit: Option<Limit>, inside: F) -> Self {
        Self {
            inside,
            limit,
            open: None,
        }
    }
}

impl<T, F: Future<Output = Result<T>>> Future for Timeout<F> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().block.poll(cx).map(|(result, _)| result)
    }
}

impl<T, F: Future<Output = Result<T>>> Future for Ignore<F> {
    type Output = Result<Option<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().block.poll(cx).map(|ended| match ended {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), true) => Ok(None),
            (Err(error), false) => Err(error),
        })
    }
}

/// Runs a future, for a time at most; `None` is no limit of its own.
///
/// When the time has passed, the operation in which the future is blocked fails with [`Error::TaskTimeout`],
/// so that it may clean up, which may block too. Timeouts nest:
///
/// - If this block's time passes, the error leaves it as [`Error::TaskTimeout`].
/// - If an outer block's time passes, the error leaves this one as [`Error::TimeoutCancellation`], and the outer
///   one as `TaskTimeout`. If both have passed, the outer one counts.
/// - If the future passes on the timeout of an inner block, it leaves this one as [`Error::UncaughtTimeout`].
///
/// A future that blocks in something that is no operation of this crate can't be told; it is dropped.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn example() -> curio::Result<()> {
/// let slow = curio::sleep(Duration::from_secs(60));
/// let error = curio::timeout_after(Duration::from_millis(10), slow).await.unwrap_err();
/// assert!(matches!(error, curio::Error::TaskTimeout(_)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The future's own; what becomes of a timeout is said above.
///
/// # Cancellation
/// The future gets the cancellation, without any timeout while it cleans up.
pub fn timeout_after<T>(
    after: impl Into<Option<Duration>>,
    future: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    let block = Block::new(after.into().map(Limit::For), future);
    Timeout { block }
}

/// As [`timeout_after`], until a point in time.
///
/// # Errors
/// As [`timeout_after`].
///
/// # Cancellation
/// As [`timeout_after`].
#[doc(alias = "_set_timeout")]
#[doc(alias = "_unset_timeout")]
pub fn timeout_at<T>(
    deadline: impl Into<Option<Instant>>,
    future: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    let block = Block::new(deadline.into().map(Limit::Until), future);
    Timeout { block }
}

/// As [`timeout_after`], but if this block's time passes, the result is `None` and no error.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn example() -> curio::Result<()> {
/// let slow = curio::sleep(Duration::from_secs(60));
/// assert_eq!(curio::ignore_after(Duration::from_millis(10), slow).await?, None);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The future's own. A timeout that is not this block's leaves it as it leaves [`timeout_after`].
///
/// # Cancellation
/// As [`timeout_after`].
pub fn ignore_after<T>(
    after: impl Into<Option<Duration>>,
    future: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<Option<T>>> {
    let block = Block::new(after.into().map(Limit::For), future);
    Ignore { block }
}

/// As [`ignore_after`], until a point in time.
///
/// # Errors
/// As [`ignore_after`].
///
/// # Cancellation
/// As [`timeout_after`].
pub fn ignore_at<T>(
    deadline: impl Into<Option<Instant>>,
    future: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<Option<T>>> {
    let block = Block::new(deadline.into().map(Limit::Until), future);
    Ignore { block }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_future_once() {
        let future = async {
            let held = [0_u8; 1000];
            yield_now().await?;
            Ok(held.len())
        };
        let size = size_of_val(&future);
        let block = timeout_after(None, ignore_at(None, timeout_after(None, future)));
        assert!(size_of_val(&block) < size + 500);
    }

    #[test]
    fn an_instant_stops_at_the_end_of_time() {
        let end = Instant::from_nanos(u64::MAX);
        assert_eq!(Instant::from_nanos(1) + Duration::MAX, end);
        assert_eq!(end + Duration::from_nanos(1), end);
        assert_eq!(Instant::from_nanos(1) - end, Duration::ZERO);
        assert_eq!(
            end - Instant::from_nanos(u64::MAX - 7),
            Duration::from_nanos(7)
        );
    }
}
