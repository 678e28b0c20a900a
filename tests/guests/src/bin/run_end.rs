//! How a program ends: what main returns, and what becomes of the other tasks.

use std::future;

use curio::{Error, Result, TaskOptions, current_task, sleep, spawn, yield_now};
use test_guests::{fails, ms, say, sleep_until_told};

test_guests::cases! {
    main_is_well
    main_fails
    main_s_task_error_is_shown
    main_exits
    a_task_panics
    run_in_a_task
    the_rest_is_cancelled_newest_first
    the_rest_is_cancelled_if_main_fails
    tasks_spawned_while_ending_are_cancelled_too
    a_task_that_goes_on_is_waited_for
    a_task_without_a_trap_is_dropped_at_the_end
    those_cancelled_at_the_end_know_it
    an_error_that_nobody_joins_is_told
    an_error_that_was_joined_is_not_told
    an_error_at_the_end_is_told
    a_cancellation_is_not_told
}

async fn main_is_well() -> Result<()> {
    Ok(())
}

async fn main_fails() -> Result<()> {
    yield_now().await?;
    Err(Error::other("the cat is out"))
}

async fn main_s_task_error_is_shown() -> Result<()> {
    let task = TaskOptions::new().name("cat");
    task.spawn(main_fails()).join().await
}

async fn main_exits() -> Result<()> {
    std::process::exit(42)
}

async fn a_task_panics() -> Result<()> {
    let task = spawn(async {
        assert!(current_task().is_daemon(), "this is the panic");
        Ok(())
    });
    task.wait().await?;
    say("nobody goes on after it");
    Ok(())
}

async fn run_in_a_task() -> Result<()> {
    curio::run(main_is_well())
}

/// Says when it is told to end, and when it does, which takes a few passes.
async fn ends_slowly(name: &'static str) -> Result<()> {
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    say(&format!("{name} is told"));
    sleep(ms(5)).await?;
    yield_now().await?;
    say(&format!("{name} ends"));
    Err(error)
}

async fn the_rest_is_cancelled_newest_first() -> Result<()> {
    for name in ["first", "second", "third"] {
        let daemon = name == "second";
        let task = TaskOptions::new().daemon(daemon);
        drop(task.spawn(ends_slowly(name)));
    }
    yield_now().await?;
    say("main ends");
    Ok(())
}

async fn the_rest_is_cancelled_if_main_fails() -> Result<()> {
    drop(spawn(ends_slowly("child")));
    yield_now().await?;
    Err(Error::other("the cat is out"))
}

async fn tasks_spawned_while_ending_are_cancelled_too() -> Result<()> {
    drop(spawn(async {
        sleep_until_told().await;
        drop(spawn(ends_slowly("late")));
        yield_now().await?;
        say("early ends");
        Ok(())
    }));
    yield_now().await?;
    Ok(())
}

async fn a_task_that_goes_on_is_waited_for() -> Result<()> {
    drop(spawn(async {
        sleep_until_told().await;
        // Nobody asks twice.
        for n in 0..3 {
            sleep(ms(5)).await?;
            say(&format!("still here {n}"));
        }
        Ok(())
    }));
    yield_now().await
}

/// Says when it is dropped.
struct Says(&'static str);

impl Drop for Says {
    fn drop(&mut self) {
        say(self.0);
    }
}

async fn a_task_without_a_trap_is_dropped_at_the_end() -> Result<()> {
    drop(spawn(async {
        let _says = Says("dropped");
        future::pending::<()>().await;
        Ok(())
    }));
    yield_now().await?;
    say("main ends");
    Ok(())
}

async fn those_cancelled_at_the_end_know_it() -> Result<()> {
    drop(spawn(async {
        assert!(!current_task().is_cancelled());
        sleep_until_told().await;
        assert!(current_task().is_cancelled());
        say("it knows");
        Ok(())
    }));
    yield_now().await
}

async fn an_error_that_nobody_joins_is_told() -> Result<()> {
    drop(spawn(main_fails()));
    let waited_for = TaskOptions::new().name("waited for");
    waited_for.spawn(main_fails()).wait().await?;
    Ok(())
}

async fn an_error_that_was_joined_is_not_told() -> Result<()> {
    let error = fails(spawn(main_fails()).join().await);
    assert!(matches!(error, Error::Task(_)));
    Ok(())
}

async fn an_error_at_the_end_is_told() -> Result<()> {
    drop(spawn(async {
        sleep_until_told().await;
        Err::<(), _>(Error::other("the dog too"))
    }));
    yield_now().await
}

async fn a_cancellation_is_not_told() -> Result<()> {
    drop(spawn(sleep(ms(1_000_000))));
    drop(spawn(curio::timeout_after(ms(1), sleep(ms(1_000_000)))));
    sleep(ms(5)).await?;
    Ok(())
}
