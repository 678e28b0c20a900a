//! Cancelling tasks.

use std::cell::Cell;
use std::future;
use std::rc::Rc;

use curio::traps::{KernelQueue, reschedule_tasks, sleep_until, wait_on_queue};
use curio::{Error, Result, Task, current_task, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    a_sleeping_task_is_told_where_it_sleeps
    a_joining_task_is_told_where_it_joins
    a_task_on_a_queue_is_told_and_leaves_it
    a_task_in_a_nested_call_is_told
    cancel_tells_whether_the_task_had_ended
    cancel_waits_for_cleanup_that_blocks
    a_request_does_not_wait
    a_task_is_cancelled_once
    two_may_cancel_at_the_same_time
    a_task_may_end_well_all_the_same
    a_task_that_goes_on_cannot_be_cancelled_again
    an_error_of_the_cleanup_is_the_task_s
    before_its_first_cycle_a_task_runs_until_it_blocks
    before_its_first_cycle_a_task_that_never_blocks_ends_well
    a_task_that_is_ready_completes_its_sleep_first
    a_task_that_is_woken_completes_its_wait_first
    a_task_may_cancel_itself
    a_task_may_request_its_own_cancellation
    what_does_not_block_is_not_told
    yielding_is_told
    a_cancelled_canceller_leaves_the_target_cancelled
    a_canceller_that_gives_up_may_come_back
    children_are_not_cancelled_with_their_parent
    a_task_may_cancel_its_parent
    a_task_may_cancel_many
    a_task_without_a_trap_is_dropped
    a_task_without_a_trap_goes_on_if_it_can
    a_trap_that_follows_a_future_without_one_is_told
}

async fn a_sleeping_task_is_told_where_it_sleeps() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        inner.add("sleep");
        let error = sleep_until_told().await;
        inner.add("told");
        assert!(matches!(error, Error::TaskCancelled));
        assert!(error.is_cancellation() && !error.is_timeout());
        assert!(current_task().is_cancelled());
        Err::<(), _>(error)
    });
    yield_now().await?;
    assert!(!task.is_cancelled());
    assert!(task.cancel().await?);
    assert!(task.is_cancelled() && task.is_terminated());
    notes.are(["sleep", "told"]);
    Ok(())
}

async fn a_joining_task_is_told_where_it_joins() -> Result<()> {
    let target = spawn(sleep(ms(1_000_000)));
    let joined = target.any().clone();
    let task = spawn(async move {
        assert!(matches!(fails(joined.wait().await), Error::TaskCancelled));
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await?;
    assert!(!target.is_terminated());
    Ok(())
}

async fn a_task_on_a_queue_is_told_and_leaves_it() -> Result<()> {
    let queue = Rc::new(KernelQueue::new("queue"));
    let inner = queue.clone();
    let task = spawn(async move {
        let error = fails(wait_on_queue(&inner).await);
        assert!(matches!(error, Error::TaskCancelled));
        Ok(())
    });
    yield_now().await?;
    assert_eq!(queue.len(), 1);
    task.request_cancel();
    assert!(queue.is_empty());
    task.join().await
}

async fn nested(depth: u32) -> Result<()> {
    if depth == 0 {
        return sleep(ms(1_000_000)).await.map(drop);
    }
    Box::pin(nested(depth - 1)).await
}

async fn a_task_in_a_nested_call_is_told() -> Result<()> {
    let task = spawn(async {
        assert!(matches!(fails(nested(100).await), Error::TaskCancelled));
        Ok(())
    });
    yield_now().await?;
    task.cancel().await?;
    task.join().await
}

async fn cancel_tells_whether_the_task_had_ended() -> Result<()> {
    let task = spawn(sleep(ms(1_000_000)));
    assert!(task.cancel().await?);
    assert!(!task.cancel().await?);
    assert!(task.is_cancelled());
    let task = spawn(async { Ok(1) });
    task.wait().await?;
    assert!(!task.request_cancel());
    assert!(!task.cancel().await?);
    assert!(!task.is_cancelled());
    assert_eq!(task.join().await?, 1);
    Ok(())
}

async fn cancel_waits_for_cleanup_that_blocks() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        let error = sleep_until_told().await;
        inner.add("cleanup");
        for _ in 0..3 {
            sleep(ms(2)).await?;
            yield_now().await?;
        }
        spawn(yield_now()).join().await?;
        inner.add("clean");
        Err::<(), _>(error)
    });
    yield_now().await?;
    notes.add("cancel");
    task.cancel().await?;
    notes.add("cancelled");
    notes.are(["cancel", "cleanup", "clean", "cancelled"]);
    Ok(())
}

