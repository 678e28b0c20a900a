//! Task groups: members one by one, as they end.

use curio::{Error, Result, TaskGroup, Wait, ignore_after, sleep, spawn, yield_now};
use futures::future::{Either, select};
use futures::{StreamExt, TryStreamExt};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    tasks_come_in_the_order_of_completion
    tasks_spawned_meanwhile_come_too
    next_done_ends_if_the_last_member_is_joined
    several_may_wait_for_the_next
    an_interrupted_next_done_loses_nothing
    next_result_gives_the_member_s_own_error
    a_stream_gives_every_member
    an_interrupted_stream_loses_nothing
}

async fn after<T>(time: u64, value: T) -> Result<T> {
    sleep(ms(time)).await?;
    Ok(value)
}

async fn tasks_come_in_the_order_of_completion() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for time in [9, 3, 6] {
        group.spawn(after(time, time));
    }
    let mut values = Vec::new();
    while let Some(task) = group.next_done().await? {
        values.push(task.result()?);
    }
    assert_eq!(values, [3, 6, 9]);
    group.join().await?;
    assert!(group.results()?.is_empty());
    Ok(())
}

async fn tasks_spawned_meanwhile_come_too() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(after(1, 5));
    let mut values = Vec::new();
    while let Some(task) = group.next_done().await? {
        let value = task.join().await?;
        values.push(value);
        if value > 0 {
            group.spawn(after(1, value - 1));
        }
    }
    assert_eq!(values, [5, 4, 3, 2, 1, 0]);
    group.join().await
}

async fn next_done_ends_if_the_last_member_is_joined() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let last = group.spawn(after(5, 1));
    let joiner = spawn(async move { last.join().await });
    yield_now().await?;
    assert!(group.next_done().await?.is_none());
    assert_eq!(joiner.join().await?, 1);
    group.join().await
}

async fn several_may_wait_for_the_next() -> Result<()> {
    let (notes, group) = (Notes::new(), TaskGroup::new(Wait::All));
    for time in [2, 4] {
        group.spawn(after(time, time));
    }
    let waiters = [1, 2, 3].map(|n| {
        let (notes, group) = (notes.clone(), group.clone());
        spawn(async move {
            let next = group.next_done().await?;
            let value = next.map(|task| task.result()).transpose()?;
            notes.add(format!("{n} {value:?}"));
            Ok(())
        })
    });
    for waiter in waiters {
        waiter.join().await?;
    }
    // Whoever gets the last one leaves nothing to wait for.
    notes.are(["1 Some(2)", "2 Some(4)", "3 None"]);
    group.join().await
}

async fn an_interrupted_next_done_loses_nothing() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(after(20, 1));
    assert!(ignore_after(ms(1), group.next_done()).await?.is_none());
    let other = group.clone();
    let waiter = spawn(async move { other.next_result().await });
    yield_now().await?;
    waiter.cancel().await?;
    assert_eq!(group.next_result().await?, 1);
    group.join().await
}

async fn next_result_gives_the_member_s_own_error() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(async { Err::<(), _>(Error::other("the cat is out")) });
    let error = fails(group.next_result().await);
    assert!(matches!(&error, Error::Shared(own) if matches!(**own, Error::Other(_))));
    assert_eq!(error.to_string(), "the cat is out");
    group.join().await
}

async fn a_stream_gives_every_member() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for time in [9, 3, 6] {
        group.spawn(after(time, time));
    }
    let values = group.done().map(|task| task?.result());
    assert_eq!(values.try_collect::<Vec<_>>().await?, [3, 6, 9]);
    // More may come.
    let mut done = group.done();
    assert!(done.next().await.is_none());
    group.spawn(after(1, 1));
    assert_eq!(done.next().await.expect("it was spawned")?.result()?, 1);
    assert!(done.next().await.is_none());
    group.join().await?;
    assert!(group.results()?.is_empty());
    Ok(())
}

async fn an_interrupted_stream_loses_nothing() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(after(20, 1));
    let mut done = group.done();
    let in_time = ignore_after(ms(1), async { done.next().await.transpose() });
    assert!(in_time.await?.is_none());
    let first = select(done.next(), Box::pin(sleep(ms(1)))).await;
    assert!(matches!(first, Either::Right(_)));
    // What a stream was not asked for again is left to others.
    let other = group.next_done().await?.expect("there is one");
    assert_eq!(other.result()?, 1);
    assert!(done.next().await.is_none());
    group.join().await
}
