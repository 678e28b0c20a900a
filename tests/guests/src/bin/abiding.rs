//! Functions and locks of whatever sort.
#![expect(
    clippy::needless_pass_by_value,
    reason = "what a function on another thread is given, it owns"
)]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use curio::sync::{
    BoundedSemaphore, Condition, Lock, RLock, Semaphore, SharedLock, UniversalEvent,
};
use curio::thread::{AWAIT, spawn_thread};
use curio::workers::{JobErrorKind, ThreadPool, set_blocking_executor};
use curio::{
    Abide, Error, Result, Wait, abide, abide_with, block_in_thread, current_task, ignore_after,
    run_in_thread, sleep, spawn, task_group, timeout_after, yield_now,
};
use test_guests::jobs::spin;
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    a_function_is_called_on_another_thread
    a_function_s_error_is_that_of_a_job
    an_async_function_is_called_in_the_task
    an_async_function_s_error_comes_as_it_is
    an_async_function_may_be_given_anything
    an_async_function_is_told_where_it_blocks
    callers_of_a_function_wait_in_line
    each_function_has_a_line_of_its_own
    a_function_that_blocks_takes_one_thread
    a_cancelled_function_is_stopped_and_the_next_one_goes_on
    a_caller_cancelled_in_line_is_passed_over
    a_pending_cancellation_comes_before_the_call
    any_lock_can_be_taken
    a_condition_s_lock_is_the_one_it_is_about
    a_task_and_a_thread_take_turns
    a_wait_that_times_out_leaves_the_lock_alone
    interrupted_waits_leave_a_shared_lock_free
    interrupted_callers_leave_the_line_free
}

static CALLS: AtomicU32 = AtomicU32::new(0);

fn count(_: ()) -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed)
}

async fn a_function_is_called_on_another_thread() -> Result<()> {
    CALLS.store(7, Ordering::Relaxed);
    assert_eq!(abide(count, ()).await?, 0, "it has statics of its own");
    assert_eq!(abide(|(a, b): (u32, u32)| a + b, (1, 2)).await?, 3);
    assert_eq!(CALLS.load(Ordering::Relaxed), 7);
    Ok(())
}

async fn a_function_s_error_is_that_of_a_job() -> Result<()> {
    fn refuses(_: ()) -> Result<u32> {
        Err(Error::InvalidState("not now".to_owned()))
    }
    let error = fails(abide(refuses, ()).await);
    assert!(error.to_string().contains("not now"), "{error}");
    assert!(matches!(error, Error::Job(error) if error.kind() == JobErrorKind::Failed));
    Ok(())
}

async fn an_async_function_is_called_in_the_task() -> Result<()> {
    async fn who((): ()) -> Result<u64> {
        yield_now().await?;
        CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(current_task().id().serial())
    }
    let own = current_task().id().serial();
    assert_eq!(abide(who, ()).await?, own);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    // One whose value is no `Result`.
    assert_eq!(abide(async |n: u32| n + 1, 1).await?, 2);
    Ok(())
}

async fn an_async_function_s_error_comes_as_it_is() -> Result<()> {
    async fn refuses((): ()) -> Result<()> {
        Err(Error::InvalidState("not now".to_owned()))
    }
    let error = fails(abide(refuses, ()).await);
    assert!(matches!(error, Error::InvalidState(text) if text == "not now"));
    Ok(())
}

async fn an_async_function_may_be_given_anything() -> Result<()> {
    let notes = Notes::new();
    let value = Rc::new(Cell::new(1));
    let changes = async |value: &Cell<u32>| {
        notes.add(value.replace(2));
        Ok::<_, Error>(notes.clone())
    };
    abide(changes, &*value).await?.are(["1"]);
    assert_eq!(value.get(), 2);
    Ok(())
}

