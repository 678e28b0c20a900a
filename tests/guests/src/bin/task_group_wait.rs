//! Task groups: what is waited for, and what a failure does.

use curio::{Error, Result, TaskGroup, Wait, clock, sleep, spawn, task_group};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    any_waits_for_the_first
    any_of_several_immediate_finishers_is_the_first
    any_fails_if_the_first_fails
    any_is_well_if_a_later_one_fails
    any_s_winner_may_have_been_consumed
    object_skips_what_is_not_looked_for
    object_waits_for_all_if_none_is_found
    object_fails_with_the_first_failure
    object_s_winner_may_have_been_consumed
    a_winner_from_before_the_join_counts
    none_waits_for_nobody
    none_knows_of_an_earlier_failure
    all_is_completed_by_the_first
    all_fails_with_the_first_failure
    a_member_cancelled_by_somebody_is_a_failure
    a_consumed_failure_does_not_count
    a_joined_failure_does_not_count
    one_who_waits_in_join_comes_before_the_group
    every_join_tells_the_same
    a_block_that_joined_was_told
}

const NEVER: u64 = 1_000_000;

async fn after<T>(time: u64, value: T) -> Result<T> {
    sleep(ms(time)).await?;
    Ok(value)
}

async fn fail_after<T>(time: u64, text: &'static str) -> Result<T> {
    sleep(ms(time)).await?;
    Err(Error::other(text))
}

/// The text of a failed member's error.
#[track_caller]
fn member_s(error: Error) -> String {
    match error {
        Error::Task(error) => error.cause().to_string(),
        other => panic!("should be a member's: {other:?}"),
    }
}

async fn any_waits_for_the_first() -> Result<()> {
    let group = TaskGroup::new(Wait::Any);
    let tasks = [NEVER, 5, NEVER].map(|time| group.spawn(after(time, time)));
    group.join().await?;
    let completed = group.completed().expect("one has");
    assert_eq!(completed.id(), tasks[1].id());
    assert!(tasks[0].is_cancelled() && tasks[2].is_cancelled());
    assert!(!tasks[1].is_cancelled());
    assert!(group.exception()?.is_none());
    // The others have failed, so to speak.
    assert!(fails(group.results()).is_cancellation());
    assert_eq!(group.exceptions()?.iter().flatten().count(), 2);
    assert_eq!(group.result()?, 5);
    Ok(())
}

async fn any_of_several_immediate_finishers_is_the_first() -> Result<()> {
    let group = TaskGroup::new(Wait::Any);
    for n in 0..3 {
        group.spawn(std::future::ready(Ok(n)));
    }
    group.join().await?;
    assert_eq!(
        group.completed().map(|task| task.result()).transpose()?,
        Some(0)
    );
    // The others were not in vain.
    assert_eq!(group.results()?, [1, 2]);
    Ok(())
}

async fn any_fails_if_the_first_fails() -> Result<()> {
    let group = TaskGroup::new(Wait::Any);
    let tasks = [1, 2].map(|_| group.spawn(after(NEVER, 1)));
    let failed = group.spawn(fail_after(1, "the cat is out"));
    assert_eq!(member_s(fails(group.join().await)), "the cat is out");
    assert!(tasks.iter().all(|task| task.is_cancelled()));
    assert_eq!(group.completed().map(|task| task.id()), Some(failed.id()));
    let error = group.exception()?.map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the cat is out"));
    assert!(matches!(fails(group.result()), Error::Shared(_)));
    assert!(group.exceptions()?.iter().all(Option::is_some));
    Ok(())
}

async fn any_is_well_if_a_later_one_fails() -> Result<()> {
    let group = TaskGroup::new(Wait::Any);
    group.spawn(std::future::ready(Ok(1)));
    let late = group.spawn(std::future::ready(Err(Error::other("too late"))));
    group.join().await?;
    assert_eq!(group.result()?, 1);
    assert!(late.exception()?.is_some());
    Ok(())
}

async fn any_s_winner_may_have_been_consumed() -> Result<()> {
    let begun = clock();
    let group = task_group(Wait::Any, async |group| {
        for time in [5, NEVER] {
            group.spawn(after(time, time));
        }
        assert_eq!(group.next_result().await?, 5);
        Ok(group)
    })
    .await?;
    assert!(clock() - begun < ms(NEVER / 2));
    assert!(group.completed().is_some_and(|task| !task.is_cancelled()));
    // It was given.
    assert!(matches!(fails(group.result()), Error::InvalidState(_)));
    Ok(())
}

async fn object_skips_what_is_not_looked_for() -> Result<()> {
    let group = TaskGroup::new(Wait::Object(Option::is_some));
    for (time, value) in [(1, None), (3, None), (6, Some("cat")), (NEVER, Some("dog"))] {
        group.spawn(after(time, value));
    }
    group.join().await?;
    assert_eq!(group.result()?, Some("cat"));
    Ok(())
}

async fn object_waits_for_all_if_none_is_found() -> Result<()> {
    let group = TaskGroup::new(Wait::Object(|n: &u64| *n > 10));
    for time in [1, 2, 3] {
        group.spawn(after(time, time));
    }
    group.join().await?;
    assert!(group.completed().is_none());
    assert!(group.exception()?.is_none());
    assert!(matches!(fails(group.result()), Error::InvalidState(_)));
    assert_eq!(group.results()?, [1, 2, 3]);
    Ok(())
}

async fn object_fails_with_the_first_failure() -> Result<()> {
    let group = TaskGroup::new(Wait::Object(Option::is_some));
    group.spawn(after(1, None));
    group.spawn(fail_after(2, "the cat is out"));
    group.spawn(after(NEVER, Some(())));
    assert_eq!(member_s(fails(group.join().await)), "the cat is out");
    Ok(())
}

