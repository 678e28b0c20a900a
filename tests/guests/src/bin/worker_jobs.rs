//! Jobs: what they may be, and who does them. The second argument says where they are done.

use std::error::Error as _;
use std::sync::atomic::{AtomicU32, Ordering};

use curio::workers::JobErrorKind;
use curio::{Error, sleep, spawn, yield_now};
use serde::{Deserialize, Serialize};
use test_guests::jobs::{fib, job_error, run};
use test_guests::{fails, ms, sleep_until_told};

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
    if n.is_multiple_of(2) {
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

async fn fails_in_a_task((): ()) -> curio::Result<()> {
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
    async fn leave((): ()) -> curio::Result<()> {
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

fn count((): ()) -> u32 {
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
