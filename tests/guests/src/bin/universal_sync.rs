//! Events, results and locks that instances share, in one instance: several handles, and tasks that take turns at one.

use std::error::Error as _;
use std::io;
use std::pin::pin;

use curio::queue::UniversalQueue;
use curio::sync::{SharedLock, UniversalEvent, UniversalResult};
use curio::{Error, Result, ignore_after, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, another, fails, ms, still_waits};

test_guests::cases! {
    an_event_releases_those_that_wait
    an_event_cleared_at_once_has_been_seen
    who_waits_after_the_clear_waits_for_the_next_set
    an_event_wait_can_be_cancelled
    an_event_wait_can_time_out
    get_returns_what_was_set
    a_value_may_be_set_again
    an_exception_wins_over_any_value
    errors_keep_their_families
    an_error_of_one_s_own_keeps_its_causes
    a_timeout_of_another_is_none_of_one_s_own
    a_get_can_time_out
    lock_contenders_enter_in_order
    a_lock_excludes_those_at_other_handles
    a_lock_acquire_can_be_cancelled
    a_lock_handed_to_a_dropped_future_goes_on
    a_lock_acquire_can_time_out
    a_lock_is_tried
    a_lock_that_went_with_its_handle_is_abandoned
    handles_that_come_too_late_say_so
}

async fn an_event_releases_those_that_wait() -> Result<()> {
    let event = UniversalEvent::new()?;
    let other = another(&event).await?;
    let notes = Notes::new();
    let mut tasks = Vec::new();
    for (event, name) in [(&event, "a"), (&event, "b"), (&other, "c")] {
        let (event, notes) = (event.clone(), notes.clone());
        tasks.push(spawn(async move {
            event.wait().await?;
            notes.add(name);
            Ok(())
        }));
    }
    sleep(ms(5)).await?;
    assert!(!event.is_set() && !other.is_set());
    notes.are([""; 0]);
    other.set()?;
    other.set()?;
    for task in tasks {
        task.join().await?;
    }
    assert!(event.is_set() && other.is_set());
    event.wait().await?;
    other.clear()?;
    assert!(!event.is_set());
    Ok(())
}

