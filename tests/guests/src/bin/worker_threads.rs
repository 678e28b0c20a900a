//! Async threads: synchronous code that awaits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use curio::thread::{AWAIT, async_thread, is_synchronous, spawn_thread};
use curio::workers::{JobErrorKind, ThreadPool};
use curio::{Error, Wait, sleep, spawn, task_group, timeout_after, yield_now};
use test_guests::{fails, ms, sleep_until_told};

test_guests::cases! {
    a_function_may_await
    what_is_awaited_may_be_borrowed
    it_is_a_task_that_can_be_joined
    its_error_is_told_to_who_joins
    tasks_that_it_spawns_go_on_while_it_awaits
    a_group_in_it_is_waited_for
    timeouts_work_in_it
    it_is_cancelled_where_it_awaits
    it_is_cancelled_at_its_next_await
    it_may_clean_up
    a_cancellation_is_told_once
    a_value_in_spite_of_a_cancellation_counts
    a_timeout_around_it_is_told_to_it
    what_was_told_to_one_is_not_told_to_the_next
    a_future_of_another_crate_ends_it
    async_thread_returns_what_the_function_returns
    it_has_no_place_in_the_pool
    it_is_named_after_its_function
    synchronous_code_knows_what_it_is
    a_job_may_await_too
    an_async_function_may_be_one
    it_may_be_spawned_in_a_group
    it_may_open_files
    awaiting_in_a_task_is_a_panic
}

const LONG: Duration = Duration::from_secs(1000);

fn nap(times: u32) -> curio::Result<u32> {
    for _ in 0..times {
        AWAIT(sleep(ms(1)))?;
    }
    Ok(times)
}

async fn a_function_may_await() -> curio::Result<()> {
    assert_eq!(spawn_thread(nap, 3).join().await?, 3);
    Ok(())
}

async fn what_is_awaited_may_be_borrowed() -> curio::Result<()> {
    fn borrow(text: String) -> curio::Result<usize> {
        let queue = curio::queue::Queue::new();
        AWAIT(queue.put(text.as_str()))?;
        let got = AWAIT(queue.get())?.len();
        drop(queue);
        drop(text);
        Ok(got)
    }
    assert_eq!(async_thread(borrow, "abc".to_owned()).await?, 3);
    Ok(())
}

async fn it_is_a_task_that_can_be_joined() -> curio::Result<()> {
    let thread = spawn_thread(nap, 1);
    assert!(!thread.is_terminated());
    thread.wait().await?;
    assert!(thread.is_terminated());
    assert_eq!(thread.result()?, 1);
    assert!(thread.exception()?.is_none());
    Ok(())
}

async fn its_error_is_told_to_who_joins() -> curio::Result<()> {
    let thread = spawn_thread(|()| Err::<(), _>(Error::other("the cat is out")), ());
    let error = fails(thread.join().await);
    assert!(error.to_string().contains("the cat is out"), "{error}");
    assert!(matches!(error, Error::Task(_)));
    Ok(())
}

static TICKS: AtomicU32 = AtomicU32::new(0);

async fn tasks_that_it_spawns_go_on_while_it_awaits() -> curio::Result<()> {
    fn ticking(_: ()) -> curio::Result<bool> {
        let ticker: curio::Task<()> = AWAIT(async {
            spawn(async {
                loop {
                    TICKS.fetch_add(1, Ordering::Relaxed);
                    sleep(ms(1)).await?;
                }
            })
        });
        AWAIT(sleep(ms(20)))?;
        let before = TICKS.load(Ordering::Relaxed);
        AWAIT(ticker.cancel())?;
        AWAIT(sleep(ms(5)))?;
        Ok(before > 1 && TICKS.load(Ordering::Relaxed) == before)
    }
    assert!(async_thread(ticking, ()).await?);
    Ok(())
}

async fn a_group_in_it_is_waited_for() -> curio::Result<()> {
    fn sum(n: u32) -> curio::Result<u32> {
        AWAIT(async {
            let mut tasks = Vec::new();
            for n in 0..n {
                tasks.push(spawn(async move { sleep(ms(1)).await.map(|_| n) }));
            }
            let mut sum = 0;
            for task in tasks {
                sum += task.join().await?;
            }
            Ok(sum)
        })
    }
    assert_eq!(async_thread(sum, 10).await?, 45);
    Ok(())
}

async fn timeouts_work_in_it() -> curio::Result<()> {
    fn timed(_: ()) -> bool {
        let error = AWAIT(timeout_after(ms(2), sleep(LONG)));
        error.is_err_and(|error| error.is_timeout())
    }
    assert!(async_thread(timed, ()).await?);
    Ok(())
}

fn sleep_long(_: ()) -> curio::Result<()> {
    AWAIT(sleep(LONG)).map(drop)
}

async fn it_is_cancelled_where_it_awaits() -> curio::Result<()> {
    let thread = spawn_thread(sleep_long, ());
    sleep(ms(20)).await?;
    assert!(thread.cancel().await?);
    let error = thread.exception()?.expect("it was cancelled");
    assert!(matches!(*error, Error::TaskCancelled), "{error}");
    Ok(())
}

async fn it_is_cancelled_at_its_next_await() -> curio::Result<()> {
    fn busy(_: ()) -> curio::Result<u32> {
        std::thread::sleep(ms(50));
        TICKS.fetch_add(1, Ordering::Relaxed);
        AWAIT(sleep(LONG))?;
        Ok(1)
    }
    let thread = spawn_thread(busy, ());
    yield_now().await?;
    thread.cancel().await?;
    assert!(
        thread
            .exception()?
            .is_some_and(|error| error.is_cancellation())
    );
    // It came to that: the same worker, and so the same statics.
    let ticks = curio::run_in_thread(|()| TICKS.load(Ordering::Relaxed), ()).await?;
    assert_eq!(ticks, 1);
    Ok(())
}

