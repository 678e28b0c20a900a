//! Joining, and waiting.

use std::error::Error as _;

use curio::{Error, Result, TaskError, sleep, spawn, yield_now};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    join_returns_the_value
    join_of_a_failed_task_tells_its_error
    an_error_may_be_told_to_many
    a_value_is_given_once
    join_of_a_cancelled_task_fails_with_the_cancellation
    join_of_a_task_that_timed_out_fails_with_the_timeout
    an_error_passes_through_several_tasks
    joiners_go_on_in_the_order_they_came
    a_cancelled_joiner_leaves_its_target_running
    a_joiner_may_come_back
    wait_does_not_tell_how_the_task_ended
    what_has_ended_is_joined_without_blocking
    a_joiner_may_itself_be_joined
}

/// What a join of a failed task tells.
#[track_caller]
fn task_error<T: std::fmt::Debug>(result: Result<T>) -> TaskError {
    match fails(result) {
        Error::Task(error) => error,
        other => panic!("should be a task's error: {other:?}"),
    }
}

async fn join_returns_the_value() -> Result<()> {
    let task = spawn(async {
        yield_now().await?;
        Ok("value".to_owned())
    });
    assert!(!task.is_terminated());
    assert_eq!(task.join().await?, "value");
    assert!(task.is_terminated());
    assert!(!task.is_cancelled());
    Ok(())
}

async fn fail() -> Result<u32> {
    yield_now().await?;
    Err(Error::other("the cat is out"))
}

async fn join_of_a_failed_task_tells_its_error() -> Result<()> {
    let error = task_error(spawn(fail()).join().await);
    assert_eq!(error.task_name(), "task_join::fail");
    assert!(matches!(error.cause(), Error::Other(_)));
    assert_eq!(error.cause().to_string(), "the cat is out");
    let source = error.source().map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the cat is out"));
    let text = "task task_join::fail failed: the cat is out";
    assert_eq!(error.to_string(), text);
    let error = Error::from(error);
    assert!(!error.is_cancellation());
    assert_eq!(error.to_string(), text);
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("the cat is out")
    );
    Ok(())
}

async fn an_error_may_be_told_to_many() -> Result<()> {
    let task = spawn(fail());
    for _ in 0..3 {
        let error = task_error(task.join().await);
        assert_eq!(error.cause().to_string(), "the cat is out");
    }
    Ok(())
}

async fn a_value_is_given_once() -> Result<()> {
    let task = spawn(async { Ok(1) });
    assert_eq!(task.join().await?, 1);
    let error = fails(task.join().await);
    assert!(matches!(error, Error::InvalidState(_)), "{error:?}");
    assert!(error.to_string().contains("a_value_is_given_once"));
    Ok(())
}

async fn join_of_a_cancelled_task_fails_with_the_cancellation() -> Result<()> {
    let task = spawn(sleep(ms(1_000_000)));
    assert!(task.cancel().await?);
    let result = task.join().await;
    // That it was cancelled is no cancellation of the joiner.
    assert!(result.as_ref().is_err_and(|error| !error.is_cancellation()));
    assert!(matches!(task_error(result).cause(), Error::TaskCancelled));
    Ok(())
}

async fn join_of_a_task_that_timed_out_fails_with_the_timeout() -> Result<()> {
    let task = spawn(curio::timeout_after(ms(1), sleep(ms(1_000_000))));
    let error = task_error(task.join().await);
    assert!(matches!(error.cause(), Error::TaskTimeout(_)));
    Ok(())
}

async fn an_error_passes_through_several_tasks() -> Result<()> {
    let outer = spawn(async { spawn(fail()).join().await });
    let outer = task_error(outer.join().await);
    let Error::Task(inner) = outer.cause() else {
        panic!("should be the inner task's: {outer:?}");
    };
    assert_eq!(inner.cause().to_string(), "the cat is out");
    Ok(())
}

async fn joiners_go_on_in_the_order_they_came() -> Result<()> {
    let notes = Notes::new();
    let target = spawn(sleep(ms(5)));
    let joiners: Vec<_> = (0..5)
        .map(|n| {
            let (notes, target) = (notes.clone(), target.any().clone());
            spawn(async move {
                target.wait().await?;
                notes.add(n);
                Ok(())
            })
        })
        .collect();
    for joiner in joiners {
        joiner.join().await?;
    }
    notes.are(0..5);
    target.join().await?;
    Ok(())
}

async fn a_cancelled_joiner_leaves_its_target_running() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let target = spawn(async move {
        sleep(ms(20)).await?;
        inner.add("target");
        Ok(())
    });
    let other = target.any().clone();
    let joiner = spawn(async move { other.wait().await });
    yield_now().await?;
    assert!(joiner.cancel().await?);
    assert!(!target.is_terminated());
    assert!(!target.is_cancelled());
    notes.add("joiner");
    target.join().await?;
    notes.are(["joiner", "target"]);
    Ok(())
}

async fn a_joiner_may_come_back() -> Result<()> {
    let task = spawn(async {
        sleep(ms(30)).await?;
        Ok(7)
    });
    let error = fails(curio::timeout_after(ms(1), task.join()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(task.join().await?, 7);
    Ok(())
}

async fn wait_does_not_tell_how_the_task_ended() -> Result<()> {
    let task = spawn(fail());
    task.wait().await?;
    task.wait().await?;
    // It takes nothing away.
    task_error(task.join().await);
    let task = spawn(async { Ok(3) });
    task.wait().await?;
    assert_eq!(task.join().await?, 3);
    let task = spawn(async { Err::<(), _>(sleep_until_told().await) });
    task.cancel().await?;
    task.wait().await
}

async fn what_has_ended_is_joined_without_blocking() -> Result<()> {
    let task = spawn(async { Ok(1) });
    task.wait().await?;
    let cycles = curio::current_task().cycles();
    // So a pending cancellation does not arrive here, but where the task blocks.
    curio::current_task().request_cancel();
    assert_eq!(task.join().await?, 1);
    assert!(!task.cancel().await?);
    assert_eq!(curio::current_task().cycles(), cycles);
    assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
    Ok(())
}

async fn a_joiner_may_itself_be_joined() -> Result<()> {
    let mut last = spawn(async {
        sleep(ms(5)).await?;
        Ok(0)
    });
    for _ in 0..100 {
        let before = last;
        last = spawn(async move { Ok(before.join().await? + 1) });
    }
    assert_eq!(last.join().await?, 100);
    Ok(())
}
