//! Events and conditions.

use std::cell::Cell;
use std::rc::Rc;

use curio::sync::{Condition, Event, Lock};
use curio::traps::SchedFifo;
use curio::{Error, Result, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    an_event_releases_those_that_wait
    those_that_wait_for_an_event_wake_in_order
    an_event_cleared_at_once_has_been_seen
    a_set_event_takes_no_cycle
    an_event_wait_can_be_cancelled
    an_event_wait_can_time_out
    a_hundred_thousand_may_wait_for_an_event
    a_condition_wait_can_be_cancelled
    a_condition_wait_can_time_out
    wait_for_looks_again_at_every_notification
    wait_for_what_holds_does_not_wait
    notify_with_nobody_waiting_does_nothing
    notify_wakes_no_more_than_it_says
    notify_all_goes_on_before_those_it_wakes
    notify_needs_the_lock
    wait_needs_the_guard_of_its_own_lock
    a_notified_task_cancelled_at_the_lock_passes_it_on
    a_notified_task_that_times_out_at_the_lock_leaves_it_alone
    a_line_wakes_as_many_as_there_are
    a_wait_for_a_line_can_be_dropped
}

async fn an_event_releases_those_that_wait() -> Result<()> {
    let event = Rc::new(Event::new());
    assert!(!event.is_set());
    let inner = event.clone();
    let task = spawn(async move { inner.wait().await });
    yield_now().await?;
    assert_eq!(task.state().to_string(), "event-wait");
    event.set();
    task.join().await?;
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
    Ok(())
}

async fn those_that_wait_for_an_event_wake_in_order() -> Result<()> {
    let (notes, event) = (Notes::new(), Rc::new(Event::new()));
    let tasks = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| {
        let (notes, event) = (notes.clone(), event.clone());
        spawn(async move {
            event.wait().await?;
            notes.add(n);
            Ok(())
        })
    });
    yield_now().await?;
    event.set();
    notes.add("set");
    for task in tasks {
        task.join().await?;
    }
    notes.are(["set", "0", "1", "2", "3", "4", "5", "6", "7"]);
    Ok(())
}

async fn an_event_cleared_at_once_has_been_seen() -> Result<()> {
    let event = Rc::new(Event::new());
    let inner = event.clone();
    let task = spawn(async move {
        inner.wait().await?;
        Ok(inner.is_set())
    });
    yield_now().await?;
    event.set();
    event.clear();
    assert!(!task.join().await?);
    Ok(())
}

async fn a_set_event_takes_no_cycle() -> Result<()> {
    let event = Event::new();
    event.set();
    let cycles = curio::current_task().cycles();
    event.wait().await?;
    assert_eq!(curio::current_task().cycles(), cycles);
    Ok(())
}

