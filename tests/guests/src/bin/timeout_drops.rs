//! Timeout blocks that are about to drop what is in them, since it is blocked where it can't be told, and find that
//! it goes on.

use std::future::{self, Future};

use curio::{
    Error, Result, Task, clock, disable_cancellation, ignore_at, sleep, spawn, timeout_at,
};
use futures::channel::oneshot::{Receiver, channel};
use test_guests::{fails, ms, sleep_until_told};

test_guests::cases! {
    what_goes_on_at_last_is_told_and_may_clean_up
    what_goes_on_at_last_is_whole_behind_a_shield
    what_goes_on_at_last_and_is_cancelled_may_clean_up
    what_blocks_there_once_more_is_dropped
}

/// Joins a task that waits for a channel in a timeout block. Something is done with the task, and then sent to it,
/// when its block has expired and has not dropped its future yet.
async fn late<F: Future<Output = Result<&'static str>> + 'static>(
    inside: impl FnOnce(Receiver<()>) -> F,
    before_sending: impl FnOnce(&Task<&'static str>),
) -> Result<&'static str> {
    let deadline = clock() + ms(5);
    let (sender, receiver) = channel();
    let task = spawn(timeout_at(deadline, inside(receiver)));
    // This block is opened before the other one, expires together with it, and is the first to drop its future.
    let nothing = ignore_at(deadline, future::pending::<Result<()>>());
    assert_eq!(nothing.await?, None);
    before_sending(&task);
    assert!(sender.send(()).is_ok());
    task.join().await
}

async fn what_goes_on_at_last_is_told_and_may_clean_up() -> Result<()> {
    let inside = |receiver: Receiver<()>| async {
        receiver.await.map_err(Error::other)?;
        let told = sleep_until_told().await;
        assert!(matches!(told, Error::TaskTimeout(_)), "{told}");
        sleep(ms(1)).await?;
        Ok("clean")
    };
    assert_eq!(late(inside, |_| ()).await?, "clean");
    Ok(())
}

async fn what_goes_on_at_last_is_whole_behind_a_shield() -> Result<()> {
    let inside = |receiver: Receiver<()>| async {
        receiver.await.map_err(Error::other)?;
        disable_cancellation(sleep(ms(1))).await?;
        let told = sleep_until_told().await;
        assert!(matches!(told, Error::TaskTimeout(_)), "{told}");
        Ok("whole")
    };
    assert_eq!(late(inside, |_| ()).await?, "whole");
    Ok(())
}

async fn what_goes_on_at_last_and_is_cancelled_may_clean_up() -> Result<()> {
    let inside = |receiver: Receiver<()>| async {
        receiver.await.map_err(Error::other)?;
        let told = sleep_until_told().await;
        assert!(matches!(told, Error::TaskCancelled), "{told}");
        sleep(ms(1)).await?;
        Ok("clean")
    };
    let cancel = |task: &Task<_>| assert!(task.request_cancel());
    assert_eq!(late(inside, cancel).await?, "clean");
    Ok(())
}

async fn what_blocks_there_once_more_is_dropped() -> Result<()> {
    let inside = |receiver: Receiver<()>| async {
        receiver.await.map_err(Error::other)?;
        future::pending().await
    };
    let Error::Task(error) = fails(late(inside, |_| ()).await) else {
        panic!("should be the task's");
    };
    assert!(error.cause().is_timeout(), "{error}");
    Ok(())
}
