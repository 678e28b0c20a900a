//! Task groups: interruptions, failures of the block, and that no child is left behind.

use curio::{
    Error, Result, Task, TaskGroup, Wait, clock, ignore_after, sleep, spawn, task_group,
    timeout_after, yield_now,
};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    a_cancelled_owner_cancels_all_members
    a_timeout_around_a_group_cancels_all_members
    an_ignored_timeout_around_a_group_is_ignored
    an_owner_cancelled_in_join_waits_for_slow_members
    a_timeout_in_join_waits_for_slow_members
    an_owner_cancelled_while_it_cancels_waits_on
    a_timeout_does_not_hide_a_cancellation
    an_owner_interrupted_twice_is_cancelled
    a_member_s_error_after_the_end_of_the_wait_is_kept
    the_block_s_error_goes_out
    a_cancelled_owner_s_block_error_is_the_cancellation
    a_member_that_fails_does_not_interrupt_the_block
    members_that_never_ran_are_cancelled_too
    members_may_not_spawn_while_they_end
    an_outer_timeout_while_an_inner_one_is_cleaned_up_counts
}

const NEVER: u64 = 1_000_000;

/// Cleans up for a time when it is told to end, and notes that it has.
async fn slow(notes: Notes, time: u64) -> Result<()> {
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    sleep(ms(time)).await?;
    notes.add(format!("clean after {time}"));
    Err(error)
}

/// A task that owns a group of two slow members, and lets its block do something.
fn owner(notes: &Notes, block: impl Future<Output = Result<()>> + 'static) -> Task<()> {
    let notes = notes.clone();
    spawn(task_group(Wait::All, async move |group| {
        for time in [10, 20] {
            group.spawn(slow(notes.clone(), time));
        }
        block.await
    }))
}

#[track_caller]
fn was_cancelled(result: Result<()>) {
    let Error::Task(error) = fails(result) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled), "{error}");
}

const CLEAN: [&str; 2] = ["clean after 10", "clean after 20"];

async fn a_cancelled_owner_cancels_all_members() -> Result<()> {
    let notes = Notes::new();
    let owner = owner(&notes, async { Err(sleep_until_told().await) });
    yield_now().await?;
    owner.cancel().await?;
    notes.are(CLEAN);
    was_cancelled(owner.join().await);
    Ok(())
}

async fn a_timeout_around_a_group_cancels_all_members() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let group = task_group(Wait::All, async |group| {
        group.spawn(slow(inner, 20));
        sleep(ms(NEVER)).await?;
        Ok(())
    });
    let begun = clock();
    let error = fails(timeout_after(ms(5), group).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    // However long that takes.
    assert!(clock() - begun >= ms(25));
    notes.are(["clean after 20"]);
    Ok(())
}

async fn an_ignored_timeout_around_a_group_is_ignored() -> Result<()> {
    let group = task_group(Wait::All, async |group| {
        group.spawn(sleep(ms(NEVER)));
        Ok(())
    });
    assert!(ignore_after(ms(5), group).await?.is_none());
    Ok(())
}

async fn an_owner_cancelled_in_join_waits_for_slow_members() -> Result<()> {
    let notes = Notes::new();
    let owner = owner(&notes, async { Ok(()) });
    sleep(ms(2)).await?;
    assert_eq!(owner.state().to_string(), "group-join");
    owner.cancel().await?;
    notes.are(CLEAN);
    was_cancelled(owner.join().await);
    Ok(())
}

