//! Work outside the program's own thread: on other threads, and in other processes.
//!
//! The tasks of a program share one thread, so that one which computes for long holds up all others. A *worker* takes
//! such work over: it is another instance of the same program, with a kernel of its own, on another thread
//! ([`run_in_thread`]) or in another process ([`run_in_process`]). It has the program's rights, and nothing of its
//! memory: a job is a function of the program and its argument, which is serialised, as is what the function returns. A
//! worker keeps what its statics hold from one job to the next, but which job goes to which worker is not said.
//!
//! ```no_run
//! fn fib(n: u64) -> u64 {
//!     if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
//! }
//!
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     println!("{}", curio::run_in_process(fib, 40).await?);
//!     Ok(())
//! }
//! ```
//!
//! # What can be a job
//!
//! A function, or a closure that captures nothing, with one argument: a tuple, if it is to have several. The argument
//! and what is returned can be of any type that is `Serialize` and `DeserializeOwned`, and take up to 16 MiB. A job may
//! also
//!
//! - return a [`Result`]: its error comes out as [`Error::Job`](crate::Error::Job), with the error's
//!   text and those of its causes;
//! - be an `async fn`, or call [`AWAIT`](crate::thread::AWAIT): a worker can do all that the program can, be it sockets,
//!   tasks or workers of its own. Tasks that are left when a job ends are cancelled.
//!
//! # How a job ends
//!
//! By returning; or, if it panics, exits, passes a limit or its process is killed, by an
//! [`Error::Job`](crate::Error::Job) that says so. Then the worker is gone, and another one takes its place. When whoever
//! waits for a job is cancelled or times out, the worker is stopped in the middle of it, even in an endless loop.

mod blocking;
mod call;
mod entry;
mod error;
mod output;
mod pool;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::blocking::block_in_thread;
pub(crate) use self::call::Call;
pub(crate) use self::entry::Jobs;
pub use self::error::{JobError, JobErrorKind};
pub use self::output::{Asynchronous, Fallible, JobOutput, Plain};
pub use self::pool::{
    Executor, MAX_WORKER_THREADS, ProcessPool, ThreadPool, max_worker_processes,
    set_blocking_executor, set_cpu_executor,
};
use self::pool::{blocking_executor, cpu_executor};
use crate::cancellation::check_cancellation;
use crate::error::Result;

/// Runs a function on another thread, and returns what it returns. At most [`MAX_WORKER_THREADS`] jobs are under way at
/// a time, unless [`set_blocking_executor`] says otherwise; the others wait in line.
///
/// See the [module](self) for what can be a job.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let words = curio::run_in_thread(|text: String| text.split_whitespace().count(), "a b c".to_owned());
/// assert_eq!(words.await?, 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Job`](crate::Error::Job), if the job fails or its worker is lost. [`Error::Limit`](crate::Error::Limit), if
/// there are as many workers as `--max-threads` allows.
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument), if the argument can't be serialised or is too big.
///
/// # Cancellation
/// The worker is stopped, wherever it is: what the job has done until then stays done. Its place is free at once.
#[doc(alias = "run_blocking")]
pub async fn run_in_thread<F, A, R, K>(function: F, argument: A) -> Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    run_in_executor(&blocking_executor(), function, argument).await
}

/// Runs a function in another process, and returns what it returns. At most [`max_worker_processes`] jobs are under way
/// at a time, unless [`set_cpu_executor`] says otherwise; the others wait in line.
///
/// A worker process has the rights of the program's and no others; the system holds it to them as far as it can. What it
/// takes besides, memory and CPU time, does not count with the program's, but against limits of the same size.
///
/// See the [module](self) for what can be a job, and an example.
///
/// # Errors
/// As [`run_in_thread`]; the limit is `--max-processes`.
///
/// # Cancellation
/// The process gets a SIGTERM, and a SIGKILL if it is there a moment later. Its place is free at once.
#[doc(alias = "run_cpu_bound")]
pub async fn run_in_process<F, A, R, K>(function: F, argument: A) -> Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    run_in_executor(&cpu_executor(), function, argument).await
}

/// Runs a function by a pool of the program's own: a [`ThreadPool`] or a [`ProcessPool`].
///
/// ```no_run
/// use curio::workers::ThreadPool;
///
/// # async fn example() -> curio::Result<()> {
/// let two_at_a_time = ThreadPool::new(2);
/// let group = curio::task_group(curio::Wait::All, async |group| {
///     for n in 0..10_u64 {
///         let pool = two_at_a_time.clone();
///         group.spawn(async move { curio::run_in_executor(&pool, |n: u64| n * n, n).await });
///     }
///     Ok(())
/// });
/// # group.await.map(drop)
/// # }
/// ```
///
/// # Errors
/// As [`run_in_thread`].
///
/// # Cancellation
/// As [`run_in_thread`] and [`run_in_process`].
pub async fn run_in_executor<F, A, R, K>(
    executor: &impl Executor,
    function: F,
    argument: A,
) -> Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    let call = Call::new(function, &argument)?;
    // A job whose result nobody will see is not begun.
    check_cancellation()?;
    let pool = executor.pool();
    let _place = pool.slots.acquire().await?;
    let result = call.start(pool.place)?.end().await;
    // A queue that the worker has found by what it was given is there as long as a handle is.
    drop(argument);
    result
}
