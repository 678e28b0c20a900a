//! Control over when a task is interrupted: shields, and what is pending.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::{Error, Result};
use crate::runtime::{self, BlockKey, Running, Runtime};
use crate::traps;

pin_project! {
    /// A future with a shield around it.
    struct Shielded<F> {
        #[pin]
        inside: F,
        open: Option<Shield>,
    }
}

/// An open shield. Dropping it closes it.
struct Shield {
    key: BlockKey,
    /// The task that is behind it.
    inside: Running,
}

impl Shield {
    fn new() -> Self {
        runtime::with(|runtime| {
            let by = runtime.running();
            let key = runtime.waiting.open_shield(by);
            let inside = Running {
                task: by.task,
                block: Some(key),
                shielded: true,
            };
            Self { key, inside }
        })
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        runtime::with(|runtime| runtime.waiting.close(self.key));
    }
}

impl<F: Future> Future for Shielded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Another task has come to wait: that one is behind the shield now.
        let current = runtime::with(Runtime::running);
        if (this.open.as_ref()).is_some_and(|open| open.inside.task != current.task) {
            *this.open = None;
        }
        let inside = this.open.get_or_insert_with(Shield::new).inside;
        runtime::with(|runtime| runtime.swap(inside));
        let polled = this.inside.poll(cx);
        runtime::with(|runtime| runtime.swap(current));
        if polled.is_ready() {
            *this.open = None;
        }
        polled
    }
}

/// Runs a future that is not to be interrupted: inside it no operation fails because the task is cancelled or a
/// timeout block expires, be that around it or in it.
///
/// What comes meanwhile is pending. It arrives at the first operation after the future that blocks, if by then the
/// task is still in the timeout block in question. [`check_cancellation`] tells of it before.
///
/// An error that the future itself returns goes out as it is.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn save() -> curio::Result<()> { Ok(()) }
/// # async fn example() -> curio::Result<()> {
/// loop {
///     curio::disable_cancellation(save()).await?;
///     curio::sleep(Duration::from_secs(1)).await?; // It is cancelled here, and never while it saves.
/// }
/// # }
/// ```
///
/// # Cancellation
/// It arrives afterwards.
pub fn disable_cancellation<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Shielded {
        inside: future,
        open: None,
    }
}

/// Whether the task that runs is to be interrupted at the next operation that blocks. Never blocks.
///
/// In [`disable_cancellation`] that stays pending. [`take_cancellation`] says what it is.
///
/// ```no_run
/// # async fn step() -> curio::Result<()> { Ok(()) }
/// # async fn example() -> curio::Result<()> {
/// curio::disable_cancellation(async {
///     while !curio::check_cancellation()? {
///         step().await?;
///     }
///     Ok(())
/// })
/// .await
/// # }
/// ```
///
/// # Errors
/// What is pending, if the task may be interrupted here. It is not pending any more then.
///
/// # Panics
/// If no task runs.
pub fn check_cancellation() -> Result<bool> {
    let by = look();
    runtime::with(|runtime| {
        runtime.waiting.take_interruption(by)?;
        Ok(runtime.waiting.has_pending(by))
    })
}

/// Takes what the task that runs is to be interrupted with, if it is `wanted`: it is pending no more. Never
/// blocks, and does the same in [`disable_cancellation`] and outside.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// if let Some(timeout) = curio::take_cancellation(curio::Error::is_timeout) {
///     println!("{timeout}, but we are nearly there");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// If no task runs.
#[doc(alias = "check_cancellation(exc_type)")]
pub fn take_cancellation(wanted: impl FnOnce(&Error) -> bool) -> Option<Error> {
    let by = look();
    runtime::with(|runtime| runtime.waiting.take_pending(by, wanted))
}

/// Says what the task that runs is to be interrupted with at the next operation that blocks, or that it is not to be,
/// and returns what it was to be before. Never blocks.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// // To be done first, even if the task was cancelled meanwhile:
/// let pending = curio::set_cancellation(None);
/// curio::yield_now().await?;
/// curio::set_cancellation(pending);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// If no task runs.
pub fn set_cancellation(error: Option<Error>) -> Option<Error> {
    let before = take_cancellation(|_| true);
    runtime::with(|runtime| {
        let task = runtime.running().task;
        runtime.waiting.set_pending(task, error);
    });
    before
}

/// The task that runs, and where. If that is in a block, its time may have come since anyone last asked.
fn look() -> Running {
    let by = runtime::with(Runtime::running);
    if by.block.is_some() {
        traps::clock();
    }
    by
}
