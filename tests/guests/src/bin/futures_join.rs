//! Combinators of the `futures` crate inside a task: several traps at once.

use std::future::{self};

use curio::traps::{SchedFifo, reschedule_tasks, sleep_until, wait_on_queue};
use curio::{Error, Result, clock, current_task, sleep, spawn, timeout_after, yield_now};
use futures::future::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{join, pin_mut, select, select_biased, try_join};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    join_waits_for_both_at_once
    join_of_many_kinds_of_traps
    try_join_ends_with_the_first_error
    a_cancellation_reaches_every_branch_of_join
    a_timeout_reaches_every_branch_of_join
    each_branch_has_timeouts_of_its_own
    select_takes_the_first
    a_branch_that_select_drops_is_withdrawn
    a_cancellation_of_a_dropped_branch_is_not_lost
    a_timeout_of_a_dropped_branch_is_not_lost
    a_timeout_that_a_branch_was_told_of_is_not_told_again
    a_wait_that_is_dropped_leaves_its_queue
    unordered_gives_what_is_done_first
    unordered_dropped_half_way_is_withdrawn
    unordered_may_hold_what_it_is_given_meanwhile
}

const NEVER: u64 = 1_000_000;

async fn join_waits_for_both_at_once() -> Result<()> {
    let notes = Notes::new();
    let start = clock();
    let after = async |n: u64| {
        sleep_until(start + ms(n)).await?;
        notes.add(n);
        Ok::<_, Error>(n)
    };
    let (third, first, second) = join!(after(30), after(10), after(20));
    assert_eq!((first?, second?, third?), (10, 20, 30));
    notes.are([10, 20, 30]);
    Ok(())
}

async fn join_of_many_kinds_of_traps() -> Result<()> {
    let queue = SchedFifo::new();
    let (joined, waited, slept, yielded, quick) = join!(
        async { spawn(async { Ok(1) }).join().await },
        wait_on_queue(&queue, "queue"),
        sleep(ms(5)),
        async {
            yield_now().await?;
            assert_eq!(reschedule_tasks(&queue, 1), 1);
            yield_now().await
        },
        future::ready(2),
    );
    assert_eq!((joined?, quick), (1, 2));
    waited?;
    slept?;
    yielded
}

async fn try_join_ends_with_the_first_error() -> Result<()> {
    let result = try_join!(sleep(ms(NEVER)), async {
        sleep(ms(1)).await?;
        Err::<(), _>(Error::other("the cat is out"))
    });
    assert_eq!(fails(result).to_string(), "the cat is out");
    sleep(ms(1)).await?;
    Ok(())
}

async fn a_cancellation_reaches_every_branch_of_join() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let task = spawn(async move {
        let branch = async |n: u64| {
            assert!(matches!(
                fails(sleep(ms(NEVER)).await),
                Error::TaskCancelled
            ));
            // Each may clean up.
            sleep(ms(n)).await?;
            inner.add(n);
            Ok::<_, Error>(())
        };
        let (a, b, c) = join!(branch(1), branch(20), branch(40));
        a.and(b).and(c)
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.are([1, 20, 40]);
    task.join().await
}

async fn a_timeout_reaches_every_branch_of_join() -> Result<()> {
    let block = timeout_after(ms(5), async {
        let (a, b) = join!(sleep(ms(NEVER)), sleep(ms(NEVER)));
        assert!(matches!(fails(a), Error::TaskTimeout(_)));
        Err::<(), _>(fails(b))
    });
    assert!(matches!(fails(block.await), Error::TaskTimeout(_)));
    Ok(())
}

async fn each_branch_has_timeouts_of_its_own() -> Result<()> {
    let notes = Notes::new();
    let start = clock();
    let branch = async |n: u64| {
        let block = curio::timeout_at(start + ms(n), sleep(ms(NEVER)));
        assert!(matches!(fails(block.await), Error::TaskTimeout(_)));
        notes.add(n);
    };
    let (slept, ..) = join!(sleep_until(start + ms(30)), branch(20), branch(10));
    slept?;
    notes.are([10, 20]);
    Ok(())
}

async fn select_takes_the_first() -> Result<()> {
    let slow = sleep(ms(NEVER)).fuse();
    let quick = sleep(ms(5)).fuse();
    pin_mut!(slow, quick);
    let first = select! {
        _ = slow => "slow",
        woken = quick => {
            woken?;
            "quick"
        }
    };
    assert_eq!(first, "quick");
    Ok(())
}

async fn a_branch_that_select_drops_is_withdrawn() -> Result<()> {
    {
        let dropped = sleep(ms(10)).fuse();
        let quick = yield_now().fuse();
        pin_mut!(dropped, quick);
        select! {
            _ = dropped => panic!("should be the slow one"),
            yielded = quick => yielded?,
        }
    }
    let cycles = current_task().cycles();
    sleep(ms(30)).await?;
    // Nothing else has woken it meanwhile.
    assert_eq!(current_task().cycles(), cycles + 1);
    Ok(())
}

/// Waits for what others do to the task, in the order in which the branches stand.
async fn oneshot_before_sleep(receiver: futures::channel::oneshot::Receiver<()>) -> &'static str {
    let sleeping = sleep(ms(NEVER)).fuse();
    let mut receiver = receiver.fuse();
    pin_mut!(sleeping);
    select_biased! {
        sent = receiver => {
            assert!(sent.is_ok());
            "received"
        }
        _ = sleeping => "woken",
    }
}

