//! Spawning: who runs when, and what is known of a task.

use std::cell::OnceCell;
use std::future;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use curio::traps::{SchedFifo, wait_on_queue};
use curio::{Result, TaskOptions, TaskRef, TaskState, current_task, sleep, spawn, yield_now};
use test_guests::{Notes, ms};

test_guests::cases! {
    the_spawner_goes_on
    passes_are_first_in_first_out
    what_is_made_ready_in_a_pass_runs_in_the_next
    a_task_is_named_after_its_function
    a_task_may_be_given_a_name
    a_daemon_is_known_as_one
    serials_count_the_tasks
    each_task_is_the_current_one_while_it_runs
    the_place_of_spawning_is_known
    states_follow_the_task_s_life
    states_name_what_a_task_waits_for
    the_rest_of_a_pass_is_ready
    a_reader_s_state_is_read_wait
    cycles_count_resumptions
    a_task_whose_handle_is_dropped_goes_on
    a_hundred_thousand_tasks_fit
}

async fn the_spawner_goes_on() -> Result<()> {
    let notes = Notes::new();
    let child = |n: u32| {
        let notes = notes.clone();
        async move {
            notes.add(n);
            sleep(ms(0)).await?;
            notes.add(n * 10);
            Ok(())
        }
    };
    let first = spawn(child(1));
    notes.add("p1");
    let second = spawn(child(2));
    notes.add("parent");
    first.join().await?;
    second.join().await?;
    notes.are(["p1", "parent", "1", "2", "10", "20"]);
    Ok(())
}

