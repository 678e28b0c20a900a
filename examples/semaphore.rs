//! Ten workers, of which two work at a time, from curio's manual.
//!
//! ```text
//! curio-host semaphore.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::rc::Rc;
use std::time::Duration;

use curio::sync::Semaphore;
use curio::{Result, sleep, spawn};

async fn worker(semaphore: Rc<Semaphore>, n: u32) -> Result<()> {
    let _place = semaphore.acquire().await?;
    println!("{n} working");
    sleep(Duration::from_millis(10)).await?;
    println!("{n} done");
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let semaphore = Rc::new(Semaphore::new(2));
    let workers: Vec<_> = (0..10)
        .map(|n| spawn(worker(semaphore.clone(), n)))
        .collect();
    for worker in workers {
        worker.join().await?;
    }
    Ok(())
}
