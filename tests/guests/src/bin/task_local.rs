//! What tasks store for themselves.

use curio::{Local, Result, spawn, yield_now};

test_guests::cases! {
    a_task_has_nothing_that_nobody_stored
    a_child_begins_with_its_parent_s_values
    what_is_stored_later_is_a_task_s_own
    two_of_one_type_are_two
}

static NAME: Local<String> = Local::new();
static ONE: Local<u32> = Local::new();
static OTHER: Local<u32> = Local::new();

async fn a_task_has_nothing_that_nobody_stored() -> Result<()> {
    assert_eq!(NAME.get(), None);
    let task = spawn(async { Ok(ONE.get()) });
    assert_eq!(task.join().await?, None);
    Ok(())
}

async fn a_child_begins_with_its_parent_s_values() -> Result<()> {
    NAME.set("parent".to_owned());
    let task = spawn(async {
        let grandchild = spawn(async { Ok(NAME.get()) });
        grandchild.join().await
    });
    // It was spawned before.
    NAME.set("changed".to_owned());
    assert_eq!(task.join().await?.as_deref(), Some("parent"));
    assert_eq!(NAME.get().as_deref(), Some("changed"));
    Ok(())
}

async fn what_is_stored_later_is_a_task_s_own() -> Result<()> {
    ONE.set(0);
    let tasks = [1, 2, 3].map(|n| {
        spawn(async move {
            ONE.set(n);
            yield_now().await?;
            Ok(ONE.get())
        })
    });
    for (task, n) in tasks.into_iter().zip(1..) {
        assert_eq!(task.join().await?, Some(n));
    }
    assert_eq!(ONE.get(), Some(0));
    Ok(())
}

async fn two_of_one_type_are_two() -> Result<()> {
    ONE.set(1);
    assert_eq!(OTHER.get(), None);
    OTHER.set(2);
    assert_eq!((ONE.get(), OTHER.get()), (Some(1), Some(2)));
    Ok(())
}
