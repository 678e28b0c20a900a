//! `PLACE JOBS N`: has so many jobs done one after the other, on a thread (0) or in a process (1): each computes
//! `fib(N)`. Prints the nanoseconds that took.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::time::Duration;

use curio::{Result, clock, run_in_process, run_in_thread};

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

async fn run(place: u64, jobs: u64, n: u64) -> Result<Duration> {
    let begun = clock();
    for _ in 0..jobs {
        if place == 0 {
            run_in_thread(fib, n).await?;
        } else {
            run_in_process(fib, n).await?;
        }
    }
    Ok(clock() - begun)
}

#[curio::main]
async fn main() -> Result<()> {
    let [place, jobs, n] = bench_guests::numbers();
    // Once for the worker to start.
    run(place, 1, 1).await?;
    println!("{}", run(place, jobs, n).await?.as_nanos());
    Ok(())
}