async fn a_cancellation_of_a_dropped_branch_is_not_lost() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let task = spawn(async {
        assert_eq!(oneshot_before_sleep(receiver).await, "received");
        // The sleep was told, but nobody looked: so it arrives here.
        assert!(matches!(
            fails(sleep(ms(NEVER)).await),
            Error::TaskCancelled
        ));
        sleep(ms(1)).await
    });
    yield_now().await?;
    task.request_cancel();
    assert!(sender.send(()).is_ok());
    task.join().await?;
    Ok(())
}

async fn a_timeout_of_a_dropped_branch_is_not_lost() -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let deadline = clock() + ms(50);
    // It wakes in the pass in which the other is told, before it.
    let sending = spawn(async move {
        sleep_until(deadline).await?;
        assert!(sender.send(()).is_ok());
        Ok(())
    });
    let task = spawn(async move {
        let block = curio::timeout_at(deadline, async {
            assert_eq!(oneshot_before_sleep(receiver).await, "received");
            sleep(ms(NEVER)).await
        });
        assert!(matches!(fails(block.await), Error::TaskTimeout(_)));
        Ok(())
    });
    task.join().await?;
    sending.join().await
}

async fn a_timeout_that_a_branch_was_told_of_is_not_told_again() -> Result<()> {
    timeout_after(ms(10), async {
        let [left, right] = [1, 2].map(|_| sleep(ms(NEVER)).boxed_local());
        // Both were told; the second one is dropped, and nobody looks at it.
        let (first, dropped) = futures::future::select(left, right).await.factor_first();
        drop(dropped);
        assert!(matches!(fails(first), Error::TaskTimeout(_)));
        sleep(ms(5)).await?;
        Ok(())
    })
    .await
}

async fn a_wait_that_is_dropped_leaves_its_queue() -> Result<()> {
    let queue = SchedFifo::new();
    {
        let waiting = wait_on_queue(&queue, "queue").fuse();
        pin_mut!(waiting);
        select_biased! {
            _ = waiting => panic!("nobody wakes it"),
            yielded = yield_now().fuse() => yielded?,
        }
        assert_eq!(queue.len(), 1);
    }
    assert!(queue.is_empty());
    assert_eq!(reschedule_tasks(&queue, 1), 0);
    Ok(())
}

async fn unordered_gives_what_is_done_first() -> Result<()> {
    let start = clock() + ms(50);
    let mut sleeping: FuturesUnordered<_> = (0..200_u64)
        .rev()
        .map(async |n| {
            sleep_until(start + ms(n)).await?;
            Ok::<_, Error>(n)
        })
        .collect();
    let mut woken = Vec::new();
    while let Some(n) = sleeping.next().await {
        woken.push(n?);
    }
    assert!(woken.is_sorted(), "{woken:?}");
    assert_eq!(woken.len(), 200);
    Ok(())
}

async fn unordered_dropped_half_way_is_withdrawn() -> Result<()> {
    let start = clock() + ms(20);
    let mut sleeping: FuturesUnordered<_> =
        (0..200).map(|n| sleep_until(start + ms(n / 2))).collect();
    for _ in 0..100 {
        assert!(sleeping.next().await.is_some_and(|woken| woken.is_ok()));
    }
    drop(sleeping);
    // What was on its way arrives now, for nobody.
    yield_now().await?;
    let cycles = current_task().cycles();
    sleep(ms(150)).await?;
    assert_eq!(current_task().cycles(), cycles + 1);
    Ok(())
}

async fn unordered_may_hold_what_it_is_given_meanwhile() -> Result<()> {
    let mut sleeping = FuturesUnordered::new();
    sleeping.push(sleep(ms(1)));
    for _ in 0..50 {
        assert!(sleeping.next().await.is_some_and(|woken| woken.is_ok()));
        sleeping.push(sleep(ms(1)));
        sleeping.push(sleep(ms(0)));
    }
    while let Some(woken) = sleeping.next().await {
        woken?;
    }
    Ok(())
}
