//! Timeout blocks and sleep.

use std::future;
use std::time::Duration;

use curio::traps::sleep_until;
use curio::{
    Error, Result, clock, current_task, ignore_after, ignore_at, sleep, spawn, timeout_after,
    timeout_at, yield_now,
};
use test_guests::{Notes, fails, ms, sleep_until_told, spin_until};

test_guests::cases! {
    a_timeout_tells_when_it_came
    what_is_quick_is_not_timed_out
    no_time_is_no_limit
    ignore_gives_the_value_or_none
    a_timeout_of_zero_strikes_where_the_task_blocks
    a_deadline_in_the_past_strikes_where_the_task_blocks
    a_time_beyond_the_end_of_time_is_no_limit
    a_timeout_around_join_leaves_the_task_running
    cleanup_after_a_timeout_may_block
    a_timeout_strikes_once
    a_deadline_does_not_matter_after_its_block
    a_result_that_was_there_first_counts
    a_timeout_that_comes_too_late_is_forgotten
    a_task_does_not_inherit_timeouts
    timeouts_of_tasks_are_their_own
    cancellation_stops_timeouts_during_cleanup
    cancellation_stops_timeouts_between_blocks
    a_block_opened_during_cleanup_is_timed
    a_cancellation_is_not_a_timeout
    a_timeout_then_a_cancellation
    a_future_without_a_trap_is_dropped
    a_block_of_yields_is_timed_out
    blocks_may_follow_each_other_many_times
}

const NEVER: u64 = 1_000_000;

fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::TaskTimeout(_))
}

async fn a_timeout_tells_when_it_came() -> Result<()> {
    let start = clock();
    let error = fails(timeout_after(ms(10), sleep(ms(NEVER))).await);
    assert_eq!(error.to_string(), "timed out");
    let Error::TaskTimeout(timed_out) = error else {
        panic!("should be a timeout");
    };
    assert!(timed_out.at() - start >= ms(10));
    assert!(timed_out.at() <= clock());
    Ok(())
}

async fn what_is_quick_is_not_timed_out() -> Result<()> {
    assert_eq!(timeout_after(ms(NEVER), async { Ok(1) }).await?, 1);
    timeout_after(ms(NEVER), sleep(ms(1))).await?;
    let error = timeout_after(ms(NEVER), async {
        sleep(ms(1)).await?;
        Err::<(), _>(Error::other("the cat is out"))
    });
    assert_eq!(fails(error.await).to_string(), "the cat is out");
    Ok(())
}

async fn no_time_is_no_limit() -> Result<()> {
    timeout_after(None, sleep(ms(5))).await?;
    timeout_at(None, sleep(ms(1))).await?;
    assert_eq!(ignore_after(None, async { Ok(1) }).await?, Some(1));
    assert_eq!(ignore_at(None, async { Ok(1) }).await?, Some(1));
    // The outer block still counts, and an inner one too.
    let outer = timeout_after(ms(5), timeout_after(None, sleep(ms(NEVER))));
    assert!(is_timeout(&fails(outer.await)));
    let inner = timeout_after(None, timeout_after(ms(5), sleep(ms(NEVER))));
    assert!(is_timeout(&fails(inner.await)));
    Ok(())
}

async fn ignore_gives_the_value_or_none() -> Result<()> {
    assert_eq!(ignore_after(ms(NEVER), async { Ok(1) }).await?, Some(1));
    assert_eq!(ignore_after(ms(5), sleep(ms(NEVER))).await?, None);
    let deadline = clock() + ms(5);
    assert_eq!(ignore_at(deadline, sleep(ms(NEVER))).await?, None);
    let error = ignore_after(ms(5), async { Err::<(), _>(Error::other("not ignored")) });
    assert_eq!(fails(error.await).to_string(), "not ignored");
    Ok(())
}

