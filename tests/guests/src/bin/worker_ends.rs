//! Jobs: how they end, and in which order they are done. The second argument says where they are done.

use std::sync::atomic::{AtomicU32, Ordering};

use curio::workers::{JobErrorKind, ThreadPool};
use curio::{Error, Wait, sleep, spawn, task_group, timeout_after, yield_now};
use serde::{Deserialize, Serialize};
use test_guests::jobs::{Pool, fib, job_error, run, run_by, spin};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    a_panic_is_an_error_and_the_next_job_works
    an_exit_is_an_error_and_the_next_job_works
    an_overflow_is_an_error_and_the_next_job_works
    what_is_too_big_is_an_error
    what_can_t_be_serialised_is_an_error
    a_mebibyte_passes_both_ways
    jobs_wait_in_line
    a_timeout_ends_an_endless_job
    a_cancellation_ends_an_endless_job
    a_job_that_sleeps_is_ended
    a_job_in_line_that_is_cancelled_is_never_done
    a_pending_cancellation_comes_before_the_job
    other_tasks_go_on_meanwhile
    many_jobs_at_once
    the_pools_may_be_replaced
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn count((): ()) -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

async fn a_panic_is_an_error_and_the_next_job_works() -> curio::Result<()> {
    count(());
    assert_eq!(run(count, ()).await?, 0);
    let error = job_error(fails(
        run(|n: u32| assert_eq!(n, 1, "the cat is out"), 2).await,
    ));
    assert_eq!(error.kind(), JobErrorKind::Panicked);
    let text = error.to_string();
    assert!(text.starts_with("the job panicked: panicked at "), "{text}");
    assert!(
        text.contains("worker_ends.rs:") && text.contains("the cat is out"),
        "{text}"
    );
    assert_eq!(run(count, ()).await?, 0, "it is another worker");
    Ok(())
}

async fn an_exit_is_an_error_and_the_next_job_works() -> curio::Result<()> {
    let error = job_error(fails(run(|()| -> () { std::process::exit(3) }, ()).await));
    assert_eq!(error.kind(), JobErrorKind::Exited);
    assert!(
        error
            .to_string()
            .starts_with("the job ended its worker: exited with status "),
        "{error}"
    );
    assert_eq!(run(fib, 10).await?, 55);
    Ok(())
}

async fn an_overflow_is_an_error_and_the_next_job_works() -> curio::Result<()> {
    #[expect(unconditional_recursion, reason = "that is the point")]
    fn deeper(n: u64) -> u64 {
        std::hint::black_box(deeper(std::hint::black_box(n) + 1)) + 1
    }
    let error = job_error(fails(run(deeper, 0).await));
    assert_eq!(error.kind(), JobErrorKind::Faulted);
    assert!(
        error.to_string().contains("call stack exhausted"),
        "{error}"
    );
    assert_eq!(run(fib, 10).await?, 55);
    Ok(())
}

async fn what_is_too_big_is_an_error() -> curio::Result<()> {
    let error = fails(run(|bytes: String| bytes.len(), "x".repeat(17 << 20)).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(error.to_string().contains("at most"), "{error}");
    let error = job_error(fails(run(|n: usize| "x".repeat(n), 17 << 20).await));
    assert_eq!(error.kind(), JobErrorKind::Failed);
    assert!(error.to_string().contains("at most"), "{error}");
    assert_eq!(
        run(|n: usize| "x".repeat(n), 16_000_000).await?.len(),
        16_000_000
    );
    Ok(())
}

/// Something that can be read, and not written.
#[derive(Debug)]
struct Unwritten;

impl Serialize for Unwritten {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not this"))
    }
}

impl<'de> Deserialize<'de> for Unwritten {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("nor back"))
    }
}

