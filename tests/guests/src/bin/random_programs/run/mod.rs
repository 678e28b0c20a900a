//! Runs the operations of a program, and tells the model of each.
//!
//! - here: what one operation is, and tasks
//! - `blocks`: timeout blocks, shields and branches
//! - `things`: locks, queues and the like; `group`: task groups

mod blocks;
mod group;
mod things;

use std::future::Future;

use curio::{
    Error, Result, TaskRef, check_cancellation, sleep, spawn, take_cancellation, yield_now,
};
use futures::future::LocalBoxFuture;

use super::kind::Kind;
use super::model::{Line, Place};
use super::program::Op;
use super::world::World;

/// The end of a task: by its own doing, or since its future is dropped.
struct End<'a> {
    world: &'a World,
    task: usize,
    result: Option<std::result::Result<(), Kind>>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let (world, task, result) = (self.world, self.task, self.result.take());
        world.log(|| format!("task {task} ends: {result:?}"));
        world.model(|model| model.ended(task, result));
    }
}

impl World {
    /// What a task runs.
    pub(crate) fn body(&self, task: usize) -> impl Future<Output = Result<u64>> + use<> {
        let world = self.this.upgrade().expect("it is being used");
        async move {
            let mut end = End {
                world: &world,
                task,
                result: None,
            };
            let script = &world.program.scripts[task];
            let result = world.run_script(Place::of_task(task), script).await;
            end.result = Some(result.as_ref().map(drop).map_err(Kind::of));
            drop(end);
            result.map(|()| task as u64)
        }
    }

