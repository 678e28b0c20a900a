//! Semaphores and recursive locks.

use std::cell::Cell;
use std::rc::Rc;

use curio::sync::{BoundedSemaphore, RLock, RLockGuard, Semaphore};
use curio::{Error, Result, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    an_rlock_is_entered_again_by_its_owner
    an_rlock_is_released_by_its_owner_only
    other_tasks_wait_for_an_rlock_in_order
    an_rlock_is_locked_while_it_is_handed_over
    a_pending_rlock_belongs_to_the_task_that_gets_it
    a_semaphore_of_one_is_a_lock
    semaphore_contenders_enter_in_order
    a_semaphore_lets_in_as_many_as_it_says
    a_semaphore_acquire_can_be_cancelled
    a_semaphore_acquire_can_time_out
    a_bounded_semaphore_has_a_bound
}

async fn an_rlock_is_entered_again_by_its_owner() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(RLock::new()));
    let outer = lock.lock().await?;
    let inner = lock.lock().await?;
    let (other, other_notes) = (lock.clone(), notes.clone());
    let task = spawn(async move {
        let _guard = other.lock().await?;
        other_notes.add("the other has it");
        Ok(())
    });
    yield_now().await?;
    drop(outer);
    yield_now().await?;
    notes.add("still held");
    assert!(lock.is_locked());
    drop(inner);
    task.join().await?;
    notes.are(["still held", "the other has it"]);
    assert!(!lock.is_locked());
    Ok(())
}

async fn an_rlock_is_released_by_its_owner_only() -> Result<()> {
    let lock = Rc::new(RLock::new());
    assert!(matches!(fails(lock.release()), Error::InvalidState(_)));
    let guard = lock.lock().await?;
    let inner = lock.clone();
    spawn(async move {
        assert!(matches!(fails(inner.release()), Error::InvalidState(_)));
        Ok(())
    })
    .join()
    .await?;
    guard.forget();
    lock.release()?;
    assert!(!lock.is_locked());
    Ok(())
}

/// A task that takes a recursive lock so many times, one inside the other.
async fn enter(lock: Rc<RLock>, notes: Notes, n: u32, times: usize) -> Result<()> {
    notes.add(format!("{n} waits {}", lock.is_locked()));
    let mut guards = Vec::new();
    for _ in 0..times {
        guards.push(lock.lock().await?);
        yield_now().await?;
    }
    notes.add(format!("{n} has it"));
    while let Some(guard) = guards.pop() {
        assert!(lock.is_locked());
        yield_now().await?;
        drop(guard);
    }
    notes.add(format!("{n} gave it"));
    Ok(())
}

async fn other_tasks_wait_for_an_rlock_in_order() -> Result<()> {
    let (notes, lock) = (Notes::new(), Rc::new(RLock::new()));
    let tasks = [(1, 3), (2, 1), (3, 2)]
        .map(|(n, times)| spawn(enter(lock.clone(), notes.clone(), n, times)));
    for task in tasks {
        task.join().await?;
    }
    notes.are([
        "1 waits false",
        "2 waits true",
        "3 waits true",
        "1 has it",
        "1 gave it",
        "2 has it",
        "2 gave it",
        "3 has it",
        "3 gave it",
    ]);
    assert!(!lock.is_locked());
    Ok(())
}

