//! What tasks do with locks, semaphores, events, conditions, queues and gates.

use std::future::{Future, poll_fn};
use std::pin::pin;

use curio::Result;
use curio::sync::LockGuard;

use super::super::kind::Kind;
use super::super::model::{Line, Place, Ticket, of_condition, of_rlock};
use super::super::program::{Op, SEMAPHORES};
use super::super::world::{Waiting, World};

/// Something that a task has. It is given back when this is dropped, as the task's own code or whoever drops its
/// future does.
struct Held<G, F: FnMut()> {
    guard: Option<G>,
    given_back: F,
}

impl<G, F: FnMut()> Drop for Held<G, F> {
    fn drop(&mut self) {
        drop(self.guard.take());
        (self.given_back)();
    }
}

/// A notification that a task has, and has not used.
struct Notified<'a>(&'a World, usize);

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let line = Line::Condition(self.1);
        self.0.model(|model| model.wake(line, 1));
    }
}

impl World {
    pub(super) async fn use_thing(&self, place: Place, op: &Op) -> Result<()> {
        match op {
            Op::Lock(lock, script) => self.with_lock(place, *lock, script).await,
            Op::RLock(rlock, script) => self.with_rlock(place, *rlock, script).await,
            Op::Semaphore(number, script) => self.with_semaphore(place, *number, script).await,
            Op::SetEvent(event) => {
                self.set_event(*event);
                Ok(())
            }
            Op::ClearEvent(event) => {
                self.events[*event].clear();
                self.model(|model| model.things.events[*event] = false);
                Ok(())
            }
            Op::WaitEvent(event) => {
                let ticket = self.model(|model| model.wait_event(place, *event));
                self.expect(ticket, self.events[*event].wait()).await
            }
            Op::Notify(condition, count) => self.notify(place, *condition, *count).await,
            Op::WaitCondition(condition) => self.wait_condition(place, *condition).await,
            Op::Put(queue) => self.put(place, *queue).await,
            Op::Get(queue) => self.get(place, *queue).await,
            Op::JoinQueue(queue) => {
                let ticket = self.model(|model| model.join_queue(place, *queue));
                self.expect(ticket, self.queues[*queue].join()).await
            }
            Op::OpenGate(gate) => {
                self.open_gate(*gate);
                Ok(())
            }
            Op::WaitGate(gate) => {
                let ticket = self.model(|model| model.wait_gate(place, *gate));
                self.expect(ticket, self.gates[*gate].wait()).await
            }
            other => unreachable!("{other:?} is no thing"),
        }
    }

    async fn with_lock(&self, place: Place, lock: usize, script: &[Op]) -> Result<()> {
        let ticket = self.model(|model| model.lock(place, lock));
        let guard = self.expect(ticket, self.locks[lock].lock()).await?;
        self.enter(lock, place.task);
        let _held = Held {
            guard: Some(guard),
            given_back: || {
                self.leave(lock);
                self.model(|model| model.hand_over(lock));
            },
        };
        self.run_script(place, script).await
    }

    async fn with_rlock(&self, place: Place, rlock: usize, script: &[Op]) -> Result<()> {
        let ticket = self.model(|model| model.rlock(place, rlock));
        let guard = self.expect(ticket, self.rlocks[rlock].lock()).await?;
        let lock = of_rlock(rlock);
        self.enter(lock, place.task);
        self.model(|model| model.take_rlock(rlock, place.task));
        let _held = Held {
            guard: Some(guard),
            given_back: || {
                self.leave(lock);
                self.model(|model| model.give_rlock(rlock));
            },
        };
        self.run_script(place, script).await
    }

    async fn with_semaphore(&self, place: Place, number: usize, script: &[Op]) -> Result<()> {
        let ticket = self.model(|model| model.acquire(place, number));
        let guard = self
            .expect(ticket, self.semaphores[number].acquire())
            .await?;
        self.places.borrow_mut()[number] += 1;
        let inside = self.places.borrow()[number];
        assert!(inside <= SEMAPHORES[number], "{inside} in {number}");
        let _held = Held {
            guard: Some(guard),
            given_back: || {
                self.places.borrow_mut()[number] -= 1;
                self.model(|model| model.release(number));
            },
        };
        self.run_script(place, script).await
    }