async fn an_event_cleared_at_once_has_been_seen() -> Result<()> {
    let event = UniversalEvent::new()?;
    let tasks = [(); 5].map(|()| {
        let event = event.clone();
        spawn(async move { event.wait().await })
    });
    yield_now().await?;
    event.set()?;
    event.clear()?;
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn who_waits_after_the_clear_waits_for_the_next_set() -> Result<()> {
    let event = UniversalEvent::new()?;
    let waits = || {
        let event = event.clone();
        spawn(async move { event.wait().await })
    };
    let before = waits();
    yield_now().await?;
    event.set()?;
    event.clear()?;
    // It stands behind one that has not gone on yet.
    let mut after = pin!(event.wait());
    still_waits(&mut after).await;
    before.join().await?;
    event.set()?;
    after.await
}

async fn an_event_wait_can_be_cancelled() -> Result<()> {
    let event = UniversalEvent::new()?;
    let [first, second] = [(); 2].map(|()| {
        let event = event.clone();
        spawn(async move { event.wait().await })
    });
    yield_now().await?;
    // The one that waits in the kernel for both.
    assert!(first.cancel().await?);
    event.set()?;
    second.join().await
}

async fn an_event_wait_can_time_out() -> Result<()> {
    let event = UniversalEvent::new()?;
    let error = fails(timeout_after(ms(2), event.wait()).await);
    assert!(error.is_timeout());
    assert!(!event.is_set());
    event.set()?;
    event.wait().await
}

async fn get_returns_what_was_set() -> Result<()> {
    let answer = UniversalResult::new()?;
    assert!(!answer.is_set());
    let other = another(&answer).await?;
    let tasks = [&answer, &answer, &other].map(|answer| {
        let answer = answer.clone();
        spawn(async move { answer.get().await })
    });
    sleep(ms(5)).await?;
    other.set_value("it is 42".to_owned())?;
    for task in tasks {
        assert_eq!(task.join().await?, "it is 42");
    }
    assert!(answer.is_set());
    assert_eq!(answer.get().await?, "it is 42");
    assert_eq!(format!("{answer:?}"), "UniversalResult { .. }");
    Ok(())
}

async fn a_value_may_be_set_again() -> Result<()> {
    let answer = UniversalResult::new()?;
    for n in 0..3 {
        answer.set_value(n)?;
        assert_eq!(answer.get().await?, n);
    }
    let big = UniversalResult::new()?;
    let error = fails(big.set_value("x".repeat(20_000_000)));
    assert!(matches!(error, Error::InvalidArgument(_)));
    assert!(!big.is_set());
    Ok(())
}

async fn an_exception_wins_over_any_value() -> Result<()> {
    let answer = UniversalResult::new()?;
    answer.set_value(1)?;
    answer.set_exception(Error::other("first"))?;
    answer.set_value(2)?;
    assert_eq!(fails(answer.get().await).to_string(), "first");
    answer.set_exception(Error::other("second"))?;
    assert_eq!(fails(answer.get().await).to_string(), "second");
    Ok(())
}

async fn told(error: Error) -> Result<Error> {
    let answer = UniversalResult::<()>::new()?;
    answer.set_exception(error)?;
    match fails(answer.get().await) {
        Error::Shared(error) => Ok(std::sync::Arc::into_inner(error).expect("nobody else has it")),
        error => panic!("not as it should be: {error}"),
    }
}

async fn errors_keep_their_families() -> Result<()> {
    let text = || "some text".to_owned();
    for error in [
        Error::TaskCancelled,
        Error::UncaughtTimeout,
        Error::Refused(text()),
        Error::Limit(text()),
        Error::ResourceBusy,
        Error::Closed,
        Error::InvalidState(text()),
        Error::InvalidArgument(text()),
        Error::Authentication(text()),
        Error::other(text()),
    ] {
        let (expected, family) = (error.to_string(), std::mem::discriminant(&error));
        let error = told(error).await?;
        assert_eq!(error.to_string(), expected);
        assert_eq!(std::mem::discriminant(&error), family, "{expected}");
    }
    for kind in [io::ErrorKind::NotFound, io::ErrorKind::Unsupported] {
        let Error::Io(error) = told(io::Error::new(kind, "some text").into()).await? else {
            panic!("it is the system's");
        };
        assert_eq!((error.kind(), error.to_string()), (kind, text()));
    }
    assert!(told(Error::TaskCancelled).await?.is_cancellation());
    Ok(())
}

async fn an_error_of_one_s_own_keeps_its_causes() -> Result<()> {
    let task = spawn(async { Err::<(), _>(Error::other("the cause")) });
    let error = fails(task.join().await);
    let (text, cause) = (error.to_string(), error.source().map(ToString::to_string));
    let error = told(error).await?;
    assert_eq!(error.to_string(), text);
    assert_eq!(error.source().map(ToString::to_string), cause);
    assert!(cause.is_some());
    Ok(())
}

async fn a_timeout_of_another_is_none_of_one_s_own() -> Result<()> {
    let timeout = fails(timeout_after(ms(1), sleep(ms(1000))).await);
    let answer = UniversalResult::<()>::new()?;
    answer.set_exception(timeout)?;
    let block = timeout_after(ms(1000), answer.get()).await;
    let error = fails(block);
    assert!(!error.is_timeout() && !error.is_cancellation(), "{error}");
    Ok(())
}

async fn a_get_can_time_out() -> Result<()> {
    let answer = UniversalResult::new()?;
    assert!(ignore_after(ms(2), answer.get()).await?.is_none());
    answer.set_value(1)?;
    assert_eq!(answer.get().await?, 1);
    Ok(())
}

async fn lock_contenders_enter_in_order() -> Result<()> {
    let lock = SharedLock::new()?;
    let notes = Notes::new();
    let mut tasks = Vec::new();
    for name in ["a", "b", "c"] {
        let (lock, notes) = (lock.clone(), notes.clone());
        tasks.push(spawn(async move {
            notes.add(format!("{name} finds it locked: {}", lock.is_locked()));
            let _guard = lock.lock().await?;
            sleep(ms(2)).await?;
            notes.add(name);
            Ok(())
        }));
    }
    for task in tasks {
        task.join().await?;
    }
    notes.are([
        "a finds it locked: false",
        "b finds it locked: true",
        "c finds it locked: true",
        "a",
        "b",
        "c",
    ]);
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_lock_excludes_those_at_other_handles() -> Result<()> {
    let lock = SharedLock::new()?;
    let notes = Notes::new();
    let mut tasks = Vec::new();
    for n in 0..4 {
        let (lock, notes) = (another(&lock).await?, notes.clone());
        tasks.push(spawn(async move {
            let guard = lock.lock().await?;
            assert!(!guard.is_abandoned());
            notes.add(format!("{n} in"));
            sleep(ms(1)).await?;
            notes.add(format!("{n} out"));
            drop(guard);
            Ok(())
        }));
    }
    for task in tasks {
        task.join().await?;
    }
    notes.are((0..4).flat_map(|n| [format!("{n} in"), format!("{n} out")]));
    Ok(())
}

async fn a_lock_acquire_can_be_cancelled() -> Result<()> {
    let lock = SharedLock::new()?;
    let (other, third) = (another(&lock).await?, another(&lock).await?);
    let guard = lock.lock().await?;
    let first = spawn(async move { other.lock().await.map(drop) });
    yield_now().await?;
    let second = spawn(async move { third.lock().await.map(drop) });
    yield_now().await?;
    assert!(first.cancel().await?);
    drop(guard);
    second.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_lock_handed_to_a_dropped_future_goes_on() -> Result<()> {
    let lock = SharedLock::new()?;
    let (other, third) = (another(&lock).await?, another(&lock).await?);
    let guard = lock.lock().await?;
    let mut first = Box::pin(other.lock());
    still_waits(&mut first).await;
    let second = spawn(async move {
        let guard = third.lock().await?;
        assert!(!guard.is_abandoned());
        Ok(())
    });
    yield_now().await?;
    // It is the first one's, which does not come.
    drop(guard);
    sleep(ms(5)).await?;
    assert!(lock.is_locked());
    assert!(!second.is_terminated());
    drop(first);
    second.join().await
}

async fn a_lock_acquire_can_time_out() -> Result<()> {
    let lock = SharedLock::new()?;
    let other = another(&lock).await?;
    for lock in [&lock, &other] {
        let guard = lock.lock().await?;
        for waits in [&lock, &&other] {
            assert!(ignore_after(ms(2), waits.lock()).await?.is_none());
        }
        drop(guard);
    }
    assert!(!lock.is_locked());
    drop(lock.lock().await?);
    drop(other.lock().await?);
    Ok(())
}

async fn a_lock_is_tried() -> Result<()> {
    let lock = SharedLock::new()?;
    let other = another(&lock).await?;
    let guard = lock.try_lock()?.expect("it is free");
    assert!(lock.try_lock()?.is_none());
    assert!(other.try_lock()?.is_none());
    assert!(format!("{guard:?}").contains("is_abandoned: false"));
    drop(guard);
    // Who only tried stands in nobody's way.
    drop(other.try_lock()?.expect("it is free"));
    drop(lock.lock().await?);
    Ok(())
}

async fn a_lock_that_went_with_its_handle_is_abandoned() -> Result<()> {
    let lock = SharedLock::new()?;
    let other = another(&lock).await?;
    std::mem::forget(other.lock().await?);
    assert!(ignore_after(ms(2), lock.lock()).await?.is_none());
    drop(other);
    let guard = lock.lock().await?;
    assert!(guard.is_abandoned());
    drop(guard);
    assert!(!lock.lock().await?.is_abandoned(), "that is told once");
    Ok(())
}

async fn handles_that_come_too_late_say_so() -> Result<()> {
    let late = |error: Error, what: &str| {
        let text = format!("this {what} is not in this process, or its last handle is gone");
        assert_eq!(error.to_string(), text);
    };
    let posts = (
        UniversalQueue::new()?,
        UniversalQueue::new()?,
        UniversalQueue::new()?,
    );
    posts.0.put(UniversalEvent::new()?).await?;
    posts.1.put(UniversalResult::<u8>::new()?).await?;
    posts.2.put(SharedLock::new()?).await?;
    let event = posts.0.get().await?;
    let result = posts.1.get().await?;
    let lock = posts.2.get().await?;
    late(fails(event.set()), "event");
    late(fails(event.clear()), "event");
    late(fails(event.wait().await), "event");
    late(fails(result.set_value(1)), "result");
    late(fails(result.set_exception(Error::Closed)), "result");
    late(fails(result.get().await), "result");
    late(fails(lock.lock().await), "lock");
    late(fails(lock.try_lock()), "lock");
    assert!(!event.is_set() && !result.is_set() && !lock.is_locked());
    Ok(())
}
