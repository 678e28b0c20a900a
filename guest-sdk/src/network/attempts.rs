//! Attempts to connect to several addresses: each has a head start, then the next one begins beside it, and the first
//! that succeeds wins (RFC 8305). All are branches of the task that connects: what is left is closed when
//! they are dropped.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::time::sleep;

/// Attempts that failed, in the order in which they did.
pub(super) type Failed = Vec<(SocketAddr, Error)>;

/// Puts addresses into the order in which they are tried: that of preference, but with both families by turns.
pub(super) fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().map(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| Some(address.is_ipv6()) == first);
    let mut preferred = preferred.into_iter();
    let mut other = other.into_iter();
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        ordered.extend(preferred.next());
        ordered.extend(other.next());
        if ordered.len() == before {
            return ordered;
        }
    }
}

/// Tries addresses until one attempt succeeds. One that fails makes way for the next at once; without a
/// head start, nothing else does.
///
/// # Errors
/// All that failed, if all did; or the interruption of the task, alone.
pub(super) async fn first_success<T, F>(
    addresses: Vec<SocketAddr>,
    head_start: Option<Duration>,
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<T, Failed>
where
    F: Future<Output = Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut running = Vec::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            running.push((address, Box::pin(attempt(address))));
        } else if running.is_empty() {
            return Err(failed);
        }
        let head_start = head_start.filter(|_| waiting.len() > 0);
        match next_event(&mut running, head_start).await {
            Event::Ended(_, Ok(value)) => return Ok(value),
            Event::Ended(address, Err(error)) if error.is_cancellation() => {
                return Err(vec![(address, error)]);
            }
            Event::Ended(address, Err(error)) => failed.push((address, error)),
            Event::TimeIsUp => {}
        }
    }
}

/// What happens to attempts.
enum Event<T> {
    /// One has ended, or the task was interrupted.
    Ended(SocketAddr, Result<T>),
    /// The head start of the last one is over.
    TimeIsUp,
}

/// An attempt at an address.
type Attempt<F> = (SocketAddr, Pin<Box<F>>);

/// Blocks until something happens to one of the attempts, of which there is at least one.
async fn next_event<T, F>(running: &mut Vec<Attempt<F>>, head_start: Option<Duration>) -> Event<T>
where
    F: Future<Output = Result<T>>,
{
    let latest = running.last().map(|(address, _)| *address);
    let time = async {
        match head_start {
            Some(time) => sleep(time).await.map(drop),
            None => std::future::pending().await,
        }
    };
    let mut time = pin!(time);
    poll_fn(|cx| {
        if let Poll::Ready(ended) = poll_attempts(running, cx) {
            return Poll::Ready(ended);
        }
        match (time.as_mut().poll(cx), latest) {
            (Poll::Ready(Err(error)), Some(latest)) => {
                Poll::Ready(Event::Ended(latest, Err(error)))
            }
            (Poll::Ready(_), _) => Poll::Ready(Event::TimeIsUp),
            (Poll::Pending, _) => Poll::Pending,
        }
    })
    .await
}

/// Looks for an attempt that has ended, and takes it out.
fn poll_attempts<T, F>(running: &mut Vec<Attempt<F>>, cx: &mut Context<'_>) -> Poll<Event<T>>
where
    F: Future<Output = Result<T>>,
{
    for index in 0..running.len() {
        if let Poll::Ready(result) = running[index].1.as_mut().poll(cx) {
            let (address, attempt) = running.remove(index);
            drop(attempt);
            return Poll::Ready(Event::Ended(address, result));
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let ordered = |text: &str| {
            let addresses = text
                .split_whitespace()
                .map(|ip| SocketAddr::new(ip.parse().unwrap(), 1));
            let ordered = interleave(addresses.collect()).into_iter();
            ordered
                .map(|address| address.ip().to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (given, expected) in [
            ("", ""),
            ("0.0.0.1 0.0.0.2", "0.0.0.1 0.0.0.2"),
            ("::1 ::2 ::3 0.0.0.1", "::1 0.0.0.1 ::2 ::3"),
            (
                "0.0.0.1 ::1 ::2 0.0.0.2 0.0.0.3",
                "0.0.0.1 ::1 0.0.0.2 ::2 0.0.0.3",
            ),
        ] {
            assert_eq!(ordered(given), expected);
        }
    }
}