async fn passes_are_first_in_first_out() -> Result<()> {
    let notes = Notes::new();
    let tasks: Vec<_> = (0..5)
        .map(|n| {
            let notes = notes.clone();
            spawn(async move {
                for pass in 0..4 {
                    notes.add(10 * pass + n);
                    yield_now().await?;
                }
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.join().await?;
    }
    notes.are((0..4).flat_map(|pass| (0..5).map(move |n| 10 * pass + n)));
    Ok(())
}

async fn what_is_made_ready_in_a_pass_runs_in_the_next() -> Result<()> {
    let notes = Notes::new();
    let (inner, outer) = (notes.clone(), notes.clone());
    let first = spawn(async move {
        let child = spawn(async move {
            inner.add("child");
            Ok(())
        });
        child.join().await
    });
    let second = spawn(async move {
        outer.add("second");
        Ok(())
    });
    first.join().await?;
    second.join().await?;
    notes.are(["second", "child"]);
    Ok(())
}

async fn function() -> Result<()> {
    yield_now().await
}

async fn a_task_is_named_after_its_function() -> Result<()> {
    assert_eq!(spawn(function()).name(), "task_spawn::function");
    let block = spawn(async { Ok(()) });
    let here = "task_spawn::a_task_is_named_after_its_function";
    assert_eq!(block.name(), here);
    assert_eq!(current_task().name(), "main");
    Ok(())
}

async fn a_task_may_be_given_a_name() -> Result<()> {
    let task = TaskOptions::new().name("worker 1").spawn(async {
        assert_eq!(current_task().name(), "worker 1");
        Ok(())
    });
    assert_eq!(task.name(), "worker 1");
    task.join().await?;
    assert_eq!(task.name(), "worker 1");
    Ok(())
}

async fn a_daemon_is_known_as_one() -> Result<()> {
    let task = TaskOptions::new().daemon(true).spawn(function());
    assert!(task.is_daemon());
    let task = spawn(function());
    assert!(!task.is_daemon());
    task.set_daemon(true);
    assert!(task.is_daemon());
    // Nothing waits for its end.
    drop(TaskOptions::new().daemon(true).spawn(sleep(ms(1_000_000))));
    Ok(())
}

async fn serials_count_the_tasks() -> Result<()> {
    assert_eq!(current_task().id().serial(), 1);
    let first = spawn(function());
    assert_eq!(first.id().serial(), 2);
    assert_eq!(first.id().to_string(), "2");
    first.join().await?;
    // The kernel uses its place again; the number is not.
    let second = spawn(function());
    assert_eq!(second.id().serial(), 3);
    assert_ne!(first.id(), second.id());
    assert!(first.id() < second.id());
    second.join().await
}

async fn each_task_is_the_current_one_while_it_runs() -> Result<()> {
    let child = spawn(async {
        let before = current_task().id();
        yield_now().await?;
        assert_eq!(current_task().id(), before);
        Ok(before)
    });
    let main = current_task().id();
    assert_eq!(child.join().await?, child.id());
    assert_eq!(current_task().id(), main);
    assert_ne!(main, child.id());
    Ok(())
}

async fn the_place_of_spawning_is_known() -> Result<()> {
    let line = line!() + 1;
    let task = spawn(function());
    assert_eq!(task.spawned_at().line(), line);
    assert!(task.spawned_at().file().ends_with("task_spawn.rs"));
    Ok(())
}

async fn states_follow_the_task_s_life() -> Result<()> {
    let task = spawn(async {
        assert_eq!(current_task().state(), TaskState::Running);
        yield_now().await?;
        sleep(ms(1)).await
    });
    assert_eq!(task.state(), TaskState::Initial);
    assert_eq!(task.state().to_string(), "initial");
    yield_now().await?;
    assert_eq!(task.state(), TaskState::Ready);
    assert_eq!(task.state().to_string(), "ready");
    yield_now().await?;
    assert_eq!(task.state().to_string(), "sleep");
    assert_eq!(current_task().state().to_string(), "running");
    task.join().await?;
    assert_eq!(task.state(), TaskState::Terminated);
    assert_eq!(task.state().to_string(), "terminated");
    Ok(())
}

async fn states_name_what_a_task_waits_for() -> Result<()> {
    let queue = Rc::new(SchedFifo::new());
    let on_queue = queue.clone();
    let sleeper = spawn(sleep(ms(1_000_000)));
    let other = sleeper.any().clone();
    let joiner = spawn(async move { other.wait().await });
    let waiter = spawn(async move { wait_on_queue(&on_queue, "tea-break").await });
    let foreign = spawn(future::pending::<Result<()>>());
    yield_now().await?;
    let state = |name: &str| TaskState::Blocked(name.to_owned());
    assert_eq!(sleeper.state(), state("sleep"));
    assert_eq!(joiner.state(), state("join"));
    assert_eq!(waiter.state(), state("tea-break"));
    assert_eq!(foreign.state(), state("waker-wait"));
    Ok(())
}

async fn the_rest_of_a_pass_is_ready() -> Result<()> {
    let second: Rc<OnceCell<TaskRef>> = Rc::default();
    let seen = second.clone();
    let first = spawn(async move {
        let state = || seen.get().map(TaskRef::state);
        assert_eq!(state(), Some(TaskState::Initial));
        yield_now().await?;
        assert_eq!(state(), Some(TaskState::Ready));
        Ok(())
    });
    let last = spawn(async {
        yield_now().await?;
        yield_now().await
    });
    drop(second.set(last.any().clone()));
    first.join().await?;
    last.join().await
}

async fn a_reader_s_state_is_read_wait() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = curio::tcp_server_socket(address)?;
    let reader = spawn(async move { socket.accept().await });
    yield_now().await?;
    assert_eq!(reader.state().to_string(), "read-wait");
    Ok(())
}

async fn cycles_count_resumptions() -> Result<()> {
    let task = spawn(async {
        assert_eq!(current_task().cycles(), 1);
        for _ in 0..3 {
            yield_now().await?;
        }
        // These do not block.
        curio::clock();
        drop(spawn(function()));
        assert_eq!(current_task().cycles(), 4);
        Ok(())
    });
    assert_eq!(task.cycles(), 0);
    task.join().await?;
    assert_eq!(task.cycles(), 4);
    Ok(())
}

async fn a_task_whose_handle_is_dropped_goes_on() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let daemon = TaskOptions::new().daemon(true);
    drop(daemon.spawn(async move {
        yield_now().await?;
        inner.add("done");
        Ok(())
    }));
    for _ in 0..3 {
        yield_now().await?;
    }
    notes.are(["done"]);
    Ok(())
}

async fn a_hundred_thousand_tasks_fit() -> Result<()> {
    let tasks: Vec<_> = (0..100_000_u64)
        .map(|n| {
            spawn(async move {
                yield_now().await?;
                Ok(n)
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.join().await?;
    }
    assert_eq!(sum, 4_999_950_000);
    Ok(())
}
