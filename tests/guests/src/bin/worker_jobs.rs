//! Jobs: what they may be, and how they end. The second argument says where they are done.

use std::error::Error as _;
use std::sync::atomic::{AtomicU32, Ordering};

use curio::workers::{JobError, JobErrorKind, JobOutput, ProcessPool, ThreadPool};
use curio::{Error, Wait, sleep, spawn, task_group, timeout_after, yield_now};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    a_function_is_called_with_its_argument
    a_closure_that_captures_nothing_may_be_a_job
    several_arguments_are_a_tuple
    types_of_the_program_s_own_pass
    a_result_comes_out_as_one
    an_error_keeps_its_causes
    an_error_type_of_the_program_s_own_is_a_value
    an_async_function_may_be_a_job
    a_job_may_spawn_tasks
    tasks_that_a_job_leaves_are_cancelled
    a_job_may_have_jobs_done
    a_job_sees_nothing_of_the_program_s_memory
    an_idle_worker_is_used_again
    the_last_one_that_was_busy_is_used_first
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

/// Has a job done where the test wants it.
async fn run<F, A, R, K>(function: F, argument: A) -> curio::Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    if in_process() {
        curio::run_in_process(function, argument).await
    } else {
        curio::run_in_thread(function, argument).await
    }
}

/// The same, by a pool for so many.
async fn run_by<F, A, R, K>(pool: &Pool, function: F, argument: A) -> curio::Result<R::Value>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    match pool {
        Pool::Threads(pool) => curio::run_in_executor(pool, function, argument).await,
        Pool::Processes(pool) => curio::run_in_executor(pool, function, argument).await,
    }
}

#[derive(Clone)]
enum Pool {
    Threads(ThreadPool),
    Processes(ProcessPool),
}

impl Pool {
    fn new(size: usize) -> Self {
        if in_process() {
            Self::Processes(ProcessPool::new(size))
        } else {
            Self::Threads(ThreadPool::new(size))
        }
    }
}

fn in_process() -> bool {
    std::env::args().nth(2).as_deref() == Some("process")
}

/// The error of a job that must fail.
#[track_caller]
fn job_error(error: Error) -> JobError {
    match error {
        Error::Job(error) => error,
        other => panic!("{other}"),
    }
}

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn spin(_: ()) {
    loop {
        std::hint::spin_loop();
    }
}

async fn a_function_is_called_with_its_argument() -> curio::Result<()> {
    assert_eq!(run(fib, 20).await?, 6765);
    assert_eq!(run(|()| 7_u8, ()).await?, 7);
    Ok(())
}

async fn a_closure_that_captures_nothing_may_be_a_job() -> curio::Result<()> {
    let words = |text: String| text.split(' ').count();
    assert_eq!(run(words, "a b c".to_owned()).await?, 3);
    assert_eq!(run(words, "d e".to_owned()).await?, 2);
    Ok(())
}

async fn several_arguments_are_a_tuple() -> curio::Result<()> {
    let joined = run(
        |(a, b, n): (String, String, usize)| (a + &b).repeat(n),
        ("a".to_owned(), "b".to_owned(), 2),
    );
    assert_eq!(joined.await?, "abab");
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    name: Option<String>,
}

async fn types_of_the_program_s_own_pass() -> curio::Result<()> {
    let point = Point {
        x: 1.5,
        name: Some("a".to_owned()),
    };
    let doubled = run(
        |point: Point| {
            vec![
                Point {
                    x: point.x * 2.0,
                    name: None,
                },
                point,
            ]
        },
        point,
    )
    .await?;
    assert_eq!(doubled[0], Point { x: 3.0, name: None });
    assert_eq!(doubled[1].name.as_deref(), Some("a"));
    Ok(())
}

fn half(n: u32) -> curio::Result<u32> {
    if n % 2 == 0 {
        Ok(n / 2)
    } else {
        Err(Error::other(format!("{n} is odd")))
    }
}