async fn an_event_wait_can_be_cancelled() -> Result<()> {
    let (notes, event) = (Notes::new(), Rc::new(Event::new()));
    let (inner, inner_notes) = (event.clone(), notes.clone());
    let task = spawn(async move {
        let error = fails(inner.wait().await);
        inner_notes.add(&error);
        Err::<(), _>(error)
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.add("after");
    notes.are(["the task was cancelled", "after"]);
    event.set();
    Ok(())
}

async fn an_event_wait_can_time_out() -> Result<()> {
    let event = Event::new();
    assert!(fails(timeout_after(ms(2), event.wait()).await).is_timeout());
    event.set();
    event.wait().await
}

async fn a_hundred_thousand_may_wait_for_an_event() -> Result<()> {
    let event = Rc::new(Event::new());
    let mut tasks: Vec<_> = (0..100_000)
        .map(|_| {
            let event = event.clone();
            spawn(async move { event.wait().await })
        })
        .collect();
    yield_now().await?;
    for task in tasks.split_off(50_000) {
        task.cancel().await?;
    }
    event.set();
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_condition_wait_can_be_cancelled() -> Result<()> {
    let condition = Rc::new(Condition::new());
    let inner = condition.clone();
    let task = spawn(async move {
        let guard = inner.lock().await?;
        inner.wait(guard).await.map(drop)
    });
    yield_now().await?;
    assert_eq!(task.state().to_string(), "condition-wait");
    assert!(!condition.is_locked());
    assert!(task.cancel().await?);
    assert!(!condition.is_locked());
    Ok(())
}

async fn a_condition_wait_can_time_out() -> Result<()> {
    let condition = Condition::new();
    let guard = condition.lock().await?;
    assert!(fails(timeout_after(ms(2), condition.wait(guard)).await).is_timeout());
    assert!(!condition.is_locked());
    Ok(())
}

async fn wait_for_looks_again_at_every_notification() -> Result<()> {
    let (condition, n) = (Rc::new(Condition::new()), Rc::new(Cell::new(0)));
    let looked = Rc::new(Cell::new(0));
    let (inner, seen, count) = (condition.clone(), n.clone(), looked.clone());
    let task = spawn(async move {
        let guard = inner.lock().await?;
        let holds = || {
            count.set(count.get() + 1);
            seen.get() == 3
        };
        drop(inner.wait_for(guard, holds).await?);
        Ok(seen.get())
    });
    for _ in 0..3 {
        yield_now().await?;
        let guard = condition.lock().await?;
        n.set(n.get() + 1);
        condition.notify(1)?;
        drop(guard);
        yield_now().await?;
    }
    assert_eq!(task.join().await?, 3);
    assert_eq!(looked.get(), 4);
    Ok(())
}

async fn wait_for_what_holds_does_not_wait() -> Result<()> {
    let condition = Condition::new();
    let cycles = curio::current_task().cycles();
    let guard = condition.lock().await?;
    drop(condition.wait_for(guard, || true).await?);
    assert_eq!(curio::current_task().cycles(), cycles);
    Ok(())
}

async fn notify_with_nobody_waiting_does_nothing() -> Result<()> {
    let condition = Condition::new();
    let _guard = condition.lock().await?;
    condition.notify(1)?;
    condition.notify(5)?;
    condition.notify_all()
}

/// Tasks that wait for a condition, and note when they go on.
fn waiters(condition: &Rc<Condition>, notes: &Notes, count: u32) -> Vec<curio::Task<()>> {
    let waiter = |n| {
        let (condition, notes) = (condition.clone(), notes.clone());
        spawn(async move {
            let guard = condition.lock().await?;
            let _guard = condition.wait(guard).await?;
            notes.add(n);
            Ok(())
        })
    };
    (0..count).map(waiter).collect()
}

async fn notify_wakes_no_more_than_it_says() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 4);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(2)?;
    drop(guard);
    tasks[0].join().await?;
    tasks[1].join().await?;
    notes.are([0, 1]);
    assert_eq!(tasks[2].state().to_string(), "condition-wait");
    let guard = condition.lock().await?;
    condition.notify(100)?;
    drop(guard);
    tasks[2].join().await?;
    tasks[3].join().await?;
    notes.are([2, 3]);
    Ok(())
}

async fn notify_all_goes_on_before_those_it_wakes() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 3);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify_all()?;
    notes.add("done");
    drop(guard);
    for task in tasks {
        task.join().await?;
    }
    notes.are(["done", "0", "1", "2"]);
    Ok(())
}

async fn notify_needs_the_lock() -> Result<()> {
    let condition = Condition::new();
    assert!(matches!(fails(condition.notify(1)), Error::InvalidState(_)));
    assert!(matches!(
        fails(condition.notify_all()),
        Error::InvalidState(_)
    ));
    Ok(())
}

async fn wait_needs_the_guard_of_its_own_lock() -> Result<()> {
    let (condition, other) = (Condition::new(), Lock::new());
    let guard = other.lock().await?;
    let error = fails(condition.wait(guard).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(!other.is_locked());
    Ok(())
}

async fn a_notified_task_cancelled_at_the_lock_passes_it_on() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 2);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(1)?;
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "lock-acquire");
    assert!(tasks[0].cancel().await?);
    drop(guard);
    tasks[1].join().await?;
    notes.are([1]);
    assert!(!condition.is_locked());
    Ok(())
}

async fn a_notified_task_that_times_out_at_the_lock_leaves_it_alone() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let inner = condition.clone();
    let first = spawn(timeout_after(ms(20), async move {
        let guard = inner.lock().await?;
        inner.wait(guard).await.map(drop)
    }));
    let second = waiters(&condition, &notes, 1);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(1)?;
    // It can't have the lock, and gives up; the lock is still this task's.
    first.wait().await?;
    assert!(condition.is_locked());
    notes.add("gave up");
    drop(guard);
    second[0].join().await?;
    notes.are(["gave up", "0"]);
    assert!(!condition.is_locked());
    let Error::Task(error) = fails(first.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskTimeout(_)));
    Ok(())
}

async fn a_line_wakes_as_many_as_there_are() -> Result<()> {
    let line = Rc::new(SchedFifo::new());
    assert_eq!(line.wake(3), 0);
    let tasks = [0, 1, 2].map(|_| {
        let line = line.clone();
        spawn(async move { line.suspend("gate").await })
    });
    yield_now().await?;
    assert_eq!(line.len(), 3);
    assert_eq!(line.wake(2), 2);
    assert_eq!(line.len(), 1);
    assert_eq!(line.wake(usize::MAX), 1);
    assert!(line.is_empty());
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_wait_for_a_line_can_be_dropped() -> Result<()> {
    let line = SchedFifo::new();
    for _ in 0..1000 {
        let mut wait = Box::pin(line.suspend("gate"));
        assert!(futures::poll!(&mut wait).is_pending());
        assert_eq!(line.len(), 1);
        drop(wait);
        assert!(line.is_empty());
    }
    Ok(())
}
