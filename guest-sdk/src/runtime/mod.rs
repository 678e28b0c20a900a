//! The guest's half of the scheduler: the loop that asks the kernel who may go on, and polls them.
//!
//! - `tasks`: the futures of all tasks
//! - `waiting`: what they wait for, and how that ends
//! - `pass`: who runs in this pass, and who in the next
//! - `labels`: the names that the kernel knows tasks by
//! - `waker`: a task's `Waker`, for futures of other crates
//!
//! A guest has one thread and one kernel, so all of it is one thread-local value.

mod labels;
mod pass;
mod tasks;
mod waiting;
mod waker;

use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::time::Duration;

use self::labels::Labels;
pub(crate) use self::labels::short;
use self::pass::{Pass, Ready};
pub(crate) use self::tasks::State;
use self::tasks::Tasks;
use self::waiting::Waiting;
pub(crate) use self::waiting::{BlockKey, Line, Looked, Running, WaitKey, WaitsFor};
use self::waker::task_waker;
use crate::bindings::log;
use crate::error::{Error, Result};
use crate::task::TaskOptions;
use crate::traps;

thread_local! {
    // Never dropped, and made when the program is compiled, so that getting at it costs nothing.
    static RUNTIME: ManuallyDrop<Runtime> = const { ManuallyDrop::new(Runtime::new()) };
}

/// How long shutting down may take before it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The guest's half of the scheduler.
pub(crate) struct Runtime {
    /// The futures of all tasks.
    pub(crate) tasks: Tasks,
    /// What they wait for.
    pub(crate) waiting: Waiting,
    /// Who runs in this pass, and who in the next.
    pub(crate) pass: Pass,
    /// The names that the kernel knows tasks by.
    pub(crate) labels: Labels,
    /// The task that runs, and where in its code it is; no task between two.
    current: Cell<Running>,
    /// The task that the others serve.
    main: Cell<u64>,
    /// Whether the program ends with that, and not only a job.
    is_program: Cell<bool>,
}

/// Gives access to the runtime.
pub(crate) fn with<T>(use_it: impl FnOnce(&Runtime) -> T) -> T {
    RUNTIME.with(|runtime| use_it(runtime))
}

impl Runtime {
    const fn new() -> Self {
        Self {
            tasks: Tasks::new(),
            waiting: Waiting::new(),
            pass: Pass::new(),
            labels: Labels::new(),
            current: Cell::new(Running::in_no_block(0)),
            main: Cell::new(0),
            is_program: Cell::new(false),
        }
    }

    /// The task that runs, and where in its code it is.
    ///
    /// # Panics
    /// If no task runs: a future of this crate is polled by something else than `curio::run`.
    pub(crate) fn running(&self) -> Running {
        let running = self.current.get();
        assert!(
            running.task != 0,
            "curio's operations work only in tasks of curio::run"
        );
        running
    }

    /// The task that runs, if one does.
    pub(crate) fn current(&self) -> Option<u64> {
        Some(self.current.get().task).filter(|task| *task != 0)
    }

    /// Enters a block, or leaves it for where the task was before: returns that.
    pub(crate) fn swap(&self, running: Running) -> Running {
        self.current.replace(running)
    }

    /// Makes a task ready, from its `Waker`.
    fn wake(&self, index: u32) {
        if let Some(task) = self.tasks.id_at(index) {
            self.pass.push_task(self, task);
        }
    }

    /// Resumes a task.
    fn resume(&self, ready: Ready) {
        if let Some(waker) = ready.waker {
            // The task counts as ready until it is polled, so that this doesn't make it so once more.
            waker.wake();
        }
        self.current.set(Running::in_no_block(ready.task));
        let ended = self.tasks.poll(ready.task);
        self.leave(ready.task, ended);
    }

    /// Drops the future of a task.
    fn abort(&self, task: u64) {
        self.current.set(Running::in_no_block(task));
        let ended = self.tasks.abort(task);
        self.leave(task, ended);
    }

    fn leave(&self, task: u64, ended: bool) {
        self.current.set(Running::in_no_block(0));
        if ended {
            self.waiting.forget(task);
        }
    }

