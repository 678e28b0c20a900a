//! `TASKS YIELDS`: each task yields so often. Prints the nanoseconds it took.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::time::Duration;

use curio::{Result, clock, spawn, yield_now};

async fn run(tasks: u64, yields: u64) -> Result<Duration> {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            spawn(async move {
                for _ in 0..yields {
                    yield_now().await?;
                }
                Ok(())
            })
        })
        .collect();
    let begun = clock();
    for task in tasks {
        task.join().await?;
    }
    Ok(clock() - begun)
}

#[curio::main]
async fn main() -> Result<()> {
    let [tasks, yields] = bench_guests::numbers();
    // Once for the tables to grow.
    run(tasks, 2).await?;
    println!("{}", run(tasks, yields).await?.as_nanos());
    Ok(())
}
