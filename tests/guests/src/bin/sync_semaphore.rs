//! Semaphores and recursive locks.

use std::cell::Cell;
use std::rc::Rc;

use curio::sync::{BoundedSemaphore, RLock, Semaphore};
use curio::{Error, Result, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    an_rlock_is_entered_again_by_its_owner
    an_rlock_is_released_by_its_owner_only
    a_semaphore_of_one_is_a_lock
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