async fn a_timeout_in_join_waits_for_slow_members() -> Result<()> {
    let notes = Notes::new();
    let group = TaskGroup::new(Wait::All);
    group.spawn(slow(notes.clone(), 20));
    let error = fails(timeout_after(ms(2), group.join()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    notes.are(["clean after 20"]);
    assert!(group.is_joined());
    assert!(fails(group.results()).is_cancellation());
    Ok(())
}

async fn an_owner_cancelled_while_it_cancels_waits_on() -> Result<()> {
    let notes = Notes::new();
    // The block fails, and the group has begun to end.
    let owner = owner(&notes, async {
        sleep(ms(1)).await?;
        Err(Error::other("the block failed"))
    });
    sleep(ms(5)).await?;
    owner.cancel().await?;
    notes.are(CLEAN);
    // It would be told only once.
    was_cancelled(owner.join().await);
    Ok(())
}

async fn a_timeout_does_not_hide_a_cancellation() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let owner = spawn(async move {
        let group = TaskGroup::new(Wait::All);
        group.spawn(slow(inner.clone(), 20));
        // The timeout comes first, the cancellation while the member cleans up.
        let result = ignore_after(ms(2), group.join()).await;
        assert!(matches!(fails(result), Error::TaskCancelled));
        Err(Error::TaskCancelled)
    });
    sleep(ms(10)).await?;
    owner.cancel().await?;
    notes.are(["clean after 20"]);
    was_cancelled(owner.join().await);
    Ok(())
}

async fn an_owner_interrupted_twice_is_cancelled() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let owner = spawn(async move {
        let group = TaskGroup::new(Wait::All);
        group.spawn(slow(inner.clone(), 20));
        let result = ignore_after(ms(10), group.join()).await;
        assert!(matches!(fails(result), Error::TaskCancelled));
        Err(Error::TaskCancelled)
    });
    sleep(ms(2)).await?;
    // The cancellation comes first, the timeout while the member cleans up, or not any more.
    owner.cancel().await?;
    notes.are(["clean after 20"]);
    was_cancelled(owner.join().await);
    Ok(())
}

async fn a_member_s_error_after_the_end_of_the_wait_is_kept() -> Result<()> {
    let group = TaskGroup::new(Wait::Any);
    let failing = group.spawn(async {
        sleep_until_told().await;
        Err(Error::other("can't clean up"))
    });
    group.spawn(async { Ok(1) });
    group.join().await?;
    assert_eq!(group.result()?, 1);
    let error = failing.exception()?.map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("can't clean up"));
    Ok(())
}

async fn the_block_s_error_goes_out() -> Result<()> {
    let notes = Notes::new();
    let owner = owner(&notes, async {
        sleep(ms(1)).await?;
        Err(Error::other("the block failed"))
    });
    let Error::Task(error) = fails(owner.join().await) else {
        panic!("should be the owner's");
    };
    assert_eq!(error.cause().to_string(), "the block failed");
    notes.are(CLEAN);
    Ok(())
}

async fn a_cancelled_owner_s_block_error_is_the_cancellation() -> Result<()> {
    let notes = Notes::new();
    let owner = owner(&notes, async {
        sleep_until_told().await;
        Err(Error::TaskCancelled)
    });
    yield_now().await?;
    owner.cancel().await?;
    was_cancelled(owner.join().await);
    notes.are(CLEAN);
    Ok(())
}

async fn a_member_that_fails_does_not_interrupt_the_block() -> Result<()> {
    let notes = Notes::new();
    let result = task_group(Wait::All, async |group| {
        group.spawn(async { Err::<(), _>(Error::other("the cat is out")) });
        sleep(ms(5)).await?;
        notes.add("the block ends");
        Ok(())
    });
    assert!(matches!(fails(result.await), Error::Task(_)));
    notes.are(["the block ends"]);
    Ok(())
}

async fn members_that_never_ran_are_cancelled_too() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let error = fails(
        task_group(Wait::All, async |group| {
            group.spawn(async move {
                inner.add("runs to its first wait");
                yield_now().await?;
                inner.add("and not further");
                Ok(())
            });
            Err::<(), _>(Error::other("the block failed"))
        })
        .await,
    );
    assert_eq!(error.to_string(), "the block failed");
    notes.are(["runs to its first wait"]);
    Ok(())
}

async fn members_may_not_spawn_while_they_end() -> Result<()> {
    let group = TaskGroup::new(Wait::None);
    let own = group.clone();
    let task = group.spawn(async move {
        sleep_until_told().await;
        let refused = own.spawn(async { Ok(()) });
        assert!(matches!(fails(refused.result()), Error::Shared(_)));
        Ok(())
    });
    group.join().await?;
    task.result()
}

async fn an_outer_timeout_while_an_inner_one_is_cleaned_up_counts() -> Result<()> {
    let notes = Notes::new();
    for in_block in [true, false] {
        let inner = notes.clone();
        let group = task_group(Wait::All, async |group| {
            group.spawn(slow(inner, 20));
            if in_block {
                sleep(ms(NEVER)).await?;
            }
            Ok(())
        });
        let outer = ignore_after(ms(10), async {
            let result = ignore_after(ms(2), group).await;
            assert!(
                matches!(&result, Err(Error::TimeoutCancellation(_))),
                "{result:?}"
            );
            result
        });
        assert!(outer.await?.is_none());
        notes.are(["clean after 20"]);
    }
    Ok(())
}
