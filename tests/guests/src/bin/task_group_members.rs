//! Task groups: who is in one, and what it has to say of its members.

use std::rc::Rc;

use curio::sync::Event;
use curio::{Error, Result, TaskGroup, Wait, sleep, spawn, task_group, yield_now};
use test_guests::{fails, ms};

test_guests::cases! {
    members_give_their_results
    results_come_in_the_order_of_completion
    tasks_are_listed_in_the_order_of_spawning
    results_are_given_once
    the_block_s_value_is_returned
    existing_tasks_may_be_added
    a_joined_task_may_be_added_and_leaves_at_once
    a_task_is_in_one_group_only
    a_task_that_left_a_group_may_enter_another
    nothing_enters_a_joined_group
    nothing_is_known_before_the_join
    an_explicitly_joined_member_leaves
    a_member_whose_result_was_read_leaves
    a_member_spawns_into_its_group_while_it_is_joined
    a_member_may_not_join_its_group
    members_are_named_after_their_functions
}

#[expect(clippy::unused_async, reason = "it is to be spawned")]
async fn add(x: u32, y: u32) -> Result<u32> {
    Ok(x + y)
}

async fn after(time: u64, value: u32) -> Result<u32> {
    sleep(ms(time)).await?;
    Ok(value)
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(result: Result<T>) -> String {
    match fails(result) {
        Error::InvalidState(text) => text,
        other => panic!("should be about the state: {other:?}"),
    }
}

async fn members_give_their_results() -> Result<()> {
    let group = task_group(Wait::All, async |group| {
        for n in 1..=3 {
            group.spawn(add(n, n));
        }
        Ok(group)
    })
    .await?;
    assert!(group.is_joined());
    assert!(group.tasks().iter().all(|task| task.is_terminated()));
    assert!(group.exceptions()?.iter().all(Option::is_none));
    assert_eq!(group.results()?, [2, 4, 6]);
    Ok(())
}

async fn results_come_in_the_order_of_completion() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for (time, value) in [(15, 1), (5, 2), (10, 3)] {
        group.spawn(after(time, value));
    }
    group.join().await?;
    assert_eq!(group.results()?, [2, 3, 1]);
    Ok(())
}

async fn tasks_are_listed_in_the_order_of_spawning() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let times = [(15, 1), (5, 2), (10, 3)];
    let spawned = times.map(|(time, value)| group.spawn(after(time, value)).id());
    group.join().await?;
    let tasks = group.tasks();
    assert!(tasks.iter().map(|task| task.id()).eq(spawned));
    let values: Result<Vec<_>> = tasks.iter().map(curio::Task::result).collect();
    assert_eq!(values?, [1, 2, 3]);
    Ok(())
}

async fn results_are_given_once() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let task = group.spawn(add(1, 2));
    group.join().await?;
    assert_eq!(group.results()?, [3]);
    assert!(group.results()?.is_empty());
    assert!(group.tasks().is_empty());
    invalid(task.result());
    invalid(group.result());
    Ok(())
}

async fn the_block_s_value_is_returned() -> Result<()> {
    let name = "cat".to_owned();
    // It may borrow what is around it.
    let length = task_group(Wait::All, async |group| {
        group.spawn(add(1, 2));
        yield_now().await?;
        Ok(name.len())
    })
    .await?;
    assert_eq!(length, name.len());
    Ok(())
}

async fn existing_tasks_may_be_added() -> Result<()> {
    let event = Rc::new(Event::new());
    let waits = event.clone();
    let running = spawn(async move {
        waits.wait().await?;
        Ok(1)
    });
    let ended = spawn(add(1, 1));
    ended.wait().await?;
    let group = TaskGroup::new(Wait::All);
    group.add_task(&running)?;
    group.add_task(&ended)?;
    event.set();
    group.join().await?;
    assert_eq!(group.results()?, [2, 1]);
    Ok(())
}

