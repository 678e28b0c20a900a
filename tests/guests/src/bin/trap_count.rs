//! What makes traps, and what makes none. A case asks twice for the time; what it asks of the kernel in between is
//! counted by the test. Where tasks take turns, these are few: now and then the kernel is asked to look after the rest.

use std::cell::Cell;
use std::rc::Rc;

use curio::queue::{LifoQueue, PriorityQueue, Queue};
use curio::sync::{BoundedSemaphore, Condition, Event, Lock, RLock, ResultCell, Semaphore};
use curio::traps::{SchedFifo, sleep_until};
use curio::{
    Local, Result, TaskGroup, Wait, check_cancellation, clock, current_task, disable_cancellation,
    set_cancellation, spawn, take_cancellation, yield_now,
};
use futures::StreamExt;

test_guests::cases! {
    a_free_lock
    a_free_rlock
    a_semaphore_with_room
    an_event_that_is_set
    a_result_that_is_set
    a_condition_that_holds
    a_queue_with_room
    queues_of_other_orders
    a_queue_s_stream
    a_join_of_an_ended_task
    a_group_whose_members_have_ended
    what_is_known_of_a_task
    values_of_a_task
    a_check_for_a_cancellation
    a_lock_that_is_handed_over
    items_that_are_waited_for
    a_yield
    a_wake_up
    a_spawn
    a_sleep
}

/// Does something between two traps.
async fn count<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    clock();
    let result = what.await;
    clock();
    result
}

async fn a_free_lock() -> Result<()> {
    let lock = Lock::new();
    count(async {
        for _ in 0..100 {
            drop(lock.lock().await?);
            drop(lock.try_lock());
            lock.lock().await?.forget();
            lock.release()?;
        }
        Ok(())
    })
    .await
}

async fn a_free_rlock() -> Result<()> {
    let lock = RLock::new();
    count(async {
        for _ in 0..100 {
            let _outer = lock.lock().await?;
            let _inner = lock.lock().await?;
        }
        Ok(())
    })
    .await
}

async fn a_semaphore_with_room() -> Result<()> {
    let (semaphore, bounded) = (Semaphore::new(2), BoundedSemaphore::new(2));
    count(async {
        for _ in 0..100 {
            let _places = (semaphore.acquire().await?, semaphore.acquire().await?);
            bounded.acquire().await?.forget();
            bounded.release()?;
        }
        Ok(())
    })
    .await
}

async fn an_event_that_is_set() -> Result<()> {
    let event = Event::new();
    count(async {
        for _ in 0..100 {
            event.set();
            event.wait().await?;
            event.clear();
        }
        Ok(())
    })
    .await
}

async fn a_result_that_is_set() -> Result<()> {
    let result = ResultCell::new();
    count(async {
        for n in 0..100 {
            result.set_value(n);
            assert_eq!(result.get().await?, n);
        }
        Ok(())
    })
    .await
}

async fn a_condition_that_holds() -> Result<()> {
    let condition = Condition::new();
    count(async {
        for _ in 0..100 {
            let guard = condition.lock().await?;
            let _guard = condition.wait_for(guard, || true).await?;
            condition.notify_all()?;
        }
        Ok(())
    })
    .await
}

async fn a_queue_with_room() -> Result<()> {
    let queue = Queue::bounded(2);
    count(async {
        for n in 0..100 {
            queue.put(n).await?;
            queue.put(n + 1).await?;
            assert_eq!(queue.get().await? + 1, queue.get().await?);
            queue.task_done()?;
            queue.task_done()?;
            queue.join().await?;
        }
        Ok(())
    })
    .await
}

async fn queues_of_other_orders() -> Result<()> {
    let (smallest, newest) = (PriorityQueue::new(), LifoQueue::new());
    count(async {
        for n in 0..100 {
            smallest.put(n).await?;
            newest.put(n).await?;
        }
        while !smallest.is_empty() {
            assert_eq!(smallest.get().await? + newest.get().await?, 99);
        }
        Ok(())
    })
    .await
}

