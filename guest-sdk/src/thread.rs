//! Async threads: synchronous code beside the tasks, which can await.
//!
//! [`spawn_thread`] runs a function on a thread of its own, in another instance of the program (see
//! [`workers`](crate::workers)), and gives a task for it. The function is ordinary code, which may compute and block as
//! it likes; what tasks await, it can wait for with [`AWAIT`]. It is interrupted there and nowhere else.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use curio::thread::{AWAIT, spawn_thread};
//!
//! fn countdown(from: u32) -> curio::Result<u32> {
//!     for n in (1..=from).rev() {
//!         println!("T-minus {n}");
//!         AWAIT(curio::sleep(Duration::from_secs(1)))?;
//!     }
//!     Ok(from)
//! }
//!
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     let thread = spawn_thread(countdown, 10);
//!     assert_eq!(thread.join().await?, 10);
//!     Ok(())
//! }
//! ```

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::workers::Place;
use crate::error::Result;
use crate::runtime;
use crate::task::{Task, TaskOptions};
use crate::workers::{Call, JobOutput};

/// A function that runs on a thread of its own, as the tasks see it.
pub type AsyncThread<T> = Task<T>;

/// Runs a function on a thread of its own, and gives a task for that. There may be as many as `--max-threads` allows,
/// whatever the pool of [`run_in_thread`](crate::run_in_thread) has under way.
///
/// # Errors
/// The task fails with what [`run_in_thread`](crate::run_in_thread) fails with.
///
/// # Cancellation
/// When the task is cancelled, the function's next [`AWAIT`] fails with that, or the one that it is in; the task ends
/// when the function does. A function that awaits nothing is not interrupted:
/// [`run_in_thread`](crate::run_in_thread) is for that.
#[track_caller]
pub fn spawn_thread<F, A, R, K>(function: F, argument: A) -> AsyncThread<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    let name = runtime::short(std::any::type_name::<F>());
    TaskOptions::new()
        .name(name)
        .spawn(async_thread(function, argument))
}

/// Runs a function on a thread of its own and returns what it returns, as [`spawn_thread`] does, without another task.
///
/// # Errors
/// As [`run_in_thread`](crate::run_in_thread).
///
/// # Cancellation
/// The function's next [`AWAIT`] fails with a cancellation, or the one that it is in; and this with what came, when the
/// function has ended. If the function returns a value all the same, that is returned.
pub async fn async_thread<F, A, R, K>(function: F, argument: A) -> Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    let call = Call::new(function, &argument)?;
    let result = call.start(Place::Thread)?.end_together().await;
    // A queue that the thread has found by what it was given is there as long as a handle is.
    drop(argument);
    result
}

/// Waits for a future in synchronous code: in a worker, or before and after [`curio::run`](crate::run). What it spawns
/// goes on whenever something is awaited, and is cancelled when the job ends.
///
/// # Cancellation
/// In a function of [`spawn_thread`], the operation that the future is blocked in fails.
///
/// # Panics
/// If it is called from within a task, where `.await` is to be used.
#[expect(non_snake_case, reason = "so it is called in curio")]
#[doc(alias = "block_on")]
pub fn AWAIT<F: Future>(future: F) -> F::Output {
    runtime::block_on(future)
}

/// Whether this is synchronous code, in which [`AWAIT`] can be used: no task runs.
#[doc(alias = "is_async_thread")]
pub fn is_synchronous() -> bool {
    runtime::with(|runtime| runtime.current().is_none())
}
