//! `TASKS SLEEPS`: each task sleeps so often, for 1 to 50 milliseconds. Prints for each sleep by how many
//! nanoseconds it was too long.
#![expect(clippy::print_stdout, reason = "it says what it measured")]

use std::time::Duration;

use curio::{Result, clock, sleep, spawn};

#[curio::main]
async fn main() -> Result<()> {
    let [tasks, sleeps] = bench_guests::numbers();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            spawn(async move {
                let mut late = Vec::new();
                for n in 0..sleeps {
                    // All lengths come up, each task's in another order, no two tasks' in step.
                    let micros = 1_000 + (task * 7_919 + n * 104_729) % 49_001;
                    let length = Duration::from_micros(micros);
                    let begun = clock();
                    sleep(length).await?;
                    late.push((clock() - begun).saturating_sub(length).as_nanos());
                }
                Ok(late)
            })
        })
        .collect();
    for task in tasks {
        for late in task.join().await? {
            print!("{late} ");
        }
    }
    println!();
    Ok(())
}