async fn object_s_winner_may_have_been_consumed() -> Result<()> {
    // What happy eyeballs does.
    let found = task_group(Wait::Object(Option::is_some), async |group| {
        for (time, value) in [(1, None), (5, Some("cat")), (NEVER, Some("dog"))] {
            group.spawn(after(time, value));
        }
        loop {
            if let Some(found) = group.next_result().await? {
                return Ok(found);
            }
        }
    });
    assert_eq!(found.await?, "cat");
    Ok(())
}

async fn a_winner_from_before_the_join_counts() -> Result<()> {
    let group = TaskGroup::new(Wait::Object(|n| *n == 2));
    group.spawn(after(NEVER, 1));
    let task = spawn(std::future::ready(Ok(2)));
    task.wait().await?;
    group.add_task(&task)?;
    group.join().await?;
    assert_eq!(group.result()?, 2);
    Ok(())
}

async fn none_waits_for_nobody() -> Result<()> {
    let notes = Notes::new();
    let group = TaskGroup::new(Wait::None);
    let ended = group.spawn(std::future::ready(Ok(())));
    ended.wait().await?;
    let inner = notes.clone();
    let task = group.spawn(async move {
        assert!(matches!(sleep_until_told().await, Error::TaskCancelled));
        inner.add("told");
        Ok(())
    });
    group.join().await?;
    notes.are(["told"]);
    assert!(task.is_cancelled());
    assert!(group.completed().is_none());
    assert_eq!(group.results()?.len(), 2);
    Ok(())
}

async fn none_knows_of_an_earlier_failure() -> Result<()> {
    let group = TaskGroup::new(Wait::None);
    group
        .spawn(fail_after::<()>(0, "the cat is out"))
        .wait()
        .await?;
    assert_eq!(member_s(fails(group.join().await)), "the cat is out");
    Ok(())
}

async fn all_is_completed_by_the_first() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let tasks = [5, 1, 3].map(|time| group.spawn(after(time, time)));
    assert!(group.completed().is_none());
    tasks[1].wait().await?;
    // That is known at once.
    assert_eq!(group.completed().map(|task| task.id()), Some(tasks[1].id()));
    group.join().await?;
    assert_eq!(group.result()?, 1);
    assert_eq!(group.results()?, [3, 5]);
    Ok(())
}

async fn all_fails_with_the_first_failure() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let well = group.spawn(after(0, 1));
    let failed = group.spawn(fail_after(3, "the cat is out"));
    let rest = [1, 2].map(|_| group.spawn(after(NEVER, 1)));
    let error = fails(group.join().await);
    assert!(!error.is_cancellation());
    assert_eq!(member_s(error), "the cat is out");
    assert!(rest.iter().all(|task| task.is_cancelled()));
    assert_eq!(group.completed().map(|task| task.id()), Some(failed.id()));
    let exceptions = group.exceptions()?;
    let is_some: Vec<_> = exceptions.iter().map(Option::is_some).collect();
    assert_eq!(is_some, [false, true, true, true]);
    assert!(matches!(fails(group.results()), Error::Shared(_)));
    assert_eq!(well.result()?, 1);
    Ok(())
}

async fn a_member_cancelled_by_somebody_is_a_failure() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let tasks = [1, 2].map(|_| group.spawn(after(NEVER, 1)));
    assert!(tasks[0].cancel().await?);
    let Error::Task(error) = fails(group.join().await) else {
        panic!("should be the member's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    assert!(tasks[1].is_cancelled());
    Ok(())
}

async fn a_consumed_failure_does_not_count() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(fail_after(0, "the cat is out"));
    group.spawn(after(5, 1));
    let failed = group.next_done().await?.expect("there are two");
    assert!(failed.exception()?.is_some());
    group.join().await?;
    assert_eq!(group.results()?, [1]);
    Ok(())
}

async fn a_joined_failure_does_not_count() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let failed = group.spawn(fail_after(1, "the cat is out"));
    let rest = [1, 2].map(|n| group.spawn(after(5, n)));
    assert_eq!(member_s(fails(failed.join().await)), "the cat is out");
    let own = fails(failed.result());
    assert_eq!(own.to_string(), "the cat is out");
    assert!(failed.exception()?.is_some());
    group.join().await?;
    assert!(rest.iter().all(|task| !task.is_cancelled()));
    assert_eq!(group.results()?, [1, 2]);
    Ok(())
}

async fn one_who_waits_in_join_comes_before_the_group() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let failed = group.spawn(fail_after(5, "the cat is out"));
    let rest = group.spawn(after(10, 1));
    let joiner = spawn(async move { Ok(member_s(fails::<u32>(failed.join().await))) });
    group.join().await?;
    assert_eq!(joiner.join().await?, "the cat is out");
    assert!(!rest.is_cancelled());
    Ok(())
}

async fn every_join_tells_the_same() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.spawn(fail_after::<()>(2, "the cat is out"));
    let other = group.clone();
    let joiner = spawn(async move { Ok(member_s(fails(other.join().await))) });
    assert_eq!(member_s(fails(group.join().await)), "the cat is out");
    assert_eq!(joiner.join().await?, "the cat is out");
    assert_eq!(member_s(fails(group.join().await)), "the cat is out");
    Ok(())
}

async fn a_block_that_joined_was_told() -> Result<()> {
    task_group(Wait::All, async |group| {
        group.spawn(fail_after::<()>(2, "the cat is out"));
        assert_eq!(member_s(fails(group.join().await)), "the cat is out");
        Ok(())
    })
    .await
}
