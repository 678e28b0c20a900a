//! Pools: how many jobs are under way at a time.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bindings::workers::{self as kernel, Place};
use crate::sync::Semaphore;

/// How many jobs of [`run_in_thread`](super::run_in_thread) are under way at a time, unless
/// [`set_blocking_executor`] says otherwise.
pub const MAX_WORKER_THREADS: usize = 64;

/// How many jobs of [`run_in_process`](super::run_in_process) are under way at a time, unless [`set_cpu_executor`] says
/// otherwise: as many as there are processors.
#[doc(alias = "MAX_WORKER_PROCESSES")]
pub fn max_worker_processes() -> usize {
    (kernel::processors() as usize).max(1)
}

/// Has jobs done on other threads, a number of them at a time. Clones are the same pool.
///
/// A pool is only a number: workers that have nothing to do are kept for whoever has something for them.
#[doc(alias = "ThreadPoolExecutor")]
#[derive(Clone, Debug)]
pub struct ThreadPool(Rc<Pool>);

/// Has jobs done in other processes, a number of them at a time. Clones are the same pool.
#[doc(alias = "ProcessPoolExecutor")]
#[derive(Clone, Debug)]
pub struct ProcessPool(Rc<Pool>);

/// What has jobs done: a [`ThreadPool`] or a [`ProcessPool`].
pub trait Executor: private::Executor {}

impl Executor for ThreadPool {}
impl Executor for ProcessPool {}

/// A number of jobs at a time.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(super) place: Place,
    pub(super) slots: Semaphore,
}

mod private {
    use std::rc::Rc;

    pub trait Executor {
        /// What it is made of.
        #[expect(private_interfaces, reason = "sealed: nobody else implements it")]
        fn pool(&self) -> &Rc<super::Pool>;
    }
}

impl private::Executor for ThreadPool {
    #[expect(private_interfaces, reason = "sealed")]
    fn pool(&self) -> &Rc<Pool> {
        &self.0
    }
}

impl private::Executor for ProcessPool {
    #[expect(private_interfaces, reason = "sealed")]
    fn pool(&self) -> &Rc<Pool> {
        &self.0
    }
}

/// One of the two.
#[derive(Clone)]
pub(super) struct Default(Rc<Pool>);

impl Executor for Default {}

impl private::Executor for Default {
    fn pool(&self) -> &Rc<Pool> {
        &self.0
    }
}

impl ThreadPool {
    /// Has so many jobs done at a time.
    ///
    /// # Panics
    /// If that is none.
    pub fn new(size: usize) -> Self {
        Self(pool(Place::Thread, size))
    }
}

impl ProcessPool {
    /// Has so many jobs done at a time.
    ///
    /// # Panics
    /// If that is none.
    pub fn new(size: usize) -> Self {
        Self(pool(Place::Process, size))
    }
}

fn pool(place: Place, size: usize) -> Rc<Pool> {
    assert!(size > 0, "a pool does at least one job at a time");
    let slots = Semaphore::new(size);
    Rc::new(Pool { place, slots })
}

thread_local! {
    static BLOCKING: RefCell<Option<Default>> = const { RefCell::new(None) };
    static CPU: RefCell<Option<Default>> = const { RefCell::new(None) };
}

/// Says who does the jobs of [`run_in_thread`](super::run_in_thread) from now on. Those that wait in line already are
/// done as before.
pub fn set_blocking_executor(executor: &impl Executor) {
    BLOCKING.set(Some(Default(executor.pool().clone())));
}

/// Says who does the jobs of [`run_in_process`](super::run_in_process) from now on. Those that wait in line already are
/// done as before.
pub fn set_cpu_executor(executor: &impl Executor) {
    CPU.set(Some(Default(executor.pool().clone())));
}

pub(super) fn blocking_executor() -> Default {
    BLOCKING.with_borrow_mut(|executor| {
        let executor =
            executor.get_or_insert_with(|| Default(pool(Place::Thread, MAX_WORKER_THREADS)));
        executor.clone()
    })
}

pub(super) fn cpu_executor() -> Default {
    CPU.with_borrow_mut(|executor| {
        let executor =
            executor.get_or_insert_with(|| Default(pool(Place::Process, max_worker_processes())));
        executor.clone()
    })
}
