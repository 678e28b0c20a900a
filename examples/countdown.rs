//! Tasks, sleep, cancellation and timeouts: the beginning of curio's tutorial.
//!
//! ```text
//! curio-host countdown.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use curio::{Error, Result, sleep, spawn, timeout_after};

/// Curio's seconds are shortened, so that nobody has to wait.
const SECOND: Duration = Duration::from_millis(100);

async fn countdown(n: u32) -> Result<()> {
    for n in (1..=n).rev() {
        println!("T-minus {n}");
        sleep(SECOND).await?;
    }
    Ok(())
}

async fn kid() -> Result<()> {
    println!("Building the Millennium Falcon in Minecraft");
    match sleep(1000 * SECOND).await {
        Err(Error::TaskCancelled) => {
            println!("Fine. Saving my work.");
            // Cleanup may block: the cancellation was delivered, and comes once.
            sleep(SECOND).await?;
            Err(Error::TaskCancelled)
        }
        result => result.map(drop),
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let kid_task = spawn(kid());
    let count_task = spawn(countdown(3));
    count_task.join().await?;

    println!("Are we done yet?");
    if let Err(Error::TaskTimeout(_)) = timeout_after(SECOND, kid_task.wait()).await {
        println!("We've got to go!");
        kid_task.cancel().await?;
    }
    println!("Leaving!");
    Ok(())
}