async fn it_may_clean_up() -> curio::Result<()> {
    fn clean(_: ()) -> curio::Result<()> {
        let interrupted = AWAIT(sleep(LONG));
        AWAIT(sleep(ms(5)))?;
        TICKS.store(7, Ordering::Relaxed);
        interrupted.map(drop)
    }
    let thread = spawn_thread(clean, ());
    sleep(ms(20)).await?;
    thread.cancel().await?;
    let ticks = curio::run_in_thread(|()| TICKS.load(Ordering::Relaxed), ()).await?;
    assert_eq!(ticks, 7);
    Ok(())
}

async fn a_cancellation_is_told_once() -> curio::Result<()> {
    fn twice(_: ()) -> curio::Result<bool> {
        let first = AWAIT(sleep(LONG)).is_err_and(|error| error.is_cancellation());
        let second = AWAIT(sleep(ms(1))).is_ok();
        let third = AWAIT(async { curio::check_cancellation() })?;
        Ok(first && second && !third)
    }
    let thread = spawn_thread(twice, ());
    sleep(ms(20)).await?;
    thread.cancel().await?;
    assert!(thread.result()?);
    Ok(())
}

async fn a_value_in_spite_of_a_cancellation_counts() -> curio::Result<()> {
    fn stubborn(_: ()) -> u32 {
        let _ = AWAIT(sleep(LONG));
        42
    }
    let thread = spawn_thread(stubborn, ());
    sleep(ms(20)).await?;
    thread.cancel().await?;
    assert_eq!(thread.result()?, 42);
    Ok(())
}

async fn a_timeout_around_it_is_told_to_it() -> curio::Result<()> {
    let error = fails(timeout_after(ms(20), async_thread(sleep_long, ())).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    Ok(())
}

async fn what_was_told_to_one_is_not_told_to_the_next() -> curio::Result<()> {
    for _ in 0..100 {
        // It ends about when it is cancelled.
        let thread = spawn_thread(nap, 1);
        sleep(ms(1)).await?;
        thread.cancel().await?;
        assert_eq!(async_thread(nap, 1).await?, 1);
    }
    Ok(())
}

async fn a_future_of_another_crate_ends_it() -> curio::Result<()> {
    fn pending(_: ()) {
        AWAIT(std::future::pending::<()>());
    }
    let thread = spawn_thread(pending, ());
    sleep(ms(20)).await?;
    thread.cancel().await?;
    assert!(
        thread
            .exception()?
            .is_some_and(|error| error.is_cancellation())
    );
    Ok(())
}

async fn async_thread_returns_what_the_function_returns() -> curio::Result<()> {
    assert_eq!(async_thread(|n: u32| n + 1, 1).await?, 2);
    let error = fails(async_thread(|n: u32| assert_eq!(n, 0), 1).await);
    assert!(matches!(error, Error::Job(error) if error.kind() == JobErrorKind::Panicked));
    Ok(())
}

async fn it_has_no_place_in_the_pool() -> curio::Result<()> {
    curio::workers::set_blocking_executor(&ThreadPool::new(1));
    let threads: Vec<_> = (0..10).map(|_| spawn_thread(sleep_long, ())).collect();
    assert_eq!(curio::run_in_thread(|n: u32| n + 1, 1).await?, 2);
    for thread in threads {
        thread.cancel().await?;
    }
    Ok(())
}

async fn it_is_named_after_its_function() -> curio::Result<()> {
    let thread = spawn_thread(nap, 1);
    assert!(thread.name().ends_with("nap"), "{}", thread.name());
    thread.join().await?;
    Ok(())
}

async fn synchronous_code_knows_what_it_is() -> curio::Result<()> {
    assert!(!is_synchronous());
    assert!(async_thread(|()| is_synchronous(), ()).await?);
    assert!(!async_thread(|()| AWAIT(async { is_synchronous() }), ()).await?);
    Ok(())
}

async fn a_job_may_await_too() -> curio::Result<()> {
    assert_eq!(curio::run_in_thread(nap, 2).await?, 2);
    assert_eq!(curio::run_in_process(nap, 2).await?, 2);
    Ok(())
}

async fn an_async_function_may_be_one() -> curio::Result<()> {
    async fn until_told((): ()) -> bool {
        sleep_until_told().await.is_cancellation()
    }
    let thread = spawn_thread(until_told, ());
    sleep(ms(20)).await?;
    thread.cancel().await?;
    assert!(thread.result()?);
    Ok(())
}

async fn it_may_be_spawned_in_a_group() -> curio::Result<()> {
    let any = task_group(Wait::Any, async |group| {
        group.spawn(async_thread(sleep_long, ()));
        group.spawn(async_thread(|()| (), ()));
        Ok(())
    });
    any.await?;
    Ok(())
}

/// Needs a directory, with a file.
async fn it_may_open_files() -> curio::Result<()> {
    fn lines(path: String) -> curio::Result<usize> {
        let mut file = AWAIT(curio::aopen(path, "r"))?;
        Ok(AWAIT(file.read_lines())?.len())
    }
    assert_eq!(async_thread(lines, "data/file".to_owned()).await?, 2);
    Ok(())
}

async fn awaiting_in_a_task_is_a_panic() -> curio::Result<()> {
    fn wrong((): ()) {
        AWAIT(async { AWAIT(async {}) });
    }
    let error = fails(async_thread(wrong, ()).await);
    assert!(error.to_string().contains("use .await there"), "{error}");
    Ok(())
}