async fn an_rlock_is_locked_while_it_is_handed_over() -> Result<()> {
    let lock = Rc::new(RLock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    let task = spawn(async move { inner.lock().await.map(drop) });
    yield_now().await?;
    drop(guard);
    assert!(lock.is_locked());
    // Nobody but its next owner can release it.
    assert!(matches!(fails(lock.release()), Error::InvalidState(_)));
    task.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_pending_rlock_belongs_to_the_task_that_gets_it() -> Result<()> {
    let lock = Rc::new(RLock::new());
    let guard = lock.lock().await?;
    let inner = lock.clone();
    // It comes to wait in one task, and goes on in another one.
    let first = spawn(async move {
        let mut wait = Box::pin(async move { inner.lock().await.map(RLockGuard::forget) });
        assert!(futures::poll!(&mut wait).is_pending());
        Ok(wait)
    });
    let wait = first.join().await?;
    let inner = lock.clone();
    let task = spawn(async move {
        wait.await?;
        drop(inner.lock().await?);
        inner.release()
    });
    yield_now().await?;
    drop(guard);
    task.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn semaphore_contenders_enter_in_order() -> Result<()> {
    let (notes, semaphore) = (Notes::new(), Rc::new(Semaphore::new(1)));
    let tasks = [1, 2, 3].map(|n| {
        let (notes, semaphore) = (notes.clone(), semaphore.clone());
        spawn(async move {
            notes.add(format!("{n} waits {}", semaphore.is_locked()));
            let _inside = semaphore.acquire().await?;
            notes.add(format!("{n} in {}", semaphore.value()));
            sleep(ms(1)).await?;
            notes.add(format!("{n} out"));
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    notes.are([
        "1 waits false",
        "1 in 0",
        "2 waits true",
        "3 waits true",
        "1 out",
        "2 in 0",
        "2 out",
        "3 in 0",
        "3 out",
    ]);
    Ok(())
}

async fn a_semaphore_of_one_is_a_lock() -> Result<()> {
    let (notes, semaphore) = (Notes::new(), Rc::new(Semaphore::default()));
    let tasks = [1, 2].map(|n| {
        let (notes, semaphore) = (notes.clone(), semaphore.clone());
        spawn(async move {
            let _inside = semaphore.acquire().await?;
            notes.add(format!("{n} in {}", semaphore.value()));
            sleep(ms(1)).await?;
            notes.add(format!("{n} out"));
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    notes.are(["1 in 0", "1 out", "2 in 0", "2 out"]);
    assert_eq!(semaphore.value(), 1);
    Ok(())
}

async fn a_semaphore_lets_in_as_many_as_it_says() -> Result<()> {
    let semaphore = Rc::new(Semaphore::new(3));
    let inside = Rc::new(Cell::new(0));
    let most = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (semaphore, inside, most) = (semaphore.clone(), inside.clone(), most.clone());
            spawn(async move {
                let _guard = semaphore.acquire().await?;
                inside.set(inside.get() + 1);
                most.set(most.get().max(inside.get()));
                yield_now().await?;
                inside.set(inside.get() - 1);
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.join().await?;
    }
    assert_eq!(most.get(), 3);
    assert_eq!(semaphore.value(), 3);
    Ok(())
}

async fn a_semaphore_acquire_can_be_cancelled() -> Result<()> {
    let semaphore = Rc::new(Semaphore::new(0));
    assert!(semaphore.is_locked());
    let inner = semaphore.clone();
    let task = spawn(async move { inner.acquire().await.map(drop) });
    yield_now().await?;
    assert_eq!(task.state().to_string(), "semaphore-acquire");
    assert!(task.cancel().await?);
    semaphore.release();
    assert_eq!(semaphore.value(), 1);
    Ok(())
}

async fn a_semaphore_acquire_can_time_out() -> Result<()> {
    let semaphore = Semaphore::new(0);
    assert!(fails(timeout_after(ms(2), semaphore.acquire()).await).is_timeout());
    semaphore.release();
    semaphore.acquire().await?.forget();
    assert_eq!(semaphore.value(), 0);
    Ok(())
}

async fn a_bounded_semaphore_has_a_bound() -> Result<()> {
    let semaphore = BoundedSemaphore::new(2);
    assert_eq!(semaphore.bound(), 2);
    let error = fails(semaphore.release());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    semaphore.acquire().await?.forget();
    semaphore.release()?;
    assert_eq!(semaphore.value(), 2);
    Ok(())
}
