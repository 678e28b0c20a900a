//! Functions that block, on one thread each.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::output::JobOutput;
use super::run_in_thread;
use crate::cancellation::check_cancellation;
use crate::error::Result;
use crate::sync::Lock;

thread_local! {
    /// Where those wait whose function is being run: one line for each function of the program that was ever run so.
    static LINES: RefCell<BTreeMap<TypeId, Rc<Lock>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs a function on another thread, as [`run_in_thread`] does, but each function on one thread at a time: others who
/// want the same wait in line, first come, first served.
///
/// It is for functions that block, in taking a [`SharedLock`](crate::sync::SharedLock) say. However many tasks call
/// them, they do not use up the threads that others need.
///
/// ```no_run
/// use curio::Result;
/// use curio::sync::SharedLock;
/// use curio::thread::AWAIT;
///
/// fn rebuild((lock, name): (SharedLock, String)) -> Result<usize> {
///     let _guard = AWAIT(lock.lock())?;
///     Ok(name.len())
/// }
///
/// # async fn example(lock: &SharedLock) -> Result<()> {
/// let size = curio::block_in_thread(rebuild, (lock.clone(), "index".to_owned())).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`run_in_thread`].
///
/// # Cancellation
/// The worker is stopped, wherever it is: what the function has done until then stays done. The next one in line goes
/// on. A function that was not begun never is.
pub async fn block_in_thread<F, A, R, K>(function: F, argument: A) -> Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    check_cancellation()?;
    let line = LINES.with_borrow_mut(|lines| lines.entry(TypeId::of::<F>()).or_default().clone());
    let _turn = line.lock_for("thread-turn").await?;
    run_in_thread(function, argument).await
}