    pub(crate) fn set_event(&self, event: usize) {
        self.events[event].set();
        self.model(|model| model.set_event(event));
    }

    pub(crate) fn open_gate(&self, gate: usize) {
        self.gates[gate].open();
        self.model(|model| model.open_gate(gate));
    }

    async fn lock_condition(&self, place: Place, condition: usize) -> Result<LockGuard<'_>> {
        let ticket = self.model(|model| model.lock(place, of_condition(condition)));
        let lock = self.conditions[condition].lock();
        self.expect(ticket, lock).await
    }

    /// Notifies those that wait for a condition, whose lock this task takes for that.
    pub(crate) async fn notify(&self, place: Place, condition: usize, count: usize) -> Result<()> {
        let guard = self.lock_condition(place, condition).await?;
        self.conditions[condition].notify(count)?;
        self.model(|model| model.wake(Line::Condition(condition), count));
        drop(guard);
        self.model(|model| model.hand_over(of_condition(condition)));
        Ok(())
    }

    async fn wait_condition(&self, place: Place, condition: usize) -> Result<()> {
        let lock = of_condition(condition);
        let guard = self.lock_condition(place, condition).await?;
        let ticket = self.model(|model| {
            // It is released before anything else.
            model.hand_over(lock);
            model.begin(place, Line::Condition(condition), true)
        });
        // First the notification is waited for, then the lock; what of that is given up goes on to others, the
        // lock first, as the order of these says.
        let notified;
        let mut waiting = Waiting::new(self, ticket);
        let mut passed_on = None;
        let guard = {
            let mut future = pin!(self.conditions[condition].wait(guard));
            poll_fn(|cx| {
                if let Ticket::Waits(id) = waiting.ticket
                    && passed_on.is_none()
                    && self.model(|model| model.is_woken(id))
                {
                    waiting.finish(&Ok(()));
                    passed_on = Some(Notified(self, condition));
                    let ticket = self.model(|model| model.lock(place, lock));
                    waiting = Waiting::new(self, ticket);
                }
                let ends = waiting.ends();
                let polled = future.as_mut().poll(cx);
                waiting.check_polled(ends, polled.is_ready());
                polled
            })
            .await
        };
        notified = passed_on;
        waiting.finish(&guard.as_ref().map(drop).map_err(Kind::of));
        let guard = guard?;
        std::mem::forget(notified);
        self.enter(lock, place.task);
        self.leave(lock);
        drop(guard);
        self.model(|model| model.hand_over(lock));
        Ok(())
    }

    async fn put(&self, place: Place, queue: usize) -> Result<()> {
        let item = self.new_item();
        let ticket = self.model(|model| model.put(place, queue));
        let waits = matches!(ticket, Ticket::Waits(_));
        self.expect(ticket, self.queues[queue].put(item)).await?;
        self.item_put(item);
        self.model(|model| model.has_put(queue, item, waits));
        Ok(())
    }

    async fn get(&self, place: Place, queue: usize) -> Result<()> {
        let ticket = self.model(|model| model.get(place, queue));
        let waits = matches!(ticket, Ticket::Waits(_));
        let item = self.expect(ticket, self.queues[queue].get()).await?;
        self.item_taken(item);
        self.model(|model| model.has_got(queue, item, waits));
        self.queues[queue].task_done()?;
        self.model(|model| model.task_done(queue));
        Ok(())
    }

    /// Puts an item into a queue, or takes one, if that does not block. For the caretaker.
    pub(crate) async fn serve_queue(&self, place: Place, queue: usize) -> Result<()> {
        let op = if self.queues[queue].is_empty() {
            Op::Put(queue)
        } else {
            Op::Get(queue)
        };
        self.timeout(place, 0, false, &[op]).await
    }
}
