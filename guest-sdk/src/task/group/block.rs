//! A group around a block of code.

use super::state::weightier;
use super::{TaskGroup, Wait};
use crate::error::{Error, Result};

/// Runs a block of code with a group of tasks, none of which runs any more when the block is left.
///
/// If the block returns a value, the group is joined: it waits for its members as [`Wait`] says,
/// and cancels the rest. If the block returns an error, or is cancelled, all members are cancelled at once.
///
/// ```no_run
/// use curio::{Wait, task_group};
///
/// # async fn check(host: &str) -> curio::Result<bool> { Ok(host.is_empty()) }
/// # async fn example() -> curio::Result<()> {
/// let group = task_group(Wait::All, async |group| {
///     for host in ["red", "green", "blue"] {
///         group.spawn(check(host));
///     }
///     Ok(group)
/// })
/// .await?;
/// println!("{:?}", group.results()?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The block's own, unless the task is cancelled while the group ends; otherwise that of the member whose failure ended the wait, as [`TaskGroup::join`]
/// tells it. A block that has joined its group was told, and does not fail for that again.
///
/// # Cancellation
/// All members are cancelled. That is returned when they have ended, however long it takes. If the future is
/// dropped, nobody can wait for them: their cancellation is requested.
#[doc(alias = "TaskGroup")]
pub async fn task_group<T, R>(
    wait: Wait<T>,
    block: impl AsyncFnOnce(TaskGroup<T>) -> Result<R>,
) -> Result<R>
where
    T: 'static,
{
    let closing = Closing(TaskGroup::new(wait));
    let group = &closing.0;
    match block(group.clone()).await {
        Ok(value) if group.is_joined() => Ok(value),
        Ok(value) => group.join().await.map(|()| value),
        Err(error) => Err(match group.state.end_all(None).await {
            // A task is told only once that it was cancelled.
            Some(told) if matches!(told, Error::TaskCancelled) || error.is_timeout() => {
                weightier(error, told)
            }
            _ => error,
        }),
    }
}

/// Requests the cancellation of a group's members when it is dropped, even if others have handles.
struct Closing<T>(TaskGroup<T>);

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        self.0.state.close();
    }
}