async fn a_request_does_not_wait() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        sleep_until_told().await;
        inner.add("told");
        Ok(())
    });
    yield_now().await?;
    let cycles = current_task().cycles();
    assert!(task.request_cancel());
    assert_eq!(current_task().cycles(), cycles);
    assert!(task.is_cancelled() && !task.is_terminated());
    notes.add("requested");
    task.wait().await?;
    notes.are(["requested", "told"]);
    Ok(())
}

async fn a_task_is_cancelled_once() -> Result<()> {
    let task = spawn(async {
        sleep_until_told().await;
        sleep(ms(10)).await?;
        yield_now().await?;
        Ok("clean")
    });
    yield_now().await?;
    assert!(task.request_cancel());
    yield_now().await?;
    // It cleans up, and is not disturbed.
    assert!(task.request_cancel());
    assert!(task.cancel().await?);
    assert_eq!(task.join().await?, "clean");
    Ok(())
}

async fn two_may_cancel_at_the_same_time() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        sleep_until_told().await;
        sleep(ms(5)).await?;
        inner.add("clean");
        Ok(())
    });
    yield_now().await?;
    let cancellers = [1, 2].map(|n| {
        let (notes, task) = (notes.clone(), task.any().clone());
        spawn(async move {
            task.cancel().await?;
            notes.add(n);
            Ok(())
        })
    });
    for canceller in cancellers {
        canceller.join().await?;
    }
    notes.are(["clean", "1", "2"]);
    Ok(())
}

async fn a_task_may_end_well_all_the_same() -> Result<()> {
    let task = spawn(async {
        sleep_until_told().await;
        Ok("well")
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    assert!(task.is_cancelled());
    assert_eq!(task.join().await?, "well");
    Ok(())
}

async fn a_task_that_goes_on_cannot_be_cancelled_again() -> Result<()> {
    let task = spawn(async {
        sleep_until_told().await;
        for _ in 0..10 {
            sleep(ms(1)).await?;
        }
        Ok("went on")
    });
    yield_now().await?;
    for _ in 0..5 {
        assert!(task.request_cancel());
        sleep(ms(1)).await?;
    }
    assert_eq!(task.join().await?, "went on");
    Ok(())
}

async fn an_error_of_the_cleanup_is_the_task_s() -> Result<()> {
    let task = spawn(async {
        sleep_until_told().await;
        Err::<(), _>(Error::other("can't clean up"))
    });
    yield_now().await?;
    // It is none of the canceller's business.
    assert!(task.cancel().await?);
    let Error::Task(error) = fails(task.join().await) else {
        panic!("should be the task's");
    };
    assert_eq!(error.cause().to_string(), "can't clean up");
    Ok(())
}

async fn before_its_first_cycle_a_task_runs_until_it_blocks() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        inner.add("begun");
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        yield_now().await?;
        inner.add("clean");
        Ok(())
    });
    assert!(task.cancel().await?);
    notes.are(["begun", "clean"]);
    task.join().await
}

async fn before_its_first_cycle_a_task_that_never_blocks_ends_well() -> Result<()> {
    let task = spawn(async { Ok(1) });
    assert!(task.cancel().await?);
    assert!(task.is_cancelled());
    assert_eq!(task.join().await?, 1);
    Ok(())
}

async fn a_task_that_is_ready_completes_its_sleep_first() -> Result<()> {
    let notes = Notes::new();
    let (parent, inner) = (notes.clone(), notes.clone());
    let until = curio::clock() + ms(10);
    let target = Rc::new(Cell::new(None));
    let to_cancel = target.clone();
    // Both wake in one pass, the canceller first.
    let canceller = spawn(async move {
        sleep_until(until).await?;
        parent.add("cancel");
        let Some(child) = to_cancel.take() else {
            panic!("the child was spawned");
        };
        let child: Task<()> = child;
        child.cancel().await?;
        parent.add("done");
        child.join().await
    });
    target.set(Some(spawn(async move {
        sleep_until(until).await?;
        inner.add("child slept");
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        inner.add("child cancelled");
        Ok(())
    })));
    canceller.join().await?;
    notes.are(["cancel", "child slept", "child cancelled", "done"]);
    Ok(())
}

async fn a_task_that_is_woken_completes_its_wait_first() -> Result<()> {
    let queue = Rc::new(KernelQueue::new("queue"));
    let inner = queue.clone();
    let task = spawn(async move {
        wait_on_queue(&inner).await?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        Ok("both")
    });
    yield_now().await?;
    assert_eq!(reschedule_tasks(&queue, 1), 1);
    assert!(task.request_cancel());
    assert_eq!(task.join().await?, "both");
    Ok(())
}

async fn a_task_may_cancel_itself() -> Result<()> {
    let task = spawn(async {
        let error = fails(current_task().cancel().await);
        assert!(matches!(error, Error::TaskCancelled));
        // Once.
        sleep(ms(1)).await?;
        Err::<(), _>(error)
    });
    assert!(matches!(fails(task.join().await), Error::Task(_)));
    assert!(task.is_cancelled());
    Ok(())
}