    /// Runs tasks until one has ended.
    fn run_until_ended(&self, task: u64) {
        loop {
            self.settle();
            if !self.tasks.contains(task) {
                return;
            }
            self.pass.begin(self);
            while let Some(ready) = self.pass.next() {
                self.resume(ready);
            }
        }
    }

    /// Drops the tasks that were interrupted and can't be told, until there is none: what they held may have
    /// been the reason for others to go on, a group its members'.
    fn settle(&self) {
        loop {
            self.pass.end();
            let dropped = self.waiting.settle(self);
            if dropped.is_empty() {
                return;
            }
            for task in dropped {
                self.abort(task);
            }
        }
    }

    /// Cancels the task that the others serve, since the host asks for the program's end.
    fn cancel_main(&self) {
        let cancelled = self.cancel(self.main.get(), Error::TaskCancelled);
        if !cancelled && self.is_program.get() {
            // It has ended, which the kernel can't know yet: nobody is left who could clean up.
            std::process::exit(130);
        }
    }

    /// Cancels a task, if it has not ended. That is done once, and nothing happens any other time.
    /// Returns false if it had ended.
    pub(crate) fn cancel(&self, task: u64, error: Error) -> bool {
        let Some(state) = self.tasks.state(task) else {
            return false;
        };
        state.header().note_cancelled();
        self.waiting.cancel(self, task, error);
        true
    }

    /// Cancels all tasks, the newest first, one after the other.
    pub(crate) fn shut_down(&self) {
        loop {
            let tasks = self.tasks.newest_first();
            if tasks.is_empty() {
                return;
            }
            // They may spawn others while they end: those are for the next round.
            for task in tasks {
                self.cancel_and_wait(task);
            }
        }
    }

    fn cancel_and_wait(&self, task: u64) {
        if !self.cancel(task, Error::TaskCancelled) {
            return;
        }
        let begun = traps::clock();
        self.run_until_ended(task);
        let took = traps::clock().since(begun);
        if took > PATIENCE {
            let message = format!("a task took {took:?} to end after it was cancelled");
            log::write(log::Level::Warn, &message);
        }
    }
}

/// Runs `main` as the first task, and all the tasks it spawns, until it ends.
///
/// Then the remaining tasks are cancelled, the newest first, each after the one before has
/// ended. Returns what `main` returned.
///
/// If the program is asked to end (SIGINT, SIGTERM), `main` is cancelled. Should it be blocked at that
/// moment in a future that is none of this crate's, it is dropped and the program exits with status 130.
///
/// See also the attribute [`main`](macro@crate::main).
///
/// # Panics
/// If it is called from within a task.
pub fn run<F>(main: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    crate::file::enter_initial_directory();
    with(|runtime| runtime.is_program.set(true));
    let output = run_main(main);
    with(Runtime::shut_down);
    output.unwrap_or_else(exit_interrupted)
}

/// Runs a future as the main task until it ends.
///
/// # Panics
/// If it is called from within a task.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    run_main(future).unwrap_or_else(exit_interrupted)
}

/// Runs a future as the main task until it ends. It returns nothing, if it was cancelled where nothing can be returned
/// from.
fn run_main<F: Future>(main: F) -> Option<F::Output> {
    let output = Cell::new(None);
    let main = async {
        output.set(Some(main.await));
        Ok::<_, Error>(())
    };
    let main: Pin<Box<dyn Future<Output = Result<()>> + '_>> = Box::pin(main);
    #[expect(
        unsafe_code,
        reason = "a task's future is not bound to where it is spawned, but this one is"
    )]
    // SAFETY: the task, and with it the future, is gone before this function returns: `run_until_ended` says so. Nor does
    // the function end by a panic after that: one of the future's ends the program.
    let main: Pin<Box<dyn Future<Output = Result<()>>>> = unsafe { std::mem::transmute(main) };
    with(|runtime| {
        assert!(
            runtime.current().is_none(),
            "curio::run and AWAIT can't be called from within a task; use .await there"
        );
        let main = TaskOptions::new().name("main").spawn(main);
        let main = main.id().number();
        runtime.main.set(main);
        runtime.run_until_ended(main);
    });
    output.take()
}

/// Ends a program whose main task was cancelled where nothing can be returned from.
fn exit_interrupted<T>() -> T {
    std::process::exit(130)
}
