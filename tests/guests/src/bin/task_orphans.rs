//! Tasks that nobody joins: who is told of, in the host's log.

use curio::{Error, Result, TaskGroup, TaskOptions, Wait, sleep, spawn, yield_now};
use test_guests::{fails, ms, say};

test_guests::cases! {
    a_task_that_nobody_joined_is_told_of
    it_is_told_of_when_the_last_handle_goes
    a_task_that_was_only_waited_for_is_told_of
    those_that_are_looked_after_are_not
    daemons_are_not
    cancelled_ones_are_not
    members_of_groups_are_not
    a_failed_member_that_nobody_asked_for_is_told_of
    a_member_that_nobody_asked_for_is_told_of_if_it_could_not_be_one
}

async fn value() -> Result<u32> {
    yield_now().await?;
    Ok(1)
}

async fn a_task_that_nobody_joined_is_told_of() -> Result<()> {
    drop(spawn(value()));
    drop(TaskOptions::new().name("cat").spawn(value()));
    sleep(ms(1)).await?;
    Ok(())
}

async fn it_is_told_of_when_the_last_handle_goes() -> Result<()> {
    let task = spawn(value());
    let other = task.clone();
    let any = task.any().clone();
    task.wait().await?;
    drop(task);
    drop(other);
    // What is known of it is held by this one, too.
    sleep(ms(1)).await?;
    say("not yet");
    drop(any);
    Ok(())
}

async fn a_task_that_was_only_waited_for_is_told_of() -> Result<()> {
    let task = spawn(value());
    task.wait().await?;
    assert!(task.exception()?.is_none());
    Ok(())
}

async fn those_that_are_looked_after_are_not() -> Result<()> {
    spawn(value()).join().await?;
    let task = spawn(value());
    task.wait().await?;
    task.result()?;
    let task = spawn(value());
    task.wait().await?;
    task.cancel().await?;
    Ok(())
}

async fn daemons_are_not() -> Result<()> {
    drop(TaskOptions::new().daemon(true).spawn(value()));
    let task = spawn(value());
    task.set_daemon(true);
    task.wait().await
}

async fn cancelled_ones_are_not() -> Result<()> {
    drop(spawn(sleep(ms(1_000_000))));
    // Whoever cancels it has done what is to be done, however it ends.
    let task = spawn(async {
        fails(sleep(ms(1_000_000)).await);
        Ok(())
    });
    yield_now().await?;
    task.request_cancel();
    task.wait().await?;
    // Those of the shutdown are not, either.
    drop(spawn(async {
        fails(sleep(ms(1_000_000)).await);
        Ok(())
    }));
    yield_now().await
}

async fn members_of_groups_are_not() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for _ in 0..3 {
        group.spawn(value());
    }
    let task = spawn(value());
    group.add_task(&task)?;
    drop(task);
    let first = group.next_done().await?.expect("there are four");
    drop(first);
    group.join().await?;
    let unjoined = TaskGroup::new(Wait::All);
    unjoined.spawn(value());
    sleep(ms(1)).await?;
    Ok(())
}

async fn a_failed_member_that_nobody_asked_for_is_told_of() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for text in ["the cat is out", "the dog too"] {
        group.spawn(async move { Err::<(), _>(Error::other(text)) });
    }
    fails(group.join().await);
    Ok(())
}

async fn a_member_that_nobody_asked_for_is_told_of_if_it_could_not_be_one() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.join().await?;
    drop(group.spawn(value()));
    let task = spawn(value());
    fails(group.add_task(&task));
    task.wait().await
}