async fn a_result_comes_out_as_one() -> curio::Result<()> {
    assert_eq!(run(half, 8).await?, 4);
    let error = job_error(fails(run(half, 7).await));
    assert_eq!(error.kind(), JobErrorKind::Failed);
    assert_eq!(error.to_string(), "the job failed: 7 is odd");
    Ok(())
}

async fn fails_in_a_task(_: ()) -> curio::Result<()> {
    spawn(async { half(3) }).join().await.map(drop)
}

async fn an_error_keeps_its_causes() -> curio::Result<()> {
    let error = job_error(fails(run(fails_in_a_task, ()).await));
    assert!(
        error.to_string().starts_with("the job failed: task "),
        "{error}"
    );
    let cause = error.source().expect("it has a cause");
    assert_eq!(cause.to_string(), "3 is odd");
    assert!(cause.source().is_none());
    assert!(!Error::from(error).is_cancellation());
    Ok(())
}

async fn an_error_type_of_the_program_s_own_is_a_value() -> curio::Result<()> {
    let parse = |text: String| text.parse::<u32>().map_err(|error| error.to_string());
    assert_eq!(run(parse, "12".to_owned()).await?, Ok(12));
    assert_eq!(
        run(parse, "x".to_owned()).await?,
        Err("invalid digit found in string".to_owned())
    );
    Ok(())
}

async fn slow_double(n: u32) -> curio::Result<u32> {
    sleep(ms(2)).await?;
    Ok(2 * n)
}

async fn an_async_function_may_be_a_job() -> curio::Result<()> {
    assert_eq!(run(slow_double, 4).await?, 8);
    assert_eq!(run(|n: u32| async move { n + 1 }, 4).await?, 5);
    Ok(())
}

async fn a_job_may_spawn_tasks() -> curio::Result<()> {
    async fn sum(n: u32) -> curio::Result<u32> {
        let tasks: Vec<_> = (0..n).map(|n| spawn(slow_double(n))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.join().await?;
        }
        Ok(sum)
    }
    assert_eq!(run(sum, 100).await?, 9900);
    assert_eq!(run(sum, 10).await?, 90);
    Ok(())
}

static LEFT: AtomicU32 = AtomicU32::new(0);

async fn tasks_that_a_job_leaves_are_cancelled() -> curio::Result<()> {
    async fn leave(_: ()) -> curio::Result<()> {
        spawn(async {
            assert!(sleep_until_told().await.is_cancellation());
            LEFT.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        yield_now().await
    }
    run(leave, ()).await?;
    assert_eq!(run(|()| LEFT.load(Ordering::Relaxed), ()).await?, 1);
    Ok(())
}

async fn a_job_may_have_jobs_done() -> curio::Result<()> {
    async fn outer(n: u32) -> curio::Result<u32> {
        Ok(curio::run_in_thread(slow_double, n).await? + 1)
    }
    assert_eq!(run(outer, 5).await?, 11);
    Ok(())
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn count(_: ()) -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

async fn a_job_sees_nothing_of_the_program_s_memory() -> curio::Result<()> {
    COUNTER.store(7, Ordering::Relaxed);
    assert_eq!(run(count, ()).await?, 0);
    assert_eq!(COUNTER.load(Ordering::Relaxed), 7);
    Ok(())
}

async fn an_idle_worker_is_used_again() -> curio::Result<()> {
    for n in 0..10 {
        assert_eq!(run(count, ()).await?, n);
    }
    Ok(())
}

async fn the_last_one_that_was_busy_is_used_first() -> curio::Result<()> {
    async fn busy(time: u64) -> curio::Result<()> {
        sleep(ms(time)).await?;
        COUNTER.store(u32::try_from(time).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
    // The first time they have to be started.
    for times in [[300, 300], [2, 300]] {
        let [one, other] = times.map(|time| spawn(run(busy, time)));
        one.join().await?;
        other.join().await?;
    }
    assert_eq!(run(count, ()).await?, 300);
    assert_eq!(run(count, ()).await?, 301);
    Ok(())
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
        text.contains("worker_jobs.rs:") && text.contains("the cat is out"),
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
