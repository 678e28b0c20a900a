//! Locks: who gets them in which order, and what interruptions leave behind.

use std::cell::Cell;
use std::rc::Rc;

use curio::sync::{Lock, RLock, Semaphore};
use curio::{Error, Result, current_task, sleep, spawn, timeout_after, yield_now};
use futures::future::{Either, select};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    lock_contenders_enter_in_order
    a_releaser_continues_before_the_next_owner_runs
    a_releaser_cannot_barge_in
    an_uncontended_lock_takes_no_cycle
    a_lock_acquire_can_be_cancelled
    a_lock_acquire_can_time_out
    a_lock_handed_over_before_the_cancellation_is_held
    a_lock_handed_to_a_dropped_future_goes_on
    a_free_lock_cannot_be_released
    a_forgotten_guard_is_released_by_hand
    an_unblocked_task_in_an_expired_block_is_told_at_the_next_wait
    a_task_woken_over_and_over_can_be_cancelled
    a_task_woken_over_and_over_times_out
    a_join_of_a_lock_and_a_sleep_is_cancelled_in_both
    a_join_of_a_lock_and_a_sleep_times_out_in_both
    a_pending_lock_may_move_to_another_task
    a_pending_lock_may_outlive_a_task_that_sleeps_too
    a_thousand_tasks_contend
}

async fn contend(lock: Rc<Lock>, notes: Notes, n: u32) -> Result<()> {
    notes.add(format!("{n} waits {}", lock.is_locked()));
    let _guard = lock.lock().await?;
    notes.add(format!("{n} has it"));
    sleep(ms(2)).await?;
    notes.add(format!("{n} gives it"));
    Ok(())
}

async fn lock_contenders_enter_in_order() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(Lock::new()));
    let tasks = [1, 2, 3].map(|n| spawn(contend(lock.clone(), notes.clone(), n)));
    for task in tasks {
        task.join().await?;
    }
    notes.are([
        "1 waits false",
        "1 has it",
        "2 waits true",
        "3 waits true",
        "1 gives it",
        "2 has it",
        "2 gives it",
        "3 has it",
        "3 gives it",
    ]);
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_releaser_continues_before_the_next_owner_runs() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(Lock::new()));
    let guard = lock.lock().await?;
    let tasks = [1, 2, 3].map(|n| {
        let (notes, lock) = (notes.clone(), lock.clone());
        spawn(async move {
            let _guard = lock.lock().await?;
            notes.add(n);
            Ok(())
        })
    });
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "lock-acquire");
    drop(guard);
    notes.add("released");
    for task in tasks {
        task.join().await?;
    }
    notes.are(["released", "1", "2", "3"]);
    Ok(())
}

async fn a_releaser_cannot_barge_in() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(Lock::new()));
    let guard = lock.lock().await?;
    let (inner, inner_notes) = (lock.clone(), notes.clone());
    let task = spawn(async move {
        let _guard = inner.lock().await?;
        inner_notes.add("the one that waited");
        Ok(())
    });
    yield_now().await?;
    drop(guard);
    assert!(lock.is_locked());
    assert!(lock.try_lock().is_none());
    let _guard = lock.lock().await?;
    notes.add("the one that released it");
    task.join().await?;
    notes.are(["the one that waited", "the one that released it"]);
    Ok(())
}

async fn an_uncontended_lock_takes_no_cycle() -> Result<()> {
    let (lock, rlock, semaphore) = (Lock::new(), RLock::new(), Semaphore::new(1));
    let cycles = current_task().cycles();
    for _ in 0..10 {
        let _guard = lock.lock().await?;
        let _guard = rlock.lock().await?;
        let _guard = semaphore.acquire().await?;
    }
    assert_eq!(current_task().cycles(), cycles);
    Ok(())
}

