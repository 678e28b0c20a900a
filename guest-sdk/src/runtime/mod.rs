//! The guest's half of the scheduler: the loop that asks the kernel who may go on, and polls them.
//!
//! - `tasks`: the futures of all tasks
//! - `blocks`: the open timeout blocks
//! - `labels`: the names that the kernel knows tasks by
//! - `pass`: who runs in this pass, and who in the next
//! - `slots`: what futures wait for that the kernel knows of
//! - `suspended`: who waits for something of the program's own
//! - `waker`: a task's `Waker`, for futures that make no trap
//!
//! A guest has one thread and one kernel, so all of it is one thread-local value.

mod blocks;
mod labels;
mod pass;
mod resumption;
mod slots;
mod suspended;
mod tasks;
mod waker;

use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use self::blocks::Blocks;
use self::labels::Labels;
pub(crate) use self::labels::short;
use self::pass::{Next, Pass};
use self::resumption::Resumption;
use self::slots::Slots;
use self::suspended::Suspended;
pub(crate) use self::suspended::{Line, Wake};
pub(crate) use self::tasks::State;
use self::tasks::Tasks;
use self::waker::task_waker;
use crate::bindings::log;
use crate::bindings::traps::{self, Caller, Outcome};
use crate::task::TaskOptions;

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
    /// What futures wait for.
    pub(crate) slots: Slots,
    /// Who waits for something of the program's own.
    pub(crate) suspended: Suspended,
    /// The open timeout blocks.
    pub(crate) blocks: Blocks,
    /// The task that runs, and the timeout block it is in; no task between two.
    current: Cell<Running>,
    /// Who runs in this pass, and who in the next.
    pub(crate) pass: Pass,
    /// The task that is about to be polled, which it is no use to wake.
    about_to_run: Cell<u64>,
    /// The names that the kernel knows tasks by.
    pub(crate) labels: Labels,
}

/// A task that runs, and the innermost timeout block it is in. 0 is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Running {
    /// The task.
    pub(crate) task: u64,
    /// The innermost timeout block it is in.
    pub(crate) scope: u64,
}

impl Running {
    /// What the kernel is told of who makes a trap.
    pub(crate) fn caller(self, cookie: u32) -> Caller {
        Caller {
            task: self.task,
            scope: self.scope,
            cookie,
        }
    }
}

/// Gives access to the runtime.
pub(crate) fn with<T>(use_it: impl FnOnce(&Runtime) -> T) -> T {
    RUNTIME.with(|runtime| use_it(runtime))
}

impl Runtime {
    const fn new() -> Self {
        Self {
            tasks: Tasks::new(),
            slots: Slots::new(),
            suspended: Suspended::new(),
            blocks: Blocks::new(),
            current: Cell::new(Running { task: 0, scope: 0 }),
            pass: Pass::new(),
            about_to_run: Cell::new(0),
            labels: Labels::new(),
        }
    }

    /// The task that runs, and the timeout block it is in.
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

    /// Enters a timeout block, or leaves it for the one before: returns that.
    pub(crate) fn swap_scope(&self, scope: u64) -> u64 {
        let running = self.current.get();
        self.current.set(Running { scope, ..running });
        running.scope
    }

    /// Makes a task ready, from its `Waker`.
    fn wake(&self, index: u32) {
        if let Some(task) = self.tasks.id_at(index)
            && task != self.about_to_run.get()
        {
            self.pass.note_asked();
            traps::wake(task);
        }
    }

    /// Resumes a task, as the kernel says.
    fn resume(&self, resumption: &Resumption) {
        let task = resumption.task;
        if self.keep_interruption(resumption) {
            return;
        }
        self.about_to_run.set(task);
        let dropped = resumption.cookie == 0 && resumption.outcome == Outcome::Cancelled;
        if resumption.cookie != 0 {
            self.slots.end(resumption);
        }
        self.about_to_run.set(0);
        self.poll(task, dropped);
    }

    /// Polls a task, or drops its future.
    fn poll(&self, task: u64, dropped: bool) {
        self.current.set(Running { task, scope: 0 });
        let ended = if dropped {
            self.tasks.abort(task)
        } else {
            self.tasks.poll(task)
        };
        self.current.set(Running::default());
        if ended {
            self.suspended.forget(self, task);
            self.slots.forget(task, |cookie| self.pass.comes(cookie));
        }
    }

    /// The kernel doesn't know who is suspended, has yielded or was woken by another task, and takes such a
    /// task for one that can't be told of an interruption. It can: the kernel is told of its waits, or of
    /// those to come, and asked to try again.
    fn keep_interruption(&self, resumption: &Resumption) -> bool {
        let task = resumption.task;
        let scope = match resumption.outcome {
            Outcome::Cancelled if resumption.cookie == 0 => None,
            Outcome::ScopeExpired => self.blocks.by_cookie(resumption.cookie),
            _ => return false,
        };
        if !self.suspended.tell(self, task) {
            if !self.pass.is_ready(task) {
                return false;
            }
            self.tasks.set_eager(task);
        }
        self.pass.note_asked();
        match scope {
            None => traps::redeliver_cancel(task),
            Some(scope) => traps::redeliver_timeout(scope),
        }
        true
    }

    /// Resumes a task that yielded or was woken by another.
    fn go_on(&self, task: u64, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.about_to_run.set(task);
            waker.wake();
            self.about_to_run.set(0);
        }
        self.poll(task, false);
    }

    /// Runs tasks until one has ended.
    fn run_until_ended(&self, task: u64) {
        while self.tasks.contains(task) {
            self.pass.begin();
            while let Some(next) = self.pass.next() {
                match next {
                    Next::Told(resumption) => self.resume(&resumption),
                    Next::Own(task, waker) => self.go_on(task, waker),
                }
            }
        }
    }

    /// Cancels all tasks, the newest first, one after the other.
    fn shut_down(&self) {
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
        self.pass.note_asked();
        if !traps::cancel(task) {
            return;
        }
        if let Some(state) = self.tasks.state(task) {
            state.header().note_cancelled();
        }
        let begun = traps::now();
        self.run_until_ended(task);
        let took = Duration::from_nanos(traps::now().saturating_sub(begun));
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
    let result = Rc::new(Cell::new(None));
    let output = result.clone();
    let main = async move {
        output.set(Some(main.await));
        Ok::<_, crate::Error>(())
    };
    with(|runtime| {
        assert!(
            runtime.current().is_none() && runtime.tasks.newest_first().is_empty(),
            "curio::run can't be called from within a task"
        );
        let main = TaskOptions::new().name("main").spawn(main);
        runtime.run_until_ended(main.id().number());
        runtime.shut_down();
    });
    // It was cancelled where nothing can be returned from.
    result.take().unwrap_or_else(|| std::process::exit(130))
}