async fn a_task_may_request_its_own_cancellation() -> Result<()> {
    let task = spawn(async {
        assert!(current_task().request_cancel());
        assert!(current_task().is_cancelled());
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        sleep(ms(1)).await?;
        Ok("clean")
    });
    assert_eq!(task.join().await?, "clean");
    Ok(())
}

async fn what_does_not_block_is_not_told() -> Result<()> {
    let task = spawn(async {
        current_task().request_cancel();
        curio::clock();
        let child = spawn(async { Ok(()) });
        child.request_cancel();
        assert_eq!(
            current_task().name(),
            "cancel::what_does_not_block_is_not_told"
        );
        assert_eq!(timeout_after(ms(0), async { Ok(1) }).await?, 1);
        Ok("nothing told")
    });
    assert_eq!(task.join().await?, "nothing told");
    Ok(())
}

async fn yielding_is_told() -> Result<()> {
    let task = spawn(async {
        loop {
            yield_now().await?;
        }
        #[expect(unreachable_code, reason = "says what the loop would return")]
        Ok(())
    });
    for _ in 0..3 {
        yield_now().await?;
    }
    assert!(task.cancel().await?);
    let task = spawn(async {
        loop {
            sleep(ms(0)).await?;
        }
        #[expect(unreachable_code, reason = "says what the loop would return")]
        Ok(())
    });
    assert!(task.cancel().await?);
    Ok(())
}

async fn a_cancelled_canceller_leaves_the_target_cancelled() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let target = spawn(async move {
        sleep_until_told().await;
        sleep(ms(20)).await?;
        inner.add("clean");
        Ok(())
    });
    yield_now().await?;
    let cancelled = target.any().clone();
    let canceller = spawn(async move { cancelled.cancel().await });
    yield_now().await?;
    assert!(canceller.cancel().await?);
    assert!(target.is_cancelled() && !target.is_terminated());
    notes.add("canceller");
    target.join().await?;
    notes.are(["canceller", "clean"]);
    Ok(())
}

async fn a_canceller_that_gives_up_may_come_back() -> Result<()> {
    let target = spawn(async {
        sleep_until_told().await;
        sleep(ms(30)).await?;
        Ok("clean")
    });
    yield_now().await?;
    let error = fails(timeout_after(ms(1), target.cancel()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    target.cancel().await?;
    assert_eq!(target.join().await?, "clean");
    Ok(())
}

async fn children_are_not_cancelled_with_their_parent() -> Result<()> {
    let child = Rc::new(Cell::new(None));
    let inner = child.clone();
    let parent = spawn(async move {
        inner.set(Some(spawn(async {
            sleep(ms(10)).await?;
            Ok("well")
        })));
        sleep(ms(1_000_000)).await
    });
    yield_now().await?;
    assert!(parent.cancel().await?);
    let Some(child) = child.take() else {
        panic!("the child was spawned");
    };
    assert!(!child.is_cancelled());
    assert_eq!(child.join().await?, "well");
    Ok(())
}

async fn a_task_may_cancel_its_parent() -> Result<()> {
    let parent = spawn(async {
        let me = current_task();
        let child = spawn(async move { me.cancel().await });
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        Ok(child)
    });
    let child = parent.join().await?;
    assert!(child.join().await?);
    Ok(())
}

async fn a_task_may_cancel_many() -> Result<()> {
    let tasks: Vec<_> = (0..1000).map(|_| spawn(sleep(ms(1_000_000)))).collect();
    yield_now().await?;
    for task in &tasks {
        assert!(task.request_cancel());
    }
    for task in &tasks {
        task.wait().await?;
    }
    Ok(())
}

/// Notes that it is dropped.
struct Dropped(Notes);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

async fn a_task_without_a_trap_is_dropped() -> Result<()> {
    let notes = Notes::new();
    let dropped = Dropped(notes.clone());
    let task = spawn(async move {
        let _dropped = dropped;
        future::pending::<()>().await;
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.are(["dropped"]);
    let Error::Task(error) = fails(task.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    Ok(())
}

async fn a_task_without_a_trap_goes_on_if_it_can() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let task = spawn(async move { receiver.await.map_err(Error::other) });
    yield_now().await?;
    // What it waits for is there before it can be dropped.
    task.request_cancel();
    assert!(sender.send("there").is_ok());
    assert_eq!(task.join().await?, "there");
    assert!(task.is_cancelled());
    Ok(())
}

async fn a_trap_that_follows_a_future_without_one_is_told() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let task = spawn(async move {
        receiver.await.map_err(Error::other)?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        sleep(ms(1)).await?;
        Ok("clean")
    });
    yield_now().await?;
    assert!(sender.send(()).is_ok());
    task.request_cancel();
    assert_eq!(task.join().await?, "clean");
    Ok(())
}