async fn a_lock_acquire_can_be_cancelled() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(Lock::new()));
    let guard = lock.lock().await?;
    let tasks = [1, 2, 3].map(|n| spawn(contend(lock.clone(), notes.clone(), n)));
    yield_now().await?;
    assert!(tasks[1].cancel().await?);
    assert!(matches!(
        fails(tasks[1].join().await),
        Error::Task(error) if matches!(error.cause(), Error::TaskCancelled)
    ));
    drop(guard);
    tasks[0].join().await?;
    tasks[2].join().await?;
    notes.are([
        "1 waits true",
        "2 waits true",
        "3 waits true",
        "1 has it",
        "1 gives it",
        "3 has it",
        "3 gives it",
    ]);
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_lock_acquire_can_time_out() -> Result<()> {
    let lock = Lock::new();
    let guard = lock.lock().await?;
    let error = fails(timeout_after(ms(5), lock.lock()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    drop(guard);
    assert!(!lock.is_locked());
    drop(timeout_after(ms(5), lock.lock()).await?);
    Ok(())
}

async fn a_lock_handed_over_before_the_cancellation_is_held() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    let task = spawn(async move {
        let _guard = inner.lock().await?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        assert!(inner.is_locked());
        Ok(())
    });
    yield_now().await?;
    drop(guard);
    assert!(task.cancel().await?);
    assert!(!lock.is_locked());
    task.join().await
}

async fn a_lock_handed_to_a_dropped_future_goes_on() -> Result<()> {
    let (lock, notes) = (Rc::new(Lock::new()), Notes::new());
    let guard = lock.lock().await?;
    let (inner, gate) = (lock.clone(), Rc::new(Lock::new()));
    let (inner_gate, gate_guard) = (gate.clone(), gate.lock().await?);
    let chooser = spawn(async move {
        let (first, second) = (Box::pin(inner_gate.lock()), Box::pin(inner.lock()));
        match select(first, second).await {
            Either::Left((guard, _)) => drop(guard?),
            Either::Right(_) => panic!("the first of two that are ready counts"),
        }
        Ok(())
    });
    yield_now().await?;
    let next = spawn(contend(lock.clone(), notes.clone(), 1));
    yield_now().await?;
    // Both are handed to the chooser, which takes one of them.
    drop(gate_guard);
    drop(guard);
    chooser.join().await?;
    next.join().await?;
    notes.are(["1 waits true", "1 has it", "1 gives it"]);
    assert!(!lock.is_locked() && !gate.is_locked());
    Ok(())
}

async fn a_free_lock_cannot_be_released() -> Result<()> {
    let error = fails(Lock::new().release());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    Ok(())
}

async fn a_forgotten_guard_is_released_by_hand() -> Result<()> {
    let lock = Rc::new(Lock::new());
    lock.lock().await?.forget();
    assert!(lock.is_locked());
    let inner = lock.clone();
    spawn(async move { inner.release() }).join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn an_unblocked_task_in_an_expired_block_is_told_at_the_next_wait() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    let task = spawn(timeout_after(ms(5), async move {
        let _guard = inner.lock().await?;
        Ok(sleep_until_told().await)
    }));
    yield_now().await?;
    test_guests::spin_until(curio::clock() + ms(10));
    // It has the lock before anybody says that its time is over.
    drop(guard);
    assert!(task.join().await?.is_timeout());
    Ok(())
}

/// Two tasks that hand a lock to each other for ever.
fn ping_pong(lock: &Rc<Lock>) -> [curio::Task<()>; 2] {
    [0, 1].map(|_| {
        let lock = lock.clone();
        spawn(async move {
            loop {
                let guard = lock.lock().await?;
                // The other one comes to wait.
                yield_now().await?;
                drop(guard);
            }
        })
    })
}

async fn a_task_woken_over_and_over_can_be_cancelled() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let tasks = ping_pong(&lock);
    sleep(ms(5)).await?;
    for task in &tasks {
        assert!(timeout_after(ms(10_000), task.cancel()).await?);
    }
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_task_woken_over_and_over_times_out() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let [one, other] = ping_pong(&lock);
    // From now on it is never free.
    yield_now().await?;
    let inner = lock.clone();
    let error = timeout_after(ms(10), async {
        loop {
            drop(inner.lock().await?);
        }
        #[expect(unreachable_code, reason = "says what the loop would return")]
        Ok(())
    });
    assert!(fails(error.await).is_timeout());
    one.cancel().await?;
    other.cancel().await?;
    Ok(())
}

async fn a_join_of_a_lock_and_a_sleep_is_cancelled_in_both() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    let task = spawn(async move {
        let (locked, slept) = futures::join!(inner.lock(), sleep(ms(1_000_000)));
        assert!(matches!(fails(locked), Error::TaskCancelled));
        assert!(matches!(fails(slept), Error::TaskCancelled));
        let (slept, locked) = futures::join!(sleep(ms(1)), timeout_after(ms(1), inner.lock()));
        slept?;
        assert!(fails(locked).is_timeout());
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    drop(guard);
    task.join().await
}

async fn a_join_of_a_lock_and_a_sleep_times_out_in_both() -> Result<()> {
    let lock = Lock::new();
    let _guard = lock.lock().await?;
    timeout_after(ms(5), async {
        let (locked, slept) = futures::join!(lock.lock(), sleep(ms(1_000_000)));
        assert!(fails(locked).is_timeout());
        assert!(fails(slept).is_timeout());
        Ok(())
    })
    .await?;
    timeout_after(ms(5), async {
        let (slept, locked) = futures::join!(sleep(ms(1_000_000)), lock.lock());
        assert!(fails(locked).is_timeout());
        assert!(fails(slept).is_timeout());
        Ok(())
    })
    .await
}

async fn a_pending_lock_may_move_to_another_task() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    let mut wait = Box::pin(async move { inner.lock().await.map(drop) });
    assert!(futures::poll!(&mut wait).is_pending());
    let task = spawn(wait);
    yield_now().await?;
    assert_eq!(task.state().to_string(), "lock-acquire");
    drop(guard);
    task.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_pending_lock_may_outlive_a_task_that_sleeps_too() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let guard = lock.lock().await?;
    // The kernel knows of the wait, since its task also waits in a trap; then that task ends.
    let inner = lock.clone();
    let first = spawn(async move {
        let mut wait = Box::pin(async move { inner.lock().await.map(drop) });
        let mut nap = Box::pin(sleep(ms(1)));
        assert!(futures::poll!(&mut nap).is_pending());
        assert!(futures::poll!(&mut wait).is_pending());
        nap.await?;
        Ok(wait)
    });
    let wait = first.join().await?;
    let task = spawn(wait);
    yield_now().await?;
    drop(guard);
    timeout_after(ms(10_000), task.join()).await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_thousand_tasks_contend() -> Result<()> {
    let (lock, inside) = (Rc::new(Lock::new()), Rc::new(Cell::new(false)));
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let (lock, inside) = (lock.clone(), inside.clone());
            spawn(async move {
                let _guard = lock.lock().await?;
                assert!(!inside.replace(true));
                if n % 7 == 0 {
                    sleep(ms(0)).await?;
                } else {
                    yield_now().await?;
                }
                inside.set(false);
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.join().await?;
    }
    assert!(!lock.is_locked());
    Ok(())
}
