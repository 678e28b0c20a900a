//! Task groups: groups in groups, and what is dropped.

use std::future::pending;

use curio::{
    Error, Result, TaskGroup, TaskOptions, Wait, current_task, sleep, spawn, task_group, yield_now,
};
use futures::future::{Either, select};
use futures::pin_mut;
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    nested_groups_end_from_the_inside
    a_failure_passes_through_nested_groups
    a_dropped_group_cancels_its_members
    a_dropped_join_may_be_made_up_for
    a_member_that_drops_the_last_handle_goes_on
    members_of_a_dropped_owner_may_be_dropped_too
}

/// Cleans up for a time when it is told to end, and notes that it has.
async fn slow(notes: Notes, time: u64) -> Result<()> {
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    sleep(ms(time)).await?;
    notes.add(format!("clean after {time}"));
    Err(error)
}

/// Is cancelled, and ends well nevertheless.
async fn sleep_until_told_well() -> Result<()> {
    sleep_until_told().await;
    Ok(())
}

/// A group inside a group, and so on; the innermost member is slow.
async fn nest(notes: Notes, depth: u32) -> Result<()> {
    let result = task_group(Wait::All, async |group| {
        if depth == 0 {
            group.spawn(slow(notes.clone(), 10));
        } else {
            group.spawn(Box::pin(nest(notes.clone(), depth - 1)));
        }
        Ok(())
    })
    .await;
    notes.add(format!("{depth} ends"));
    result
}

async fn nested_groups_end_from_the_inside() -> Result<()> {
    let notes = Notes::new();
    let outermost = spawn(nest(notes.clone(), 2));
    sleep(ms(5)).await?;
    outermost.cancel().await?;
    notes.are(["clean after 10", "0 ends", "1 ends", "2 ends"]);
    Ok(())
}

async fn a_failure_passes_through_nested_groups() -> Result<()> {
    let error = fails(
        task_group(Wait::All, async |outer| {
            outer.spawn(task_group(Wait::All, async |inner| {
                inner.spawn(async { Err::<(), _>(Error::other("the cat is out")) });
                inner.spawn(sleep_until_told_well());
                Ok(())
            }));
            outer.spawn(sleep_until_told_well());
            Ok(())
        })
        .await,
    );
    let Error::Task(outer) = error else {
        panic!("should be the outer member's");
    };
    let Error::Task(inner) = outer.cause() else {
        panic!("should be the inner member's");
    };
    assert_eq!(inner.cause().to_string(), "the cat is out");
    Ok(())
}

async fn a_dropped_group_cancels_its_members() -> Result<()> {
    let notes = Notes::new();
    let mut tasks = Vec::new();
    {
        let group = task_group(Wait::All, async |group| {
            tasks.push(group.spawn(slow(notes.clone(), 5)));
            let options = TaskOptions::new().daemon(true);
            tasks.push(group.spawn_with(options, slow(notes.clone(), 10)));
            // Members may hold it, too.
            let own = group.clone();
            tasks.push(group.spawn(async move {
                let result = slow(Notes::new(), 1).await;
                assert!(own.spawn(async { Ok(()) }).exception()?.is_some());
                result
            }));
            Ok(())
        });
        let wait = sleep(ms(5));
        pin_mut!(group, wait);
        assert!(matches!(select(group, wait).await, Either::Right(_)));
    }
    assert!(
        tasks
            .iter()
            .all(|task| task.is_cancelled() && !task.is_terminated())
    );
    for task in &tasks {
        task.wait().await?;
    }
    notes.are(["clean after 5", "clean after 10"]);
    // A handle is as good as a block.
    let group = TaskGroup::new(Wait::All);
    let task = group.spawn(sleep(ms(1_000_000)));
    drop(group.clone());
    assert!(!task.is_cancelled());
    drop(group);
    assert!(task.is_cancelled());
    task.wait().await
}

async fn a_dropped_join_may_be_made_up_for() -> Result<()> {
    let notes = Notes::new();
    let group = TaskGroup::new(Wait::None);
    group.spawn(slow(notes.clone(), 20));
    {
        let (join, wait) = (group.join(), sleep(ms(5)));
        pin_mut!(join, wait);
        assert!(matches!(select(join, wait).await, Either::Right(_)));
    }
    assert!(!group.is_joined());
    group.join().await?;
    notes.are(["clean after 20"]);
    Ok(())
}

async fn a_member_that_drops_the_last_handle_goes_on() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let other = group.spawn(sleep_until_told_well());
    let own = group.clone();
    let task = group.spawn(async move {
        yield_now().await?;
        drop(own);
        sleep(ms(1)).await?;
        assert!(!current_task().is_cancelled());
        Ok(())
    });
    drop(group);
    task.join().await?;
    assert!(other.is_cancelled());
    Ok(())
}

async fn members_of_a_dropped_owner_may_be_dropped_too() -> Result<()> {
    let owner = spawn(task_group(Wait::All, async |group| {
        group.spawn(task_group(Wait::All, async |inner| {
            inner.spawn(pending::<Result<()>>());
            pending::<Result<()>>().await
        }));
        pending::<Result<()>>().await
    }));
    yield_now().await?;
    let members = owner.children();
    yield_now().await?;
    let members = [members[0].clone(), members[0].children()[0].clone()];
    assert!(owner.cancel().await?);
    // Nothing else happens that would let them go.
    for member in &members {
        member.wait().await?;
    }
    Ok(())
}
