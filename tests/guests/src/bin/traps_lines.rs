//! The lines of waiting tasks that synchronization primitives are made of.

use std::rc::Rc;

use curio::traps::{SchedBarrier, SchedFifo};
use curio::{Error, Result, Task, ignore_after, spawn, timeout_after, yield_now};
use futures::future::{Either, select};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    a_barrier_wakes_all_in_the_order_they_came
    a_barrier_wakes_some
    a_barrier_wakes_no_more_than_there_are
    who_comes_back_to_a_barrier_waits_for_the_next_time
    a_wait_at_a_barrier_can_be_cancelled
    a_wait_at_a_barrier_can_time_out
    who_was_woken_at_a_barrier_is_cancelled_later
    a_wait_at_a_barrier_can_be_dropped
    a_state_names_the_reason
    interrupted_waits_leave_nothing
    interrupted_waits_cost_no_wake_up
    traps_have_the_names_of_all_manuals
}

/// Tasks that wait at a barrier, and note when they go on.
fn waiters(barrier: &Rc<SchedBarrier>, notes: &Notes, count: u32) -> Vec<Task<()>> {
    (0..count)
        .map(|n| {
            let (barrier, notes) = (barrier.clone(), notes.clone());
            spawn(async move {
                barrier.suspend("gate-wait").await?;
                notes.add(n);
                Ok(())
            })
        })
        .collect()
}

