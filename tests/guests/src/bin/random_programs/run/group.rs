//! Task groups.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Context, Poll};

use curio::{Result, TaskGroup, Wait, task_group};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::super::kind::Kind;
use super::super::model::Place;
use super::super::program::{Op, Policy};
use super::super::world::World;

/// A group's future, whose steps the model is told of.
struct Watched<'a> {
    world: &'a World,
    place: Place,
    group: usize,
    future: Option<LocalBoxFuture<'a, Result<()>>>,
}

impl Watched<'_> {
    fn is_cancelled(&self) -> impl Fn(usize) -> bool {
        let handles = self.world.handles.borrow().clone();
        move |member| handles[&member].is_cancelled()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let (world, place, group) = (self.world, self.place, self.group);
        world.model(|model| model.before_group(group));
        let future = self.future.as_mut().expect("it has not ended");
        let polled = future.poll_unpin(cx);
        let is_cancelled = self.is_cancelled();
        world.model(|model| model.after_group(place, group, polled.is_pending(), is_cancelled));
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if self.future.take().is_some() {
            let (group, is_cancelled) = (self.group, self.is_cancelled());
            self.world
                .model(|model| model.group_dropped(group, is_cancelled));
        }
    }
}

impl World {
    pub(super) async fn group(
        &self,
        place: Place,
        policy: Policy,
        members: &[usize],
        script: &[Op],
    ) -> Result<()> {
        let group = self.model(|model| model.new_group(policy));
        let handle = RefCell::new(None);
        let wait = match policy {
            Policy::All => Wait::All,
            Policy::Any => Wait::Any,
            Policy::Even => Wait::Object(|value: &u64| value.is_multiple_of(2)),
            Policy::None => Wait::None,
        };
        let block = async |tasks: TaskGroup<u64>| {
            for member in members {
                self.model(|model| model.spawned(*member, Some(group)));
                self.grouped.borrow_mut().insert(*member);
                let task = tasks.spawn(self.body(*member));
                self.handles.borrow_mut().insert(*member, task);
            }
            handle.replace(Some(tasks));
            let result = self.run_script(place, script).await;
            let kind = result.as_ref().map(drop).map_err(Kind::of);
            self.model(|model| model.block_ended(group, kind));
            result
        };
        let mut watched = Watched {
            world: self,
            place,
            group,
            future: Some(Box::pin(task_group(wait, block))),
        };
        let result = poll_fn(|cx| watched.poll(cx)).await;
        drop(watched);
        self.check_group(group, &result, &handle.take().expect("the block was run"));
        result
    }

    fn check_group(&self, group: usize, result: &Result<()>, tasks: &TaskGroup<u64>) {
        let members = tasks.tasks();
        let alive = members.iter().find(|task| !task.is_terminated());
        assert!(alive.is_none(), "a group has ended, and {alive:?} has not");
        let Some(end) = self.model(|model| Some(model.group_end(group))) else {
            return;
        };
        let kind = result.as_ref().map(drop).map_err(Kind::of);
        assert_eq!(kind, end.result, "the result of group {group}");
        let completed = tasks.completed().map(|task| task.id());
        let expected = end.completed.and_then(|member| self.handle(member));
        assert_eq!(completed, expected.map(|task| task.id()), "group {group}");
    }
}
