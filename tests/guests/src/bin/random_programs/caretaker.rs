//! The caretaker of a program: its main task, which looks whether all is well whenever time has passed, and lets
//! those go on in the end that nobody else would wake.

use std::rc::Rc;

use curio::{Result, sleep, spawn};

use super::model::Place;
use super::program::{CONDITIONS, EVENTS, GATES, Program, QUEUES};
use super::world::World;

/// After how many ticks events are set, gates opened, items put and taken; …
const HELP_AFTER: u32 = 40;

/// … all tasks are cancelled, and each time when that has passed again those that were spawned since; …
const CANCEL_AFTER: u32 = 60;

/// … and all must have ended.
const END_AFTER: u32 = 1000;

/// Runs a program, and checks that it does what it must. Panics if it does not.
pub(crate) async fn run(world: Rc<World>) -> Result<()> {
    world.model(|model| model.spawned(0, None));
    let root = spawn(world.body(0));
    world.handles.borrow_mut().insert(0, root);
    for tick in 0.. {
        // All else happens at whole ticks: nobody but this task runs now.
        world.half_a_tick().await?;
        world.look();
        if world.alive().is_empty() {
            break;
        }
        world.half_a_tick().await?;
        if tick >= HELP_AFTER {
            world.help().await?;
        }
        if tick > 0 && tick % CANCEL_AFTER == 0 {
            for task in world.alive() {
                world.request_cancel(task);
            }
        }
        assert!(tick < END_AFTER, "tasks {:?} never end", world.alive());
    }
    world.model(|model| model.at_end());
    for lock in &world.locks {
        assert!(lock.try_lock().is_some(), "a dead task has a lock");
    }
    world.handles.take();
    assert_eq!(Rc::strong_count(&world), 1, "what tasks hold is dropped");
    Ok(())
}

impl World {
    async fn half_a_tick(&self) -> Result<()> {
        let length = self.ticks(1) / 2;
        let until = curio::clock() + length;
        let woken = sleep(length).await?;
        assert!(woken >= until && (!self.simulated || woken == until));
        Ok(())
    }

    /// The tasks that have not ended.
    fn alive(&self) -> Vec<usize> {
        let handles = self.handles.borrow();
        let alive = handles.iter().filter(|(_, task)| !task.is_terminated());
        alive.map(|(number, _)| *number).collect()
    }

    /// Compares what there is with what there should be.
    fn look(&self) {
        let alive = self.alive();
        self.model(|model| {
            model.at_rest();
            assert_eq!(alive, model.alive(), "the tasks that have not ended");
            let things = &model.things;
            let plain = self.locks.iter().map(curio::sync::Lock::is_locked);
            let recursive = self.rlocks.iter().map(curio::sync::RLock::is_locked);
            let of_conditions = self.conditions.iter();
            let of_conditions = of_conditions.map(curio::sync::Condition::is_locked);
            let locks: Vec<_> = plain.chain(recursive).chain(of_conditions).collect();
            assert_eq!(locks, things.locks, "the locks");
            let free = self.semaphores.iter().map(curio::sync::Semaphore::value);
            assert!(free.eq(things.semaphores.iter().copied()), "the semaphores");
            let set = self.events.iter().map(curio::sync::Event::is_set);
            assert!(set.eq(things.events.iter().copied()), "the events");
            let items = self.queues.iter().map(curio::queue::Queue::len);
            let expected = things.queues.iter().map(|queue| queue.items.len());
            assert!(items.eq(expected), "the queues");
        });
    }

    /// Lets those go on that wait for what nobody may do.
    async fn help(&self) -> Result<()> {
        let place = Place::of_task(self.program.scripts.len());
        for event in 0..EVENTS {
            self.set_event(event);
        }
        for gate in 0..GATES {
            self.open_gate(gate);
        }
        for condition in 0..CONDITIONS {
            if !self.conditions[condition].is_locked() {
                self.notify(place, condition, usize::MAX).await?;
            }
        }
        for queue in 0..QUEUES.len() {
            self.serve_queue(place, queue).await?;
        }
        Ok(())
    }
}

/// A program, in its world.
pub(crate) fn world(program: Program, simulated: bool, log: bool) -> Rc<World> {
    Rc::new_cyclic(|this| World::new(this.clone(), program, simulated, log))
}
