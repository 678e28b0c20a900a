//! Shields against cancellation and timeouts, and what is pending behind them.

use std::future;

use curio::{
    Error, Result, check_cancellation, clock, disable_cancellation, ignore_after, set_cancellation,
    sleep, spawn, take_cancellation, timeout_after, yield_now,
};
use futures::future::join;
use test_guests::{Notes, fails, ms, sleep_until_told, spin_until};

test_guests::cases! {
    a_shielded_task_finishes_its_sleep_and_is_told_afterwards
    a_request_that_is_deferred_is_told_by_the_check_after_the_shield
    checking_in_a_shield_leaves_it_pending
    taking_in_a_shield_clears_it
    taking_outside_of_a_shield_gives_it_too
    taking_what_is_not_wanted_leaves_it
    a_shield_in_a_shield_is_no_end_of_the_first
    an_error_that_the_program_makes_goes_out_of_a_shield
    a_timeout_in_a_shield_waits_for_its_end
    a_timeout_block_left_in_a_shield_is_forgotten
    a_timeout_that_came_in_a_shield_is_seen_there
    a_shield_in_one_branch_leaves_the_other_open
    a_foreign_future_in_a_shield_is_not_dropped
    a_foreign_future_after_a_shield_is_dropped
    a_foreign_future_in_a_shield_in_a_block_is_not_dropped
    what_never_blocks_is_never_told
    set_is_told_at_the_next_wait
    set_is_told_before_anything_is_looked_at
    set_gives_what_was_pending
    set_to_nothing_is_as_if_nothing_had_come
    leaving_a_block_never_fails
    a_shield_moves_to_another_task
    a_shield_that_is_dropped_is_closed
}

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

async fn a_shielded_task_finishes_its_sleep_and_is_told_afterwards() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        disable_cancellation(async {
            inner.add("sleeps");
            sleep(ms(20)).await?;
            inner.add("slept");
            assert!(check_cancellation()?);
            Ok::<_, Error>(())
        })
        .await?;
        inner.add("open");
        Err::<(), _>(sleep_until_told().await)
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.are(["sleeps", "slept", "open"]);
    let error = fails(task.join().await);
    assert!(error.to_string().contains("cancelled"), "{error}");
    Ok(())
}

