//! Jobs, for guests whose second argument says where they are done: on a `thread` or in a `process`.

use curio::Error;
use curio::workers::{JobError, JobOutput, ProcessPool, ThreadPool};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Has a job done where the test wants it.
pub async fn run<F, A, R, K>(function: F, argument: A) -> curio::Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    if in_process() {
        curio::run_in_process(function, argument).await
    } else {
        curio::run_in_thread(function, argument).await
    }
}

/// The same, by a pool for so many.
pub async fn run_by<F, A, R, K>(pool: &Pool, function: F, argument: A) -> curio::Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    match pool {
        Pool::Threads(pool) => curio::run_in_executor(pool, function, argument).await,
        Pool::Processes(pool) => curio::run_in_executor(pool, function, argument).await,
    }
}

/// A pool where the test wants it.
#[derive(Clone, Debug)]
pub enum Pool {
    /// Of threads.
    Threads(ThreadPool),
    /// Of processes.
    Processes(ProcessPool),
}

impl Pool {
    /// A pool for so many jobs at a time.
    pub fn new(size: usize) -> Self {
        if in_process() {
            Self::Processes(ProcessPool::new(size))
        } else {
            Self::Threads(ThreadPool::new(size))
        }
    }
}

/// Whether jobs are to be done in processes.
pub fn in_process() -> bool {
    std::env::args().nth(2).as_deref() == Some("process")
}

/// The error of a job that must fail.
#[track_caller]
pub fn job_error(error: Error) -> JobError {
    match error {
        Error::Job(error) => error,
        other => panic!("{other}"),
    }
}

/// Takes its time.
pub fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

/// Never ends.
pub fn spin((): ()) {
    loop {
        std::hint::spin_loop();
    }
}
