//! `TASKS BATCH`: spawns so many tasks that do nothing, a batch at a time, and joins each batch before
//! the next. Prints the nanoseconds it took.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::time::Duration;

use curio::{Result, clock, spawn};

async fn run(tasks: u64, batch: u64) -> Result<Duration> {
    let begun = clock();
    for _ in 0..tasks / batch {
        if batch == 1 {
            spawn(async { Ok(()) }).join().await?;
            continue;
        }
        let tasks: Vec<_> = (0..batch).map(|_| spawn(async { Ok(()) })).collect();
        for task in tasks {
            task.join().await?;
        }
    }
    Ok(clock() - begun)
}

#[curio::main]
async fn main() -> Result<()> {
    let [tasks, batch] = bench_guests::numbers();
    // Once for the tables to grow.
    run(batch * 2, batch).await?;
    println!("{}", run(tasks, batch).await?.as_nanos());
    Ok(())
}
