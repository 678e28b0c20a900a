//! `WHAT`: 0 ticks every 5 ms while eight endless jobs compute, four on threads and four in processes, and prints by how
//! many nanoseconds the latest tick was late. 1 ends endless jobs on threads, and prints how many nanoseconds after that
//! another one was done in the only place of the pool, the median and the longest; 2 does the same with processes.
#![expect(clippy::print_stdout, reason = "it says how late it was")]

use std::time::Duration;

use curio::workers::{ProcessPool, ThreadPool, set_blocking_executor, set_cpu_executor};
use curio::{Result, clock, run_in_process, run_in_thread, sleep, spawn, timeout_after};

const TICK: Duration = Duration::from_millis(5);

fn spin((): ()) {
    loop {
        std::hint::spin_loop();
    }
}

async fn latest_tick() -> Result<Duration> {
    set_cpu_executor(&ProcessPool::new(4));
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(spawn(run_in_thread(spin, ())));
        jobs.push(spawn(run_in_process(spin, ())));
    }
    // They are to have begun.
    sleep(Duration::from_millis(300)).await?;
    let mut latest = Duration::ZERO;
    for _ in 0..600 {
        let due = clock() + TICK;
        let woken = sleep(TICK).await?;
        latest = latest.max(woken.since(due));
    }
    for job in jobs {
        job.cancel().await?;
    }
    Ok(latest)
}

async fn stops(place: u64) -> Result<(Duration, Duration)> {
    set_blocking_executor(&ThreadPool::new(1));
    set_cpu_executor(&ProcessPool::new(1));
    let mut times = Vec::new();
    for _ in 0..100 {
        let end = clock() + TICK;
        let stopped = if place == 1 {
            timeout_after(TICK, run_in_thread(spin, ())).await
        } else {
            timeout_after(TICK, run_in_process(spin, ())).await
        };
        assert!(stopped.is_err_and(|error| error.is_timeout()));
        times.push(clock().since(end));
    }
    times.sort_unstable();
    Ok((times[times.len() / 2], times[times.len() - 1]))
}

#[curio::main]
async fn main() -> Result<()> {
    let [what] = bench_guests::numbers();
    if what == 0 {
        println!("{}", latest_tick().await?.as_nanos());
    } else {
        let (median, longest) = stops(what).await?;
        println!("{} {}", median.as_nanos(), longest.as_nanos());
    }
    Ok(())
}
