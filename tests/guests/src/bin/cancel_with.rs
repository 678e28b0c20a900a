//! Cancelling with another error.

use curio::{Error, Result, disable_cancellation, set_cancellation, sleep, spawn, yield_now};
use futures::future::join;
use test_guests::{fails, ms};

test_guests::cases! {
    the_task_gets_the_error_that_was_given
    an_error_of_another_family_is_an_ordinary_one
    the_first_request_counts
    a_task_that_has_not_begun_gets_it
    a_shielded_task_gets_it_afterwards
    one_branch_gets_it
    a_branch_that_is_dropped_leaves_it_to_the_next_wait
    a_task_that_has_ended_is_not_cancelled
}

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

async fn the_task_gets_the_error_that_was_given() -> Result<()> {
    let task = spawn(async { Ok(fails(sleep(HOUR).await).to_string()) });
    yield_now().await?;
    assert!(task.cancel_with(Error::other("closing time")).await?);
    assert!(task.is_cancelled());
    assert_eq!(task.join().await?, "closing time");
    Ok(())
}

async fn an_error_of_another_family_is_an_ordinary_one() -> Result<()> {
    let task = spawn(sleep(HOUR));
    yield_now().await?;
    assert!(task.cancel_with(Error::other("closing time")).await?);
    let Err(Error::Task(error)) = task.join().await else {
        panic!("it did not handle it");
    };
    assert!(!error.cause().is_cancellation());
    assert_eq!(error.cause().to_string(), "closing time");
    Ok(())
}

async fn the_first_request_counts() -> Result<()> {
    let task = spawn(async {
        let error = fails(sleep(HOUR).await);
        sleep(ms(5)).await?;
        Ok(error.to_string())
    });
    yield_now().await?;
    assert!(task.request_cancel());
    assert!(task.cancel_with(Error::other("closing time")).await?);
    assert_eq!(task.join().await?, "the task was cancelled");
    Ok(())
}

async fn a_task_that_has_not_begun_gets_it() -> Result<()> {
    let task = spawn(async { Ok(fails(sleep(HOUR).await).to_string()) });
    assert!(task.cancel_with(Error::other("closing time")).await?);
    assert_eq!(task.join().await?, "closing time");
    Ok(())
}

async fn a_shielded_task_gets_it_afterwards() -> Result<()> {
    let task = spawn(async {
        disable_cancellation(sleep(ms(5))).await?;
        Ok(fails(yield_now().await).to_string())
    });
    yield_now().await?;
    assert!(task.cancel_with(Error::other("closing time")).await?);
    assert_eq!(task.join().await?, "closing time");
    Ok(())
}

async fn one_branch_gets_it() -> Result<()> {
    let task = spawn(async {
        let (one, other) = join(sleep(HOUR), sleep(HOUR)).await;
        assert_eq!(fails(one).to_string(), "closing time");
        assert!(matches!(fails(other), Error::TaskCancelled));
        yield_now().await
    });
    yield_now().await?;
    assert!(task.cancel_with(Error::other("closing time")).await?);
    task.join().await
}

async fn a_branch_that_is_dropped_leaves_it_to_the_next_wait() -> Result<()> {
    let task = spawn(async {
        {
            let mut sleeping = Box::pin(sleep(HOUR));
            assert!(futures::poll!(sleeping.as_mut()).is_pending());
            // It is told, and has not looked when it is dropped.
            curio::traps::cancel_task_with(&curio::current_task(), Error::other("closing time"));
        }
        assert_eq!(fails(yield_now().await).to_string(), "closing time");
        assert!(set_cancellation(None).is_none());
        Ok(())
    });
    task.join().await
}

async fn a_task_that_has_ended_is_not_cancelled() -> Result<()> {
    let task = spawn(async { Ok(1) });
    yield_now().await?;
    assert!(!task.cancel_with(Error::other("closing time")).await?);
    assert!(!task.is_cancelled());
    assert_eq!(task.join().await?, 1);
    Ok(())
}