async fn a_joined_task_may_be_added_and_leaves_at_once() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let (joined, failed) = (spawn(add(1, 1)), spawn(async { Err(Error::other("no")) }));
    joined.join().await?;
    fails(failed.join().await);
    group.add_task(&joined)?;
    group.add_task(&failed)?;
    assert!(group.tasks().is_empty());
    group.spawn(add(1, 2));
    group.join().await?;
    assert_eq!(group.results()?, [3]);
    Ok(())
}

async fn a_task_is_in_one_group_only() -> Result<()> {
    let (one, other) = (TaskGroup::new(Wait::All), TaskGroup::new(Wait::All));
    let task = one.spawn(after(1, 1));
    let text = "task task_group_members::after is in a group already";
    assert_eq!(invalid(one.add_task(&task)), text);
    assert_eq!(invalid(other.add_task(&task)), text);
    other.join().await?;
    one.join().await?;
    assert_eq!(task.result()?, 1);
    Ok(())
}

async fn a_task_that_left_a_group_may_enter_another() -> Result<()> {
    let (one, other) = (TaskGroup::new(Wait::All), TaskGroup::new(Wait::All));
    one.spawn(add(1, 1));
    let task = one.next_done().await?.expect("there is one");
    other.add_task(&task)?;
    other.join().await?;
    assert_eq!(other.results()?, [2]);
    one.join().await
}

async fn nothing_enters_a_joined_group() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    group.join().await?;
    let task = group.spawn(add(1, 1));
    assert!(task.is_terminated());
    assert_eq!(task.name(), "task_group_members::add");
    let error = fails(task.join().await);
    assert!(error.to_string().ends_with("the task group was joined"));
    let task = spawn(add(1, 1));
    assert_eq!(invalid(group.add_task(&task)), "the task group was joined");
    task.join().await?;
    assert!(group.tasks().is_empty());
    group.join().await
}

async fn nothing_is_known_before_the_join() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    assert_eq!(invalid(group.next_result().await), "no task available");
    group.spawn(add(1, 1)).wait().await?;
    let text = "the task group was not joined";
    assert_eq!(invalid(group.result()), text);
    assert_eq!(invalid(group.results()), text);
    assert_eq!(invalid(group.exception()), text);
    assert_eq!(invalid(group.exceptions()), text);
    group.join().await?;
    assert!(group.exception()?.is_none());
    assert_eq!(group.result()?, 2);
    Ok(())
}

async fn an_explicitly_joined_member_leaves() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let tasks = [1, 2, 3].map(|n| group.spawn(add(n, n)));
    assert_eq!(tasks[1].join().await?, 4);
    assert_eq!(group.tasks().len(), 2);
    group.join().await?;
    assert_eq!(group.results()?, [2, 6]);
    Ok(())
}

async fn a_member_whose_result_was_read_leaves() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let tasks = [1, 2, 3].map(|n| group.spawn(add(n, n)));
    group.join().await?;
    assert_eq!(tasks[1].result()?, 4);
    assert_eq!(group.results()?, [2, 6]);
    Ok(())
}

async fn a_member_spawns_into_its_group_while_it_is_joined() -> Result<()> {
    async fn member(group: TaskGroup<u32>, depth: u32) -> Result<u32> {
        sleep(ms(1)).await?;
        if depth < 5 {
            group.spawn(member(group.clone(), depth + 1));
        }
        Ok(depth)
    }

    let group = task_group(Wait::All, async |group| {
        group.spawn(member(group.clone(), 0));
        Ok(group)
    })
    .await?;
    assert_eq!(group.results()?, [0, 1, 2, 3, 4, 5]);
    Ok(())
}

async fn a_member_may_not_join_its_group() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let own = group.clone();
    group.spawn(async move {
        let text = "a task can't join the group that it is in";
        assert_eq!(invalid(own.join().await), text);
        Ok(())
    });
    group.join().await
}

async fn members_are_named_after_their_functions() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    let task = group.spawn(add(1, 1));
    assert_eq!(task.name(), "task_group_members::add");
    assert!(task.spawned_at().file().ends_with("task_group_members.rs"));
    group.join().await
}
