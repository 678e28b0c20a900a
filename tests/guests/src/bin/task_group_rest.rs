//! Task groups: daemons, and members that are left over.

use curio::{Error, Result, TaskGroup, TaskOptions, Wait, sleep, task_group, yield_now};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    a_spawned_daemon_is_cancelled_at_the_end
    an_added_daemon_is_cancelled_at_the_end
    a_failing_daemon_is_no_concern
    an_explicitly_joined_daemon_is_no_result
    a_member_may_cancel_the_others
    cancel_remaining_is_always_legal
    what_cancel_remaining_cancels_leaves
    an_interrupted_cancel_remaining_leaves_nobody_behind
    ten_thousand_members
}

async fn after(time: u64, value: u32) -> Result<u32> {
    sleep(ms(time)).await?;
    Ok(value)
}

/// A daemon that notes how it ends.
async fn daemon(notes: Notes) -> Result<u32> {
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    yield_now().await?;
    notes.add("daemon ends");
    Err(error)
}

async fn a_spawned_daemon_is_cancelled_at_the_end() -> Result<()> {
    let notes = Notes::new();
    let group = TaskGroup::new(Wait::All);
    let options = TaskOptions::new().daemon(true).name("cat");
    let task = group.spawn_with(options, daemon(notes.clone()));
    assert_eq!(task.name(), "cat");
    group.spawn(after(5, 1));
    assert_eq!(group.tasks().len(), 1);
    group.join().await?;
    notes.are(["daemon ends"]);
    assert!(task.is_cancelled());
    assert_eq!(group.results()?, [1]);
    Ok(())
}

async fn an_added_daemon_is_cancelled_at_the_end() -> Result<()> {
    let notes = Notes::new();
    let task = TaskOptions::new().daemon(true).spawn(daemon(notes.clone()));
    yield_now().await?;
    task_group(Wait::All, async |group| group.add_task(&task)).await?;
    notes.are(["daemon ends"]);
    Ok(())
}

async fn a_failing_daemon_is_no_concern() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let options = TaskOptions::new().daemon(true);
    let fails = async { Err(Error::other("a daemon may fail")) };
    let task = group.spawn_with(options, fails);
    group.spawn(after(5, 1));
    group.join().await?;
    assert_eq!(group.exceptions()?.len(), 1);
    assert_eq!(group.results()?, [1]);
    assert!(task.exception()?.is_some());
    Ok(())
}

async fn an_explicitly_joined_daemon_is_no_result() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let options = TaskOptions::new().daemon(true);
    let task = group.spawn_with(options, after(2, 1));
    group.spawn(after(1, 2));
    assert_eq!(task.join().await?, 1);
    group.join().await?;
    assert_eq!(group.results()?, [2]);
    Ok(())
}

async fn a_member_may_cancel_the_others() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let others = [1, 2].map(|n| group.spawn(after(1_000_000, n)));
    let own = group.clone();
    group.spawn(async move {
        own.cancel_remaining().await?;
        Ok(3)
    });
    group.join().await?;
    assert!(others.iter().all(|task| task.is_cancelled()));
    assert_eq!(group.results()?, [3]);
    Ok(())
}

async fn cancel_remaining_is_always_legal() -> Result<()> {
    let group = TaskGroup::<()>::new(Wait::All);
    group.cancel_remaining().await?;
    group.join().await?;
    group.cancel_remaining().await
}

async fn what_cancel_remaining_cancels_leaves() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(after(0, 2)).wait().await?;
    let left_over = group.spawn(after(1_000_000, 1));
    let options = TaskOptions::new().daemon(true);
    let daemon = group.spawn_with(options, after(1_000_000, 2));
    group.cancel_remaining().await?;
    assert!(left_over.is_terminated() && !daemon.is_terminated());
    assert_eq!(group.tasks().len(), 1);
    group.spawn(after(0, 3));
    group.join().await?;
    assert!(daemon.is_cancelled());
    assert_eq!(group.results()?, [2, 3]);
    Ok(())
}

async fn an_interrupted_cancel_remaining_leaves_nobody_behind() -> Result<()> {
    let notes = Notes::new();
    let group = TaskGroup::new(Wait::All);
    let inner = notes.clone();
    let task = group.spawn(async move {
        let error = sleep_until_told().await;
        sleep(ms(20)).await?;
        inner.add("clean");
        Err::<(), _>(error)
    });
    yield_now().await?;
    let error = fails(curio::timeout_after(ms(1), group.cancel_remaining()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert!(!task.is_terminated());
    group.join().await?;
    notes.are(["clean"]);
    Ok(())
}

async fn ten_thousand_members() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for n in 0..10_000 {
        group.spawn(after(n % 10, 1));
    }
    let tasks = group.tasks();
    for task in tasks.iter().rev().take(5_000) {
        task.join().await?;
    }
    group.join().await?;
    assert_eq!(group.results()?.into_iter().sum::<u32>(), 5_000);
    let group = TaskGroup::new(Wait::Any);
    for _ in 0..10_000 {
        group.spawn(after(1_000_000, 1));
    }
    group.spawn(after(0, 2));
    group.join().await?;
    assert_eq!(group.result()?, 2);
    Ok(())
}
