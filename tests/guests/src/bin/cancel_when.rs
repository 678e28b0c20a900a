//! When a cancellation arrives, and whom it does not concern.

use std::cell::Cell;
use std::future;
use std::rc::Rc;

use curio::traps::{SchedFifo, reschedule_tasks, sleep_until, wait_on_queue};
use curio::{Error, Result, Task, current_task, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
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
    a_trap_that_nobody_looks_at_is_none
}

/// Notes that it is dropped.
struct Dropped(Notes);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
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
    let queue = Rc::new(SchedFifo::new());
    let inner = queue.clone();
    let task = spawn(async move {
        wait_on_queue(&inner, "queue").await?;
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
            "cancel_when::what_does_not_block_is_not_told"
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
    let other = target.any().clone();
    let canceller = spawn(async move { other.cancel().await });
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

async fn a_trap_that_nobody_looks_at_is_none() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        let _dropped = Dropped(inner);
        let mut sleeping = Box::pin(sleep(ms(1_000_000)));
        assert!(futures::poll!(sleeping.as_mut()).is_pending());
        future::pending::<()>().await;
        sleeping.await
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.are(["dropped"]);
    // So it is in a timeout block.
    let mut sleeping = Box::pin(sleep(ms(1_000_000)));
    let block = timeout_after(ms(1), async {
        assert!(futures::poll!(sleeping.as_mut()).is_pending());
        future::pending::<()>().await;
        Ok(())
    });
    assert!(fails(block.await).is_timeout());
    // What it was told arrives where it is looked at.
    assert!(fails(sleeping.await).is_timeout());
    Ok(())
}