    /// Runs operations, one after the other.
    pub(super) fn run_script<'a>(
        &'a self,
        place: Place,
        script: &'a [Op],
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for op in script {
                self.log(|| format!("task {}: {}", place.task, op.title()));
                let result = self.run_op(place, op).await;
                self.log(|| {
                    let kind = result.as_ref().map_err(Kind::of);
                    format!("task {}: {} → {kind:?}", place.task, op.title())
                });
                result?;
            }
            Ok(())
        })
    }

    async fn run_op(&self, place: Place, op: &Op) -> Result<()> {
        match op {
            Op::Sleep(ticks) => self.sleep(place, *ticks).await,
            Op::Yield => self.yield_now(place).await,
            Op::Fail => {
                let text = format!("task {} fails", place.task);
                Err(Error::other(text))
            }
            Op::Spawn(task) => {
                self.model(|model| model.spawned(*task, None));
                let handle = spawn(self.body(*task));
                self.handles.borrow_mut().insert(*task, handle);
                Ok(())
            }
            Op::Join(task) => self.join(place, *task).await,
            Op::Cancel(task) => self.cancel(place, *task, None).await,
            Op::CancelWith(task) => {
                let text = format!("task {} stops {task}", place.task);
                self.cancel(place, *task, Some(text)).await
            }
            Op::RequestCancel(task) => {
                self.request_cancel(*task);
                Ok(())
            }
            Op::Check => self.check(place),
            Op::Take => {
                let expected = self.model(|model| model.take_pending(place));
                let taken = take_cancellation(|_| true);
                if self.simulated {
                    assert_eq!(taken.as_ref().map(Kind::of), expected);
                }
                Ok(())
            }
            Op::Timeout(ticks, is_error, script) => {
                self.timeout(place, *ticks, *is_error, script).await
            }
            Op::Shield(script) => self.shield(place, script).await,
            Op::Both(way, left, right) => self.both(place, *way, left, right).await,
            Op::Race(way, left, right) => self.race(place, *way, left, right).await,
            Op::Catch(script, cleanup, swallow) => {
                let Err(error) = self.run_script(place, script).await else {
                    return Ok(());
                };
                self.run_script(place, cleanup).await?;
                if *swallow { Ok(()) } else { Err(error) }
            }
            Op::Group(policy, members, script) => self.group(place, *policy, members, script).await,
            _ => self.use_thing(place, op).await,
        }
    }

    async fn sleep(&self, place: Place, ticks: u32) -> Result<()> {
        let length = self.ticks(ticks);
        let until = curio::clock() + length;
        let line = Line::Sleep(until.as_nanos());
        let ticket = self.model(|model| model.begin(place, line, true));
        let woken = self.expect(ticket, sleep(length)).await?;
        assert!(woken >= until, "woken {woken:?}, until {until:?}");
        assert!(!self.simulated || woken == until, "{woken:?}, {until:?}");
        Ok(())
    }

    async fn yield_now(&self, place: Place) -> Result<()> {
        let interrupted = self.model(|model| model.take_interruption(place));
        let time = curio::clock();
        let result = yield_now().await;
        if self.simulated {
            assert_eq!(result.as_ref().err().map(Kind::of), interrupted);
            assert_eq!(curio::clock(), time, "giving others a turn takes no time");
        }
        result
    }

    fn check(&self, place: Place) -> Result<()> {
        let expected = self.model(|model| match model.take_interruption(place) {
            Some(kind) => Some(Err(kind)),
            None => Some(Ok(model.has_pending(place))),
        });
        let result = check_cancellation();
        if let Some(expected) = expected {
            let result = result.as_ref().copied().map_err(Kind::of);
            assert_eq!(result, expected);
        }
        result.map(drop)
    }

    /// A task to wait for: another one, unless what is to interrupt this one has done so already.
    fn other(&self, place: Place, task: usize) -> Option<curio::Task<u64>> {
        let told = self.model(|model| model.is_told(place.task));
        // On a real clock this is what is known of it.
        let told = told || (!self.simulated && curio::current_task().is_cancelled());
        self.handle(task).filter(|_| task != place.task && !told)
    }

    async fn join(&self, place: Place, task: usize) -> Result<()> {
        // A member that is joined leaves its group.
        if self.grouped.borrow().contains(&task) {
            return Ok(());
        }
        let Some(handle) = self.other(place, task) else {
            return Ok(());
        };
        let ticket = self.model(|model| {
            let alive = model.tasks[task].alive;
            model.begin(place, Line::End(task), alive)
        });
        let joining = async {
            match handle.join().await {
                Err(error @ (Error::Task(_) | Error::InvalidState(_))) => Ok(Err(error)),
                result => result.map(Ok),
            }
        };
        let result = self.expect(ticket, joining).await?;
        if self.simulated {
            let kind = result.as_ref().copied().map_err(Kind::of);
            assert_eq!(kind, self.joined(task), "the result of {task}");
        }
        match result {
            Err(error @ Error::Task(_)) if task % 2 == 1 => Err(error),
            _ => Ok(()),
        }
    }

    /// What joining a task that has ended gives.
    fn joined(&self, task: usize) -> std::result::Result<u64, Kind> {
        let joined = self.model(|model| {
            let of_task = &mut model.tasks[task];
            Some(match of_task.outcome.clone().expect("it has ended") {
                Err(kind) => Err(Kind::Task(Box::new(kind))),
                Ok(()) if std::mem::replace(&mut of_task.taken, true) => Err(Kind::InvalidState),
                Ok(()) => Ok(task as u64),
            })
        });
        joined.expect("the model takes part")
    }

    async fn cancel(&self, place: Place, task: usize, with: Option<String>) -> Result<()> {
        let Some(handle) = self.other(place, task) else {
            return Ok(());
        };
        let kind = with.clone().map_or(Kind::Cancelled, Kind::Own);
        let alive = self.model(|model| model.cancel(task, kind));
        let ticket = self.model(|model| model.begin(place, Line::End(task), alive));
        let cancelling = async {
            match with {
                Some(text) => handle.cancel_with(Error::other(text)).await,
                None => handle.cancel().await,
            }
        };
        let cancelled = self.expect(ticket, cancelling).await?;
        assert!(handle.is_terminated());
        assert!(!self.simulated || cancelled == alive);
        Ok(())
    }

    pub(super) fn request_cancel(&self, task: usize) {
        if let Some(handle) = self.handle(task) {
            let cancelled = TaskRef::request_cancel(&handle);
            let alive = self.model(|model| model.cancel(task, Kind::Cancelled));
            assert!(!self.simulated || cancelled == alive);
        }
    }
}
