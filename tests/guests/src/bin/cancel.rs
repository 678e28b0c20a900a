//! Cancelling tasks.

use std::rc::Rc;

use curio::traps::{SchedFifo, wait_on_queue};
use curio::{Error, Result, current_task, sleep, spawn, yield_now};
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
    a_third_task_may_cancel
    a_task_may_end_well_all_the_same
    a_task_that_goes_on_cannot_be_cancelled_again
    an_error_of_the_cleanup_is_the_task_s
    children_are_cancelled_together
}

async fn children_are_cancelled_together() -> Result<()> {
    let parent = current_task();
    assert!(parent.parent().is_none() && parent.children().is_empty());
    let tasks = [1, 2, 3].map(|_| spawn(async { Err::<(), _>(sleep_until_told().await) }));
    let daemon = curio::TaskOptions::new()
        .daemon(true)
        .spawn(async { Err::<(), _>(sleep_until_told().await) });
    assert_eq!(tasks[0].parent().map(|task| task.id()), Some(parent.id()));
    let children: Vec<_> = parent.children().iter().map(curio::TaskRef::id).collect();
    assert_eq!(children, tasks.each_ref().map(|task| task.id()));
    parent.cancel_children().await?;
    assert!(tasks.iter().all(|task| task.is_terminated()));
    assert!(parent.children().is_empty());
    assert!(!daemon.is_terminated());
    Ok(())
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
    let queue = Rc::new(SchedFifo::new());
    let inner = queue.clone();
    let task = spawn(async move {
        let error = fails(wait_on_queue(&inner, "queue").await);
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

async fn a_third_task_may_cancel() -> Result<()> {
    let event = Rc::new(curio::sync::Event::new());
    let inner = event.clone();
    let victim = spawn(async move {
        sleep(ms(1_000_000)).await?;
        inner.set();
        Ok(())
    });
    let other = victim.any().clone();
    let canceller = spawn(async move { other.cancel().await });
    // It is joined meanwhile.
    let Error::Task(error) = fails(victim.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    assert!(canceller.join().await?);
    assert!(!event.is_set());
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