async fn a_request_that_is_deferred_is_told_by_the_check_after_the_shield() -> Result<()> {
    let task = spawn(async {
        disable_cancellation(sleep(ms(5))).await?;
        assert!(matches!(fails(check_cancellation()), Error::TaskCancelled));
        assert!(!check_cancellation()?);
        // It is told once.
        sleep(ms(1)).await
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await.map(drop)
}

async fn checking_in_a_shield_leaves_it_pending() -> Result<()> {
    disable_cancellation(async {
        curio::current_task().request_cancel();
        assert!(check_cancellation()?);
        assert!(check_cancellation()?);
        sleep(ms(1)).await?;
        check_cancellation().map(|pending| assert!(pending))
    })
    .await?;
    assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
    yield_now().await
}

async fn taking_in_a_shield_clears_it() -> Result<()> {
    disable_cancellation(async {
        curio::current_task().request_cancel();
        let taken = take_cancellation(Error::is_cancellation).expect("it is pending");
        assert!(matches!(taken, Error::TaskCancelled));
        assert!(take_cancellation(|_| true).is_none());
        assert!(!check_cancellation()?);
        Ok::<_, Error>(())
    })
    .await?;
    yield_now().await
}

async fn taking_outside_of_a_shield_gives_it_too() -> Result<()> {
    curio::current_task().request_cancel();
    assert!(take_cancellation(Error::is_cancellation).is_some());
    yield_now().await
}

async fn taking_what_is_not_wanted_leaves_it() -> Result<()> {
    curio::current_task().request_cancel();
    assert!(take_cancellation(Error::is_timeout).is_none());
    assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
    Ok(())
}

async fn a_shield_in_a_shield_is_no_end_of_the_first() -> Result<()> {
    let task = spawn(async {
        disable_cancellation(async {
            disable_cancellation(sleep(ms(5))).await?;
            sleep(ms(1)).await?;
            assert!(check_cancellation()?);
            Ok::<_, Error>(())
        })
        .await?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await
}

async fn an_error_that_the_program_makes_goes_out_of_a_shield() -> Result<()> {
    let made = disable_cancellation(disable_cancellation(async {
        Err::<(), _>(Error::TaskCancelled)
    }));
    assert!(matches!(fails(made.await), Error::TaskCancelled));
    assert!(!check_cancellation()?);
    Ok(())
}

async fn a_timeout_in_a_shield_waits_for_its_end() -> Result<()> {
    let notes = Notes::new();
    let outcome = timeout_after(ms(5), async {
        disable_cancellation(sleep(ms(30))).await?;
        notes.add("slept");
        sleep(HOUR).await
    });
    assert!(matches!(fails(outcome.await), Error::TaskTimeout(_)));
    notes.are(["slept"]);
    Ok(())
}

async fn a_timeout_block_left_in_a_shield_is_forgotten() -> Result<()> {
    disable_cancellation(async {
        let slept = ignore_after(ms(1), async {
            sleep(ms(20)).await?;
            assert!(check_cancellation()?);
            Ok(7)
        });
        assert_eq!(slept.await?, Some(7));
        assert!(!check_cancellation()?);
        Ok::<_, Error>(())
    })
    .await?;
    yield_now().await
}

async fn a_timeout_that_came_in_a_shield_is_seen_there() -> Result<()> {
    let end = timeout_after(
        ms(1),
        disable_cancellation(async {
            while !check_cancellation()? {}
            let timeout = take_cancellation(Error::is_timeout).expect("it was just there");
            assert!(matches!(timeout, Error::TaskTimeout(_)));
            yield_now().await?;
            Ok(clock())
        }),
    );
    end.await?;
    Ok(())
}

async fn a_shield_in_one_branch_leaves_the_other_open() -> Result<()> {
    let task = spawn(async {
        let (shielded, open) = join(disable_cancellation(sleep(ms(20))), sleep(HOUR)).await;
        assert!(matches!(fails(open), Error::TaskCancelled));
        shielded?;
        // One of the two was told.
        sleep(ms(1)).await
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await.map(drop)
}

async fn a_foreign_future_in_a_shield_is_not_dropped() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let task = spawn(async move {
        let got = disable_cancellation(receiver).await;
        assert!(matches!(fails(check_cancellation()), Error::TaskCancelled));
        Ok(got.expect("it is sent"))
    });
    yield_now().await?;
    assert!(task.request_cancel());
    for _ in 0..3 {
        sleep(ms(1)).await?;
    }
    sender.send(3).expect("the task is there");
    assert_eq!(task.join().await?, 3);
    Ok(())
}

async fn a_foreign_future_after_a_shield_is_dropped() -> Result<()> {
    let task = spawn(async move {
        disable_cancellation(sleep(ms(10))).await?;
        future::pending::<()>().await;
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    assert!(fails(task.join().await).to_string().contains("cancelled"));
    Ok(())
}

async fn a_foreign_future_in_a_shield_in_a_block_is_not_dropped() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let task = spawn(async move {
        let block = timeout_after(ms(1), async {
            let got = disable_cancellation(receiver).await;
            let error = fails(yield_now().await);
            assert!(error.is_timeout());
            Ok(got.expect("it is sent"))
        });
        block.await
    });
    sleep(ms(20)).await?;
    sender.send(3).expect("the task is there");
    assert_eq!(task.join().await?, 3);
    Ok(())
}

async fn what_never_blocks_is_never_told() -> Result<()> {
    let event = curio::sync::Event::new();
    event.set();
    let before = set_cancellation(Some(Error::other("pending")));
    assert!(before.is_none());
    event.wait().await?;
    let queue = curio::queue::Queue::new();
    queue.put(1).await?;
    assert_eq!(queue.get().await?, 1);
    assert_eq!(fails(yield_now().await).to_string(), "pending");
    Ok(())
}

async fn set_is_told_at_the_next_wait() -> Result<()> {
    set_cancellation(Some(Error::other("one")));
    assert_eq!(fails(sleep(HOUR).await).to_string(), "one");
    set_cancellation(Some(Error::TaskCancelled));
    let line = curio::traps::SchedFifo::new();
    let error = fails(curio::traps::wait_on_queue(&line, "test").await);
    assert!(matches!(error, Error::TaskCancelled));
    assert!(line.is_empty());
    yield_now().await
}

async fn set_is_told_before_anything_is_looked_at() -> Result<()> {
    // It is bound to nothing: to wait for it would break the contract.
    let socket = curio::Socket::tcp_v4()?;
    set_cancellation(Some(Error::TaskCancelled));
    let error = fails(curio::traps::read_wait(&socket).await);
    assert!(matches!(error, Error::TaskCancelled));
    Ok(())
}

async fn set_gives_what_was_pending() -> Result<()> {
    assert!(set_cancellation(Some(Error::other("one"))).is_none());
    let before = set_cancellation(Some(Error::other("two"))).expect("it was set");
    assert_eq!(before.to_string(), "one");
    assert_eq!(fails(yield_now().await).to_string(), "two");
    assert!(set_cancellation(None).is_none());
    Ok(())
}

async fn set_to_nothing_is_as_if_nothing_had_come() -> Result<()> {
    let task = spawn(async {
        disable_cancellation(sleep(ms(5))).await?;
        let before = set_cancellation(None).expect("it was cancelled");
        assert!(matches!(before, Error::TaskCancelled));
        sleep(ms(1)).await?;
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await
}

async fn leaving_a_block_never_fails() -> Result<()> {
    let passed = timeout_after(ms(1), async {
        spin_until(clock() + ms(3));
        Ok(1)
    });
    assert_eq!(passed.await?, 1);
    let passed = timeout_after(ms(1), async {
        disable_cancellation(sleep(ms(5))).await?;
        Ok(2)
    });
    assert_eq!(passed.await?, 2);
    yield_now().await
}

async fn a_shield_moves_to_another_task() -> Result<()> {
    let mut shielded = Box::pin(disable_cancellation(sleep(ms(30))));
    assert!(futures::poll!(shielded.as_mut()).is_pending());
    let task = spawn(async move {
        shielded.await?;
        assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
        Ok(())
    });
    // Nothing of it is left here.
    let own = spawn(async { Ok(fails(timeout_after(ms(1), sleep(HOUR)).await)) });
    assert!(own.join().await?.is_timeout());
    assert!(task.cancel().await?);
    task.join().await
}

async fn a_shield_that_is_dropped_is_closed() -> Result<()> {
    {
        let mut shielded = Box::pin(disable_cancellation(sleep(HOUR)));
        assert!(futures::poll!(shielded.as_mut()).is_pending());
        curio::current_task().request_cancel();
    }
    assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
    Ok(())
}