async fn a_queue_s_stream() -> Result<()> {
    let queue = Queue::new();
    for n in 0..100 {
        queue.put(n).await?;
    }
    count(async {
        let items: Vec<_> = queue.stream().take(100).collect().await;
        assert_eq!(items.len(), 100);
        Ok(())
    })
    .await
}

async fn a_join_of_an_ended_task() -> Result<()> {
    let task = spawn(async { Ok(7) });
    task.wait().await?;
    count(async {
        task.wait().await?;
        assert!(!task.cancel().await?);
        assert_eq!(task.join().await?, 7);
        assert!(task.exception()?.is_none());
        Ok(())
    })
    .await
}

async fn a_group_whose_members_have_ended() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let tasks = [1, 2, 3].map(|n| group.spawn(async move { Ok(n) }));
    for task in tasks {
        task.wait().await?;
    }
    count(async {
        assert_eq!(group.next_result().await?, 1);
        group.join().await?;
        assert_eq!(group.results()?, [2, 3]);
        Ok(())
    })
    .await
}

async fn what_is_known_of_a_task() -> Result<()> {
    let line = Rc::new(SchedFifo::new());
    let waits = line.clone();
    let task = spawn(async move { waits.suspend("gate-wait").await });
    yield_now().await?;
    count(async {
        assert_eq!(task.state().to_string(), "gate-wait");
        assert_eq!(task.cycles(), 1);
        let parent = task.parent().expect("it runs");
        assert_eq!(parent.id(), current_task().id());
        assert_eq!(parent.children().len(), 1);
        assert_eq!(parent.state().to_string(), "running");
        Ok(())
    })
    .await?;
    line.wake(1);
    task.join().await
}

async fn values_of_a_task() -> Result<()> {
    static VALUE: Local<u32> = Local::new();

    count(async {
        for n in 0..100 {
            VALUE.set(n);
            assert_eq!(VALUE.get(), Some(n));
        }
        Ok(())
    })
    .await
}

async fn a_check_for_a_cancellation() -> Result<()> {
    count(async {
        assert!(!check_cancellation()?);
        assert!(take_cancellation(|_| true).is_none());
        assert!(set_cancellation(None).is_none());
        disable_cancellation(async { Ok(()) }).await
    })
    .await
}

async fn a_lock_that_is_handed_over() -> Result<()> {
    let (lock, entered) = (Rc::new(Lock::new()), Rc::new(Cell::new(0)));
    let tasks: [_; 2] = std::array::from_fn(|_| {
        let (lock, entered) = (lock.clone(), entered.clone());
        spawn(async move {
            for _ in 0..3 {
                let _guard = lock.lock().await?;
                yield_now().await?;
                entered.set(entered.get() + 1);
            }
            Ok(())
        })
    });
    count(async {
        while entered.get() < 6 {
            yield_now().await?;
        }
        Ok(())
    })
    .await?;
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn items_that_are_waited_for() -> Result<()> {
    let queue = Rc::new(Queue::bounded(1));
    let items = queue.clone();
    let producer = spawn(async move {
        for n in 0..5 {
            items.put(n).await?;
        }
        Ok(())
    });
    count(async {
        for n in 0..5 {
            assert_eq!(queue.get().await?, n);
        }
        producer.join().await
    })
    .await
}

async fn a_yield() -> Result<()> {
    count(yield_now()).await
}

async fn a_wake_up() -> Result<()> {
    let line = Rc::new(SchedFifo::new());
    let waits = line.clone();
    let task = spawn(async move { waits.suspend("gate-wait").await });
    yield_now().await?;
    count(async {
        line.wake(1);
        task.join().await
    })
    .await
}

async fn a_spawn() -> Result<()> {
    let task = count(async { Ok(spawn(async { Ok(()) })) }).await?;
    task.join().await
}

async fn a_sleep() -> Result<()> {
    let until = clock() + test_guests::ms(1);
    count(sleep_until(until)).await?;
    Ok(())
}
