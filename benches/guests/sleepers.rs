//! `TASKS MILLISECONDS`: so many tasks all sleep until one point in time, so long after the start.
//!
//! Prints `ready`, waits for somebody to look at its memory, and starts. Prints the nanoseconds until all were
//! spawned and until all slept; then, from the deadline, the nanoseconds until the last one had woken.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use curio::{Result, TaskOptions, clock, sleep, yield_now};

/// How many tasks have not ended.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// When the last one did.
static LAST: AtomicU64 = AtomicU64::new(0);

#[curio::main]
async fn main() -> Result<()> {
    let [tasks, milliseconds] = bench_guests::numbers();
    println!("ready");
    sleep(Duration::from_millis(200)).await?;
    let begun = clock();
    let deadline = begun + Duration::from_millis(milliseconds);
    LEFT.store(tasks, Ordering::Relaxed);
    for _ in 0..tasks {
        TaskOptions::new().daemon(true).spawn(async move {
            curio::traps::sleep_until(deadline).await?;
            if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
                LAST.store(clock().as_nanos(), Ordering::Relaxed);
            }
            Ok(())
        });
    }
    let spawned = clock() - begun;
    // When this one is resumed, all the others have had their first cycle.
    yield_now().await?;
    let asleep = clock() - begun;
    assert!(clock() < deadline, "some woke before all slept");
    println!("{} {}", spawned.as_nanos(), asleep.as_nanos());
    curio::traps::sleep_until(deadline).await?;
    while LEFT.load(Ordering::Relaxed) > 0 {
        yield_now().await?;
    }
    println!("{}", LAST.load(Ordering::Relaxed) - deadline.as_nanos());
    // So that there is a process left to look at.
    sleep(Duration::from_millis(200)).await?;
    Ok(())
}
