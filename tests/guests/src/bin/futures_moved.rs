//! Pending traps that move, and what is left of those that are dropped.

use std::cell::{Cell, RefCell};
use std::future::{self, Future};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use curio::traps::{SchedFifo, reschedule_tasks, wait_on_queue};
use curio::{Error, Result, clock, sleep, spawn, timeout_after, yield_now};
use futures::future::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{pin_mut, select_biased};
use test_guests::{fails, ms};

test_guests::cases! {
    a_pending_trap_may_move_behind_another_waker
    a_pending_trap_may_move_back
    a_pending_trap_may_move_to_another_task
    a_pending_trap_may_outlive_its_task
    a_yield_may_move_and_outlive_its_task
    what_moves_is_interrupted_with_its_new_task
    a_block_may_borrow_a_pending_trap
    a_begun_block_may_move_to_another_task
    ended_tasks_leave_nothing
    dropped_sleeps_leave_nothing
    dropped_timeouts_leave_nothing
    dropped_sleeps_that_ended_leave_nothing
}

const NEVER: u64 = 1_000_000;

type Boxed = Pin<Box<dyn Future<Output = Result<curio::Instant>>>>;

/// Begins to sleep, with the waker of the task that runs.
async fn begun(length: u64) -> Boxed {
    let mut sleeping: Boxed = Box::pin(sleep(ms(length)));
    future::poll_fn(|cx| {
        assert!(sleeping.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    sleeping
}

/// How often something is repeated to see whether it leaves anything: under a limit that a few bytes each time
/// would break.
const MANY: u32 = 100_000;

async fn a_pending_trap_may_move_behind_another_waker() -> Result<()> {
    let mut sleeping = FuturesUnordered::new();
    for n in [30, 10, 20] {
        sleeping.push(begun(n).await);
    }
    while let Some(woken) = sleeping.next().await {
        woken?;
    }
    Ok(())
}

async fn a_pending_trap_may_move_back() -> Result<()> {
    let kept: Rc<RefCell<Option<Boxed>>> = Rc::new(RefCell::new(Some(Box::pin(sleep(ms(20))))));
    let lent = kept.clone();
    let mut lending = FuturesUnordered::new();
    lending.push(future::poll_fn(move |cx| {
        if let Some(sleeping) = &mut *lent.borrow_mut() {
            assert!(sleeping.as_mut().poll(cx).is_pending());
        }
        Poll::Ready(())
    }));
    lending.next().await;
    let Some(sleeping) = kept.take() else {
        panic!("it was only lent");
    };
    sleeping.await?;
    Ok(())
}

async fn a_pending_trap_may_move_to_another_task() -> Result<()> {
    let sleeping = begun(20).await;
    let task = spawn(async move {
        sleeping.await?;
        Ok("woken")
    });
    assert_eq!(task.join().await?, "woken");
    Ok(())
}

async fn a_yield_may_move_and_outlive_its_task() -> Result<()> {
    for owner_goes_on in [true, false] {
        let handed = Rc::new(Cell::new(None));
        let inner = handed.clone();
        let owner = spawn(async move {
            inner.set(Some(begun(0).await));
            if owner_goes_on {
                sleep(ms(1)).await?;
            }
            Ok(())
        });
        // It has its turn behind the owner, and before the yield has its own.
        let taker = spawn(async move {
            let Some(yielded) = handed.take() else {
                panic!("it was handed over");
            };
            yielded.await
        });
        taker.join().await?;
        owner.join().await?;
    }
    Ok(())
}

async fn a_pending_trap_may_outlive_its_task() -> Result<()> {
    let handed = Rc::new(Cell::new(None));
    let inner = handed.clone();
    let task = spawn(async move {
        inner.set(Some(begun(20).await));
        Ok(())
    });
    task.join().await?;
    let Some(sleeping) = handed.take() else {
        panic!("it was handed over");
    };
    let start = clock();
    sleeping.await?;
    assert!(clock() >= start);
    Ok(())
}

async fn what_moves_is_interrupted_with_its_new_task() -> Result<()> {
    let sleeping = begun(NEVER).await;
    let task = spawn(async move {
        assert!(matches!(fails(sleeping.await), Error::TaskCancelled));
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    task.join().await?;
    let sleeping = begun(NEVER).await;
    let task = spawn(timeout_after(ms(5), sleeping));
    task.wait().await?;
    let Error::Task(error) = fails(task.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskTimeout(_)));
    Ok(())
}

async fn a_block_may_borrow_a_pending_trap() -> Result<()> {
    let mut sleeping = begun(20).await;
    // It was made outside, so that it is not told.
    let block = timeout_after(ms(1), &mut sleeping);
    assert!(matches!(fails(block.await), Error::TaskTimeout(_)));
    sleeping.await?;
    Ok(())
}

async fn a_begun_block_may_move_to_another_task() -> Result<()> {
    for time in [5, NEVER] {
        let mut block = Box::pin(timeout_after(ms(time), async {
            sleep(ms(20)).await?;
            sleep(ms(20)).await
        }));
        future::poll_fn(|cx| {
            assert!(block.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        let task = spawn(async move { Ok(block.await.is_ok()) });
        assert_eq!(task.join().await?, time == NEVER);
    }
    Ok(())
}

async fn ended_tasks_leave_nothing() -> Result<()> {
    for _ in 0..MANY / 2 {
        let task = spawn(async {
            let queue = SchedFifo::new();
            let mut waiting = Box::pin(wait_on_queue(&queue, "queue"));
            future::poll_fn(|cx| {
                assert!(waiting.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            // It has ended, but the task ends before it hears of that.
            assert_eq!(reschedule_tasks(&queue, 1), 1);
            Ok(())
        });
        task.join().await?;
    }
    Ok(())
}

async fn dropped_sleeps_leave_nothing() -> Result<()> {
    for _ in 0..MANY {
        let sleeping = sleep(ms(NEVER)).fuse();
        pin_mut!(sleeping);
        select_biased! {
            _ = sleeping => panic!("should be the slow one"),
            () = future::ready(()).fuse() => {}
        }
    }
    for _ in 0..MANY / 10 {
        let sleeping = sleep(ms(NEVER)).fuse();
        pin_mut!(sleeping);
        select_biased! {
            _ = sleeping => panic!("should be the slow one"),
            yielded = yield_now().fuse() => yielded?,
        }
    }
    Ok(())
}

async fn dropped_timeouts_leave_nothing() -> Result<()> {
    for n in 0..MANY {
        let inside = async {
            if n % 2 == 0 {
                future::pending::<()>().await;
            }
            sleep(ms(NEVER)).await
        };
        let block = timeout_after(ms(NEVER), timeout_after(ms(NEVER), inside)).fuse();
        pin_mut!(block);
        select_biased! {
            _ = block => panic!("should be the slow one"),
            () = future::ready(()).fuse() => {}
        }
    }
    yield_now().await
}

async fn dropped_sleeps_that_ended_leave_nothing() -> Result<()> {
    for _ in 0..MANY / 10 {
        // Both have ended when the task goes on; the second is never looked at.
        let first = yield_now().fuse();
        let second = yield_now().fuse();
        pin_mut!(first, second);
        select_biased! {
            yielded = first => yielded?,
            _ = second => panic!("the first one is first"),
        }
    }
    Ok(())
}
