//! Results that tasks wait for.

use std::rc::Rc;
use std::sync::Arc;

use curio::sync::ResultCell;
use curio::{Error, Result, current_task, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    get_returns_the_value_that_another_task_set
    get_of_what_is_set_takes_no_cycle
    an_exception_is_told_to_all_that_wait
    a_value_may_be_set_again
    an_exception_wins_over_any_value
    what_is_there_when_a_task_goes_on_is_what_it_sees
    those_that_wait_for_a_result_go_on_in_order
    a_get_can_be_cancelled
    a_get_can_time_out
    a_get_that_was_woken_completes_before_the_cancellation
    a_dropped_get_is_in_nobody_s_way
}

/// The text of the error that `get` tells, which must be shared.
#[track_caller]
fn shared<T: std::fmt::Debug>(result: Result<T>) -> (Arc<Error>, String) {
    let error = fails(result);
    let text = error.to_string();
    match error {
        Error::Shared(error) => (error, text),
        other => panic!("should be shared: {other}"),
    }
}

async fn get_returns_the_value_that_another_task_set() -> Result<()> {
    let result = Rc::new(ResultCell::default());
    assert!(!result.is_set());
    let sets = result.clone();
    let setter = spawn(async move {
        sets.set_value("there".to_owned());
        Ok(())
    });
    assert_eq!(result.get().await?, "there");
    assert!(result.is_set());
    // It stays.
    assert_eq!(result.get().await?, "there");
    setter.join().await
}

async fn get_of_what_is_set_takes_no_cycle() -> Result<()> {
    let result = ResultCell::new();
    result.set_value(1);
    let cycles = current_task().cycles();
    // So a cancellation that is pending arrives later.
    current_task().request_cancel();
    assert_eq!(result.get().await?, 1);
    assert_eq!(current_task().cycles(), cycles);
    assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
    Ok(())
}

async fn an_exception_is_told_to_all_that_wait() -> Result<()> {
    let result = Rc::new(ResultCell::<u32>::new());
    let tasks = [1, 2, 3].map(|_| {
        let result = result.clone();
        spawn(async move { Ok(shared(result.get().await)) })
    });
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "result-wait");
    result.set_exception(Error::other("the cat is out"));
    assert!(result.is_set());
    let (first, _) = shared(result.get().await);
    for task in tasks {
        let (error, text) = task.join().await?;
        assert_eq!(text, "the cat is out");
        assert!(Arc::ptr_eq(&error, &first));
    }
    // What is shared already is not wrapped again.
    let passed_on = ResultCell::<u32>::new();
    passed_on.set_exception(Error::Shared(first.clone()));
    assert!(Arc::ptr_eq(&shared(passed_on.get().await).0, &first));
    // A task's error is one, too, and a cancellation remains one.
    let task = spawn(async { Err::<u32, _>(Error::TaskCancelled) });
    if let Err(Error::Task(error)) = task.join().await {
        passed_on.set_exception(error);
    }
    let (error, text) = shared(passed_on.get().await);
    assert!(matches!(&*error, Error::Task(_)), "{error}");
    assert!(text.ends_with("failed: the task was cancelled"), "{text}");
    passed_on.set_exception(Error::TaskCancelled);
    assert!(fails(passed_on.get().await).is_cancellation());
    Ok(())
}

async fn a_value_may_be_set_again() -> Result<()> {
    let result = ResultCell::new();
    for n in 0..3 {
        result.set_value(n);
        assert_eq!(result.get().await?, n);
    }
    Ok(())
}

async fn an_exception_wins_over_any_value() -> Result<()> {
    let result = ResultCell::new();
    result.set_value(1);
    result.set_exception(Error::other("the cat is out"));
    assert_eq!(shared(result.get().await).1, "the cat is out");
    result.set_value(2);
    assert_eq!(shared(result.get().await).1, "the cat is out");
    result.set_exception(Error::other("the dog too"));
    assert_eq!(shared(result.get().await).1, "the dog too");
    Ok(())
}

async fn what_is_there_when_a_task_goes_on_is_what_it_sees() -> Result<()> {
    let result = Rc::new(ResultCell::new());
    let inner = result.clone();
    let task = spawn(async move { inner.get().await });
    yield_now().await?;
    result.set_value(1);
    result.set_value(2);
    assert_eq!(task.join().await?, 2);
    Ok(())
}

async fn those_that_wait_for_a_result_go_on_in_order() -> Result<()> {
    let (notes, result) = (Notes::new(), Rc::new(ResultCell::new()));
    let tasks = [0, 1, 2, 3, 4].map(|n| {
        let (notes, result) = (notes.clone(), result.clone());
        spawn(async move {
            notes.add(format!("{n} {}", result.get().await?));
            Ok(())
        })
    });
    yield_now().await?;
    result.set_value('x');
    notes.add("set");
    for task in tasks {
        task.join().await?;
    }
    notes.are(["set", "0 x", "1 x", "2 x", "3 x", "4 x"]);
    Ok(())
}

async fn a_get_can_be_cancelled() -> Result<()> {
    let (notes, result) = (Notes::new(), Rc::new(ResultCell::new()));
    let (inner, inner_notes) = (result.clone(), notes.clone());
    let task = spawn(async move {
        let error = fails(inner.get().await);
        inner_notes.add(&error);
        Err::<u32, _>(error)
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.add("after");
    notes.are(["the task was cancelled", "after"]);
    result.set_value(1);
    assert_eq!(result.get().await?, 1);
    Ok(())
}

async fn a_get_can_time_out() -> Result<()> {
    let result = ResultCell::new();
    let error = fails(timeout_after(ms(2), result.get()).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    assert!(!result.is_set());
    result.set_value(1);
    assert_eq!(timeout_after(ms(0), result.get()).await?, 1);
    Ok(())
}

async fn a_get_that_was_woken_completes_before_the_cancellation() -> Result<()> {
    let result = Rc::new(ResultCell::new());
    let inner = result.clone();
    let task = spawn(async move {
        let value = inner.get().await?;
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        Ok(value)
    });
    yield_now().await?;
    result.set_value(7);
    assert!(task.cancel().await?);
    assert_eq!(task.join().await?, 7);
    Ok(())
}

async fn a_dropped_get_is_in_nobody_s_way() -> Result<()> {
    let result = Rc::new(ResultCell::new());
    let mut dropped = Box::pin(result.get());
    assert!(futures::poll!(&mut dropped).is_pending());
    let inner = result.clone();
    let task = spawn(async move { inner.get().await });
    yield_now().await?;
    drop(dropped);
    result.set_value(1);
    assert_eq!(task.join().await?, 1);
    Ok(())
}