async fn a_timeout_of_zero_strikes_where_the_task_blocks() -> Result<()> {
    let notes = Notes::new();
    let block = timeout_after(Duration::ZERO, async {
        notes.add("inside");
        yield_now().await?;
        notes.add("behind");
        Ok(())
    });
    assert!(is_timeout(&fails(block.await)));
    notes.are(["inside"]);
    assert_eq!(timeout_after(Duration::ZERO, async { Ok(1) }).await?, 1);
    assert_eq!(ignore_after(Duration::ZERO, yield_now()).await?, None);
    Ok(())
}

async fn a_deadline_in_the_past_strikes_where_the_task_blocks() -> Result<()> {
    let past = clock();
    spin_until(past + ms(2));
    assert!(is_timeout(&fails(timeout_at(past, yield_now()).await)));
    assert_eq!(ignore_at(past, sleep(ms(NEVER))).await?, None);
    assert_eq!(timeout_at(past, async { Ok(1) }).await?, 1);
    Ok(())
}

async fn a_time_beyond_the_end_of_time_is_no_limit() -> Result<()> {
    timeout_after(Duration::MAX, sleep(ms(1))).await?;
    let sleeper = spawn(sleep(Duration::MAX));
    sleep(ms(1)).await?;
    assert!(sleeper.cancel().await?);
    Ok(())
}

async fn a_timeout_around_join_leaves_the_task_running() -> Result<()> {
    let task = spawn(async {
        sleep(ms(30)).await?;
        Ok("well")
    });
    assert!(is_timeout(&fails(timeout_after(ms(1), task.join()).await)));
    assert!(!task.is_cancelled());
    assert_eq!(task.join().await?, "well");
    Ok(())
}

async fn cleanup_after_a_timeout_may_block() -> Result<()> {
    let notes = Notes::new();
    let block = timeout_after(ms(5), async {
        let error = sleep_until_told().await;
        sleep(ms(10)).await?;
        spawn(yield_now()).join().await?;
        notes.add("clean");
        Err::<(), _>(error)
    });
    assert!(is_timeout(&fails(block.await)));
    notes.are(["clean"]);
    Ok(())
}

async fn a_timeout_strikes_once() -> Result<()> {
    let block = timeout_after(ms(5), async {
        sleep_until_told().await;
        for _ in 0..5 {
            sleep(ms(2)).await?;
            yield_now().await?;
        }
        Ok("went on")
    });
    assert_eq!(block.await?, "went on");
    Ok(())
}

async fn a_deadline_does_not_matter_after_its_block() -> Result<()> {
    timeout_after(ms(10), sleep(ms(1))).await?;
    assert_eq!(ignore_after(ms(10), async { Ok(1) }).await?, Some(1));
    let start = clock();
    let woken = sleep(ms(30)).await?;
    assert!(woken - start >= ms(30));
    Ok(())
}

async fn a_result_that_was_there_first_counts() -> Result<()> {
    let task = spawn(async {
        let start = clock();
        let block = timeout_at(start + ms(200), async move {
            // Meanwhile both times pass.
            sleep_until(start + ms(100)).await?;
            Ok("slept")
        });
        block.await
    });
    yield_now().await?;
    spin_until(clock() + ms(250));
    assert_eq!(task.join().await?, "slept");
    Ok(())
}

async fn a_timeout_that_comes_too_late_is_forgotten() -> Result<()> {
    let start = clock();
    let block = timeout_at(start + ms(200), async {
        sleep_until(start + ms(5)).await?;
        spin_until(start + ms(250));
        Ok("well")
    });
    assert_eq!(block.await?, "well");
    sleep(ms(5)).await?;
    Ok(())
}

async fn a_task_does_not_inherit_timeouts() -> Result<()> {
    let child = timeout_after(ms(5), async {
        let child = spawn(sleep(ms(30)));
        fails(sleep(ms(NEVER)).await);
        Ok(child)
    });
    child.await?.join().await?;
    Ok(())
}

