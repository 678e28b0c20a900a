//! What a task that has ended returned, without joining it.

use curio::{Error, Result, TaskOptions, sleep, spawn, yield_now};
use test_guests::{fails, ms, sleep_until_told};

test_guests::cases! {
    an_unfinished_task_has_no_result
    a_result_is_given_once
    a_failed_task_s_result_is_its_own_error
    an_exception_may_be_looked_at
    a_cancelled_task_s_exception_is_the_cancellation
    a_result_asked_for_is_a_join
    waiting_is_no_join
    a_clone_is_the_same_task
    a_refused_task_has_its_error
}

async fn fail() -> Result<u32> {
    yield_now().await?;
    Err(Error::other("the cat is out"))
}

async fn an_unfinished_task_has_no_result() -> Result<()> {
    let task = TaskOptions::new().name("slow").spawn(async {
        yield_now().await?;
        Ok(1)
    });
    for error in [fails(task.result()), fails(task.exception())] {
        assert!(matches!(error, Error::InvalidState(_)));
        assert_eq!(error.to_string(), "task slow has not ended");
    }
    assert!(!task.is_joined());
    assert_eq!(task.join().await?, 1);
    Ok(())
}

async fn a_result_is_given_once() -> Result<()> {
    let task = spawn(async { Ok("value".to_owned()) });
    task.wait().await?;
    assert!(task.exception()?.is_none());
    assert_eq!(task.result()?, "value");
    for error in [fails(task.result()), fails(task.join().await)] {
        assert!(matches!(error, Error::InvalidState(_)), "{error:?}");
        assert!(error.to_string().contains("a_result_is_given_once"));
    }
    assert!(task.exception()?.is_none());
    Ok(())
}

async fn a_failed_task_s_result_is_its_own_error() -> Result<()> {
    let task = spawn(fail());
    task.wait().await?;
    for _ in 0..2 {
        let Error::Shared(error) = fails(task.result()) else {
            panic!("should be the task's own");
        };
        assert!(matches!(*error, Error::Other(_)));
        assert_eq!(error.to_string(), "the cat is out");
    }
    // One who joins it is told whose error it is.
    assert!(matches!(fails(task.join().await), Error::Task(_)));
    Ok(())
}

async fn an_exception_may_be_looked_at() -> Result<()> {
    let task = spawn(fail());
    task.wait().await?;
    let error = task.exception()?.expect("it failed");
    assert_eq!(error.to_string(), "the cat is out");
    assert!(!task.is_joined());
    // Whoever was told cares: it is not logged.
    Ok(())
}

async fn a_cancelled_task_s_exception_is_the_cancellation() -> Result<()> {
    let task = spawn(sleep(ms(1_000_000)));
    task.cancel().await?;
    let error = task.exception()?.expect("it was cancelled");
    assert!(matches!(*error, Error::TaskCancelled));
    assert!(fails(task.result()).is_cancellation());
    Ok(())
}

async fn a_result_asked_for_is_a_join() -> Result<()> {
    let task = spawn(async { Ok(1) });
    assert!(!task.is_joined());
    task.wait().await?;
    task.result()?;
    assert!(task.is_joined());
    let task = spawn(async { Ok(1) });
    task.join().await?;
    assert!(task.is_joined());
    let task = spawn(async { Err::<(), _>(sleep_until_told().await) });
    task.cancel().await?;
    assert!(task.is_joined());
    // One that had ended is joined by that, too.
    let task = spawn(async { Ok(1) });
    task.wait().await?;
    assert!(!task.cancel().await?);
    assert!(task.is_joined());
    Ok(())
}

async fn waiting_is_no_join() -> Result<()> {
    let task = spawn(async { Ok(1) });
    task.wait().await?;
    assert!(!task.is_joined());
    task.join().await?;
    Ok(())
}

async fn a_clone_is_the_same_task() -> Result<()> {
    let task = spawn(async { Ok(1) });
    let other = task.clone();
    assert_eq!(other.id(), task.id());
    assert_eq!(other.join().await?, 1);
    assert!(task.is_joined());
    assert!(matches!(fails(task.result()), Error::InvalidState(_)));
    Ok(())
}

async fn a_refused_task_has_its_error() -> Result<()> {
    let group = curio::TaskGroup::new(curio::Wait::All);
    group.join().await?;
    let task = group.spawn(fail());
    assert!(task.is_terminated());
    assert!(matches!(fails(task.result()), Error::Shared(error)
        if matches!(*error, Error::InvalidState(_))));
    Ok(())
}