async fn an_async_function_is_told_where_it_blocks() -> Result<()> {
    let cleaned = Cell::new(false);
    let cleans = async |time: Duration| {
        let interrupted = sleep(time).await;
        sleep(ms(1)).await?;
        cleaned.set(true);
        interrupted.map(drop)
    };
    let error = fails(timeout_after(ms(1), abide(cleans, Duration::from_secs(1000))).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    assert!(cleaned.get());
    Ok(())
}

/// Takes a lock that nobody else may have meanwhile.
fn alone((lock, n): (SharedLock, u64)) -> Result<u64> {
    let guard = lock.try_lock()?;
    assert!(guard.is_some(), "two at a time");
    AWAIT(sleep(ms(10 - n)))?;
    Ok(n)
}

async fn callers_of_a_function_wait_in_line() -> Result<()> {
    let (lock, notes) = (SharedLock::new()?, Notes::new());
    let group = task_group(Wait::All, async |group| {
        for n in 0..8 {
            let (lock, notes) = (lock.clone(), notes.clone());
            group.spawn(async move {
                notes.add(block_in_thread(alone, (lock, n)).await?);
                Ok(())
            });
        }
        Ok(())
    });
    group.await?;
    notes.are(0..8);
    Ok(())
}

fn sets_and_waits((set, wait): (UniversalEvent, UniversalEvent)) -> Result<()> {
    set.set()?;
    AWAIT(wait.wait())
}

async fn each_function_has_a_line_of_its_own() -> Result<()> {
    fn does_too((set, wait): (UniversalEvent, UniversalEvent)) -> Result<()> {
        set.set()?;
        AWAIT(wait.wait())
    }
    let (one, two) = (UniversalEvent::new()?, UniversalEvent::new()?);
    let first = spawn(abide(sets_and_waits, (one.clone(), two.clone())));
    let second = spawn(abide(does_too, (two.clone(), one.clone())));
    first.join().await?;
    second.join().await
}

async fn a_function_that_blocks_takes_one_thread() -> Result<()> {
    set_blocking_executor(&ThreadPool::new(2));
    let (came, go) = (UniversalEvent::new()?, UniversalEvent::new()?);
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(spawn(abide(sets_and_waits, (came.clone(), go.clone()))));
    }
    came.wait().await?;
    for n in 0..5 {
        assert_eq!(run_in_thread(|n: u32| n + 1, n).await?, n + 1);
    }
    go.set()?;
    for task in waiting {
        task.join().await?;
    }
    Ok(())
}

async fn a_cancelled_function_is_stopped_and_the_next_one_goes_on() -> Result<()> {
    fn first_spins((came, first): (UniversalEvent, bool)) -> Result<()> {
        came.set()?;
        if first {
            spin(());
        }
        Ok(())
    }
    for _ in 0..5 {
        let came = UniversalEvent::new()?;
        let endless = spawn(abide(first_spins, (came.clone(), true)));
        came.wait().await?;
        let next = spawn(abide(first_spins, (came.clone(), false)));
        sleep(ms(2)).await?;
        assert!(!next.is_terminated());
        assert!(endless.cancel().await?);
        next.join().await?;
    }
    Ok(())
}

async fn a_caller_cancelled_in_line_is_passed_over() -> Result<()> {
    async fn counted(wait: UniversalEvent) -> Result<u32> {
        fn counts(wait: UniversalEvent) -> Result<u32> {
            AWAIT(wait.wait())?;
            Ok(count(()))
        }
        block_in_thread(counts, wait).await
    }
    let go = UniversalEvent::new()?;
    let [first, second, third] = [(); 3].map(|()| spawn(counted(go.clone())));
    yield_now().await?;
    second.cancel().await?;
    go.set()?;
    assert_eq!(first.join().await?, 0);
    assert_eq!(third.join().await?, 1, "nobody counted in between");
    Ok(())
}

async fn a_pending_cancellation_comes_before_the_call() -> Result<()> {
    curio::set_cancellation(Some(Error::TaskCancelled));
    let error = fails(abide(count, ()).await);
    assert!(matches!(error, Error::TaskCancelled), "{error}");
    assert_eq!(abide(count, ()).await?, 0);
    Ok(())
}

/// Tasks that take a lock which lets in one at a time.
async fn take_turns<L: Abide + 'static>(lock: L) -> Result<()> {
    let lock = Rc::new(lock);
    let (inside, notes) = (Rc::new(Cell::new(false)), Notes::new());
    let group = task_group(Wait::All, async |group| {
        for n in 0..5 {
            let (lock, inside, notes) = (lock.clone(), inside.clone(), notes.clone());
            group.spawn(async move {
                let guard = abide_with(&lock).await?;
                assert!(!inside.replace(true), "two at a time");
                sleep(ms(1)).await?;
                notes.add(n);
                inside.set(false);
                drop(guard);
                Ok(())
            });
        }
        Ok(())
    });
    group.await?;
    notes.are(0..5);
    // One that gives up leaves nothing behind.
    let guard = abide_with(&lock).await?;
    let waiting = {
        let lock = lock.clone();
        spawn(async move { abide_with(&lock).await.map(drop) })
    };
    yield_now().await?;
    waiting.cancel().await?;
    drop(guard);
    timeout_after(Duration::from_secs(100), abide_with(&*lock)).await?;
    Ok(())
}

async fn any_lock_can_be_taken() -> Result<()> {
    take_turns(Lock::new()).await?;
    take_turns(RLock::new()).await?;
    take_turns(Semaphore::new(1)).await?;
    take_turns(BoundedSemaphore::new(1)).await?;
    take_turns(Condition::new()).await?;
    take_turns(SharedLock::new()?).await?;
    take_turns(Rc::new(Lock::new())).await
}