async fn timeouts_of_tasks_are_their_own() -> Result<()> {
    let notes = Notes::new();
    let start = clock();
    let tasks = [30, 10, 20].map(|n| {
        let notes = notes.clone();
        spawn(async move {
            let block = timeout_at(start + ms(n), sleep(ms(NEVER)));
            assert!(is_timeout(&fails(block.await)));
            notes.add(n);
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    notes.are([10, 20, 30]);
    Ok(())
}

async fn cancellation_stops_timeouts_during_cleanup() -> Result<()> {
    let task = spawn(timeout_after(ms(20), async {
        timeout_after(ms(10), async {
            let error = sleep_until_told().await;
            assert!(matches!(error, Error::TaskCancelled));
            sleep(ms(40)).await?;
            Err::<(), _>(error)
        })
        .await
    }));
    yield_now().await?;
    task.cancel().await?;
    let Error::Task(error) = fails(task.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    Ok(())
}

async fn cancellation_stops_timeouts_between_blocks() -> Result<()> {
    let task = spawn(timeout_after(ms(10), async {
        let inner = timeout_after(ms(5), sleep(ms(NEVER))).await;
        assert!(matches!(fails(inner), Error::TaskCancelled));
        sleep(ms(20)).await?;
        Ok("clean")
    }));
    yield_now().await?;
    task.cancel().await?;
    assert_eq!(task.join().await?, "clean");
    Ok(())
}

async fn a_block_opened_during_cleanup_is_timed() -> Result<()> {
    let task = spawn(async {
        sleep_until_told().await;
        let cleanup = timeout_after(ms(5), sleep(ms(NEVER)));
        assert!(is_timeout(&fails(cleanup.await)));
        Ok("gave up")
    });
    yield_now().await?;
    task.cancel().await?;
    assert_eq!(task.join().await?, "gave up");
    Ok(())
}

async fn a_cancellation_is_not_a_timeout() -> Result<()> {
    let task = spawn(async {
        let ignored = ignore_after(ms(NEVER), sleep(ms(NEVER))).await;
        assert!(matches!(fails(ignored), Error::TaskCancelled));
        Ok("told")
    });
    yield_now().await?;
    task.cancel().await?;
    assert_eq!(task.join().await?, "told");
    Ok(())
}

async fn a_timeout_then_a_cancellation() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(timeout_after(ms(5), async move {
        assert!(is_timeout(&sleep_until_told().await));
        inner.add("timed out");
        // Cleaning up after the timeout may be cancelled.
        let error = sleep_until_told().await;
        assert!(matches!(error, Error::TaskCancelled));
        inner.add("cancelled");
        Err::<(), _>(error)
    }));
    sleep(ms(20)).await?;
    task.cancel().await?;
    notes.are(["timed out", "cancelled"]);
    Ok(())
}

/// Notes that it is dropped.
struct Dropped(Notes);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

async fn a_future_without_a_trap_is_dropped() -> Result<()> {
    let notes = Notes::new();
    for after in [ms(0), ms(5)] {
        let dropped = Dropped(notes.clone());
        let block = timeout_after(after, async move {
            let _dropped = dropped;
            future::pending::<()>().await;
            Ok(())
        });
        assert!(is_timeout(&fails(block.await)));
        notes.are(["dropped"]);
    }
    // The outer block's time counts for the inner one too.
    let outer = timeout_after(ms(5), async {
        let inner = fails(timeout_after(ms(NEVER), future::pending::<Result<()>>()).await);
        assert!(matches!(inner, Error::TimeoutCancellation(_)), "{inner}");
        Err::<(), _>(inner)
    });
    assert!(is_timeout(&fails(outer.await)));
    assert_eq!(current_task().name(), "main");
    Ok(())
}

async fn a_block_of_yields_is_timed_out() -> Result<()> {
    let block = timeout_after(ms(5), async {
        loop {
            yield_now().await?;
        }
        #[expect(unreachable_code, reason = "says what the loop would return")]
        Ok(())
    });
    assert!(is_timeout(&fails(block.await)));
    Ok(())
}

async fn blocks_may_follow_each_other_many_times() -> Result<()> {
    for n in 0..20_000_u32 {
        if n % 2 == 0 {
            timeout_after(ms(NEVER), yield_now()).await?;
        } else {
            assert_eq!(ignore_after(ms(0), yield_now()).await?, None);
        }
    }
    Ok(())
}