async fn what_can_t_be_serialised_is_an_error() -> curio::Result<()> {
    let error = fails(run(drop::<Unwritten>, Unwritten).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let error = job_error(fails(run(|()| Unwritten, ()).await));
    assert_eq!(error.kind(), JobErrorKind::Failed);
    Ok(())
}

async fn a_mebibyte_passes_both_ways() -> curio::Result<()> {
    let bytes: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
    let reversed = run(
        |bytes: Vec<u8>| bytes.into_iter().rev().collect::<Vec<u8>>(),
        bytes.clone(),
    );
    assert!(reversed.await?.into_iter().rev().eq(bytes));
    Ok(())
}

async fn jobs_wait_in_line() -> curio::Result<()> {
    let pool = Pool::new(1);
    let notes = Notes::new();
    let group = task_group(Wait::All, async |group| {
        for n in 0..5_u64 {
            let (pool, notes) = (pool.clone(), notes.clone());
            group.spawn(async move {
                // The first ones take longest.
                let nth = run_by(
                    &pool,
                    |time: u64| async move { sleep(ms(time)).await.map(|_| count(())) },
                    10 - 2 * n,
                );
                notes.add(format!("{n} was {}", nth.await?));
                Ok(())
            });
        }
        Ok(())
    });
    group.await?;
    notes.are((0..5).map(|n| format!("{n} was {n}")));
    Ok(())
}

async fn a_timeout_ends_an_endless_job() -> curio::Result<()> {
    let pool = Pool::new(1);
    for _ in 0..3 {
        let error = fails(timeout_after(ms(10), run_by(&pool, spin, ())).await);
        assert!(error.is_timeout(), "{error}");
        assert_eq!(run_by(&pool, fib, 10).await?, 55, "its place is free");
    }
    Ok(())
}

async fn a_cancellation_ends_an_endless_job() -> curio::Result<()> {
    let pool = Pool::new(1);
    let endless = {
        let pool = pool.clone();
        spawn(async move { run_by(&pool, spin, ()).await })
    };
    sleep(ms(10)).await?;
    assert!(endless.cancel().await?);
    assert!(
        endless
            .exception()?
            .is_some_and(|error| error.is_cancellation())
    );
    assert_eq!(run_by(&pool, fib, 10).await?, 55);
    Ok(())
}

async fn a_job_that_sleeps_is_ended() -> curio::Result<()> {
    let pool = Pool::new(1);
    let long = |()| async { sleep(ms(1_000_000)).await.map(drop) };
    let error = fails(timeout_after(ms(10), run_by(&pool, long, ())).await);
    assert!(error.is_timeout(), "{error}");
    let std_sleep = |()| std::thread::sleep(ms(1_000_000));
    let error = fails(timeout_after(ms(10), run_by(&pool, std_sleep, ())).await);
    assert!(error.is_timeout(), "{error}");
    assert_eq!(run_by(&pool, fib, 10).await?, 55);
    Ok(())
}

async fn a_job_in_line_that_is_cancelled_is_never_done() -> curio::Result<()> {
    let pool = Pool::new(1);
    let first = {
        let pool = pool.clone();
        spawn(async move {
            run_by(
                &pool,
                |()| async { sleep(ms(20)).await.map(|_| count(())) },
                (),
            )
            .await
        })
    };
    let second = {
        let pool = pool.clone();
        spawn(async move { run_by(&pool, count, ()).await })
    };
    yield_now().await?;
    second.cancel().await?;
    assert_eq!(first.join().await?, 0);
    assert_eq!(run_by(&pool, count, ()).await?, 1);
    Ok(())
}

async fn a_pending_cancellation_comes_before_the_job() -> curio::Result<()> {
    curio::set_cancellation(Some(Error::TaskCancelled));
    let error = fails(run(count, ()).await);
    assert!(error.is_cancellation(), "{error}");
    assert_eq!(run(count, ()).await?, 0);
    Ok(())
}

async fn other_tasks_go_on_meanwhile() -> curio::Result<()> {
    let busy = spawn(run(fib, 27));
    let mut passes = 0;
    while !busy.is_terminated() {
        sleep(ms(1)).await?;
        passes += 1;
    }
    assert_eq!(busy.join().await?, 196_418);
    assert!(passes > 0);
    Ok(())
}

async fn many_jobs_at_once() -> curio::Result<()> {
    let mut tasks = Vec::new();
    for n in 0..500_u64 {
        tasks.push(spawn(run(|n: u64| n * n, n)));
    }
    for (n, task) in (0_u64..).zip(tasks) {
        assert_eq!(task.join().await?, n * n);
    }
    Ok(())
}

async fn the_pools_may_be_replaced() -> curio::Result<()> {
    curio::workers::set_blocking_executor(&ThreadPool::new(1));
    curio::workers::set_cpu_executor(&ThreadPool::new(1));
    let jobs: Vec<_> = (0..3)
        .map(|_| spawn(async { curio::run_in_process(count, ()).await }))
        .collect();
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.join().await?, n);
    }
    assert_eq!(curio::run_in_thread(count, ()).await?, 3);
    Ok(())
}