async fn a_condition_s_lock_is_the_one_it_is_about() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let condition = Condition::with_lock(lock.clone());
    let guard = abide_with(&condition).await?;
    assert!(lock.is_locked());
    condition.notify_all()?;
    drop(guard);
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_task_and_a_thread_take_turns() -> Result<()> {
    async fn times(lock: &impl Abide, inside: &SharedLock) -> Result<()> {
        for _ in 0..100 {
            let guard = abide_with(lock).await?;
            assert!(inside.try_lock()?.is_some(), "two at a time");
            drop(guard);
        }
        Ok(())
    }
    fn thread((lock, inside): (SharedLock, SharedLock)) -> Result<()> {
        AWAIT(times(&lock, &inside))
    }
    let (lock, inside) = (SharedLock::new()?, SharedLock::new()?);
    let threads = [(); 2].map(|()| spawn_thread(thread, (lock.clone(), inside.clone())));
    times(&lock, &inside).await?;
    for thread in threads {
        thread.join().await?;
    }
    Ok(())
}

async fn a_wait_that_times_out_leaves_the_lock_alone() -> Result<()> {
    fn holds((lock, held, go): (SharedLock, UniversalEvent, UniversalEvent)) -> Result<()> {
        let guard = AWAIT(abide_with(&lock))?;
        held.set()?;
        AWAIT(go.wait())?;
        drop(guard);
        for _ in 0..2 {
            drop(AWAIT(abide_with(&lock))?);
        }
        Ok(())
    }
    let lock = SharedLock::new()?;
    let (held, go) = (UniversalEvent::new()?, UniversalEvent::new()?);
    let thread = spawn_thread(holds, (lock.clone(), held.clone(), go.clone()));
    held.wait().await?;
    let error = fails(timeout_after(ms(5), abide_with(&lock)).await.map(drop));
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    go.set()?;
    thread.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

/// A time of up to two milliseconds.
fn moment(random: &mut fastrand::Rng) -> Duration {
    Duration::from_micros(random.u64(0..2000))
}

async fn interrupted_waits_leave_a_shared_lock_free() -> Result<()> {
    async fn contends((lock, end, seed): (SharedLock, UniversalEvent, u64)) -> Result<()> {
        let mut random = fastrand::Rng::with_seed(seed);
        while !end.is_set() {
            let guard = abide_with(&lock).await?;
            assert!(!guard.is_abandoned());
            sleep(moment(&mut random)).await?;
            drop(guard);
            sleep(moment(&mut random)).await?;
        }
        Ok(())
    }
    let (lock, end) = (SharedLock::new()?, UniversalEvent::new()?);
    let contenders = [1, 2].map(|seed| spawn_thread(contends, (lock.clone(), end.clone(), seed)));
    let mut random = fastrand::Rng::with_seed(3);
    let (mut given_up, mut taken) = (0, 0);
    for _ in 0..300 {
        let (before, inside) = (moment(&mut random), moment(&mut random));
        let lock = lock.clone();
        let waits = async move {
            let guard = abide_with(&lock).await?;
            assert!(!guard.is_abandoned());
            sleep(inside).await?;
            drop(guard);
            Ok(())
        };
        let ended = if random.bool() {
            ignore_after(before, waits).await?.is_some()
        } else {
            let waiting = spawn(waits);
            sleep(before).await?;
            waiting.cancel().await?;
            waiting.exception()?.is_none()
        };
        *(if ended { &mut taken } else { &mut given_up }) += 1;
    }
    assert!(given_up > 20, "{given_up} gave up, {taken} did not");
    assert!(!abide_with(&lock).await?.is_abandoned());
    end.set()?;
    for contender in contenders {
        contender.join().await?;
    }
    assert!(!lock.is_locked());
    Ok(())
}

async fn interrupted_callers_leave_the_line_free() -> Result<()> {
    fn naps(micros: u64) -> Result<u64> {
        AWAIT(sleep(Duration::from_micros(micros)))?;
        Ok(micros)
    }
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..30 {
        let calls = [(); 4].map(|()| spawn(abide(naps, random.u64(0..2000))));
        for call in &calls {
            sleep(moment(&mut random)).await?;
            if random.bool() {
                call.cancel().await?;
            }
        }
        for call in calls {
            let cancelled = call
                .join()
                .await
                .is_err_and(|error| error.to_string().contains("cancelled"));
            assert_eq!(cancelled, call.exception()?.is_some());
        }
        assert_eq!(abide(naps, 1).await?, 1);
    }
    Ok(())
}