async fn join_all(tasks: Vec<Task<()>>) -> Result<()> {
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_barrier_wakes_all_in_the_order_they_came() -> Result<()> {
    let (notes, barrier) = (Notes::new(), Rc::new(SchedBarrier::new()));
    let tasks = waiters(&barrier, &notes, 5);
    yield_now().await?;
    assert_eq!(barrier.len(), 5);
    assert_eq!(barrier.wake(), 5);
    assert!(barrier.is_empty());
    notes.add("woken");
    join_all(tasks).await?;
    notes.are(["woken", "0", "1", "2", "3", "4"]);
    Ok(())
}

async fn a_barrier_wakes_some() -> Result<()> {
    let (notes, barrier) = (Notes::new(), Rc::new(SchedBarrier::new()));
    let tasks = waiters(&barrier, &notes, 5);
    yield_now().await?;
    assert_eq!(barrier.wake_some(0), 0);
    assert_eq!(barrier.wake_some(2), 2);
    yield_now().await?;
    notes.are([0, 1]);
    assert_eq!(barrier.len(), 3);
    assert_eq!(barrier.wake(), 3);
    join_all(tasks).await?;
    notes.are([2, 3, 4]);
    Ok(())
}

async fn a_barrier_wakes_no_more_than_there_are() -> Result<()> {
    let (notes, barrier) = (Notes::new(), Rc::new(SchedBarrier::default()));
    assert_eq!(barrier.wake(), 0);
    assert_eq!(barrier.wake_some(3), 0);
    let tasks = waiters(&barrier, &notes, 2);
    yield_now().await?;
    assert_eq!(barrier.wake_some(100), 2);
    assert_eq!(barrier.wake(), 0);
    assert_eq!(format!("{barrier:?}"), "SchedBarrier { len: 0 }");
    join_all(tasks).await?;
    notes.are([0, 1]);
    Ok(())
}

async fn who_comes_back_to_a_barrier_waits_for_the_next_time() -> Result<()> {
    let (notes, barrier) = (Notes::new(), Rc::new(SchedBarrier::new()));
    let tasks = [0, 1].map(|n| {
        let (barrier, notes) = (barrier.clone(), notes.clone());
        spawn(async move {
            for round in 0..3 {
                barrier.suspend("gate-wait").await?;
                notes.add(format!("{n} in round {round}"));
            }
            Ok(())
        })
    });
    for round in 0..3 {
        yield_now().await?;
        assert_eq!(barrier.wake(), 2);
        yield_now().await?;
        notes.are([0, 1].map(|n| format!("{n} in round {round}")));
    }
    join_all(tasks.into()).await
}

async fn a_wait_at_a_barrier_can_be_cancelled() -> Result<()> {
    let (notes, barrier) = (Notes::new(), Rc::new(SchedBarrier::new()));
    let mut tasks = waiters(&barrier, &notes, 3);
    yield_now().await?;
    let cancelled = tasks.remove(1);
    assert!(cancelled.cancel().await?);
    assert_eq!(barrier.len(), 2);
    assert_eq!(barrier.wake(), 2);
    join_all(tasks).await?;
    notes.are([0, 2]);
    let Error::Task(error) = fails(cancelled.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    Ok(())
}

async fn a_wait_at_a_barrier_can_time_out() -> Result<()> {
    let barrier = SchedBarrier::new();
    let error = fails(timeout_after(ms(2), barrier.suspend("gate-wait")).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    assert!(barrier.is_empty());
    Ok(())
}

async fn who_was_woken_at_a_barrier_is_cancelled_later() -> Result<()> {
    let barrier = Rc::new(SchedBarrier::new());
    let inner = barrier.clone();
    let task = spawn(async move {
        inner.suspend("gate-wait").await?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        Ok("both")
    });
    yield_now().await?;
    assert_eq!(barrier.wake(), 1);
    assert!(task.cancel().await?);
    assert_eq!(task.join().await?, "both");
    Ok(())
}

async fn a_wait_at_a_barrier_can_be_dropped() -> Result<()> {
    let barrier = SchedBarrier::new();
    for _ in 0..100 {
        let mut waits = Box::pin(barrier.suspend("gate-wait"));
        assert!(futures::poll!(&mut waits).is_pending());
        assert_eq!(barrier.len(), 1);
        drop(waits);
        assert!(barrier.is_empty());
    }
    // The other one of two is dropped when one is woken.
    let other = SchedFifo::new();
    let mut both = select(barrier.suspend("gate-wait"), other.suspend("other-wait"));
    assert!(futures::poll!(&mut both).is_pending());
    assert_eq!((barrier.wake(), other.len()), (1, 1));
    let Either::Left((woken, rest)) = both.await else {
        panic!("nobody woke the other one");
    };
    woken?;
    drop(rest);
    assert!(other.is_empty());
    Ok(())
}

async fn a_state_names_the_reason() -> Result<()> {
    let barrier = Rc::new(SchedBarrier::new());
    let tasks = waiters(&barrier, &Notes::new(), 1);
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "gate-wait");
    barrier.wake();
    assert_eq!(tasks[0].state().to_string(), "ready");
    join_all(tasks).await
}

/// To be run in little memory: waits in a line that nobody ever wakes.
async fn interrupted_waits_leave_nothing() -> Result<()> {
    let (line, barrier) = (Rc::new(SchedFifo::new()), Rc::new(SchedBarrier::new()));
    for _ in 0..20_000 {
        let timed_out = ignore_after(ms(0), line.suspend("gate-wait")).await?;
        assert_eq!(timed_out, None);
        let (one, other) = (line.clone(), barrier.clone());
        let task = spawn(async move { one.suspend("gate-wait").await });
        let second = spawn(async move { other.suspend("gate-wait").await });
        yield_now().await?;
        assert!(task.cancel().await?);
        assert!(second.cancel().await?);
        assert!(line.is_empty() && barrier.is_empty());
    }
    Ok(())
}

async fn interrupted_waits_cost_no_wake_up() -> Result<()> {
    let (notes, line) = (Notes::new(), Rc::new(SchedFifo::new()));
    let tasks: Vec<_> = (0..100_u32)
        .map(|n| {
            let (line, notes) = (line.clone(), notes.clone());
            spawn(async move {
                line.suspend("gate-wait").await?;
                notes.add(n);
                Ok(())
            })
        })
        .collect();
    yield_now().await?;
    // They are told in the next pass only; and yet each wake-up finds one that was not.
    for task in tasks.iter().take(98) {
        assert!(task.request_cancel());
    }
    assert_eq!(line.wake(1), 1);
    assert_eq!(line.wake(5), 1);
    for task in &tasks {
        assert_eq!(task.join().await.is_ok(), !task.is_cancelled());
    }
    notes.are([98, 99]);
    Ok(())
}

async fn traps_have_the_names_of_all_manuals() -> Result<()> {
    use curio::traps::{
        cancel_task, clock, get_current, join_task, reschedule, sleep, sleep_until,
    };
    use curio::traps::{reschedule_tasks, scheduler_wait, scheduler_wake, spawn, wait_on_queue};

    let line = Rc::new(SchedFifo::new());
    let waits = line.clone();
    let task = spawn(async move {
        wait_on_queue(&waits, "gate-wait").await?;
        scheduler_wait(&waits, "gate-wait").await?;
        Ok(get_current().id())
    });
    reschedule().await?;
    assert_eq!(reschedule_tasks(&line, 1), 1);
    let begun = clock();
    let woken = sleep(ms(1)).await?;
    assert!(woken - begun >= ms(1));
    assert_eq!(scheduler_wake(&line, 2), 1);
    join_task(&task).await?;
    assert!(!cancel_task(&task));
    assert_eq!(task.join().await?, task.id());
    assert!(sleep_until(begun).await? >= woken);
    Ok(())
}
