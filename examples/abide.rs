//! A task and a thread that synchronise by one lock, and tasks that do so by a lock of their own: the example of `abide` in
//! curio's manual.
//!
//! ```text
//! curio-host abide.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use curio::sync::{Lock, SharedLock, UniversalEvent};
use curio::thread::{AWAIT, spawn_thread};
use curio::{Abide, Result, abide, abide_with};

/// A task. It works with any lock.
async fn child(lock: &impl Abide) -> Result<()> {
    let _guard = abide_with(lock).await?;
    println!("Child has the lock");
    Ok(())
}

/// A thread.
fn parent((lock, taken): (SharedLock, UniversalEvent)) -> Result<()> {
    let guard = AWAIT(abide_with(&lock))?;
    println!("Parent has the lock");
    taken.set()?;
    std::thread::sleep(Duration::from_millis(100));
    println!("Parent releases the lock");
    drop(guard);
    Ok(())
}

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

async fn nap(milliseconds: u64) -> Result<()> {
    curio::sleep(Duration::from_millis(milliseconds)).await?;
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let (lock, taken) = (SharedLock::new()?, UniversalEvent::new()?);
    let thread = spawn_thread(parent, (lock.clone(), taken.clone()));
    taken.wait().await?;
    child(&lock).await?;
    thread.join().await?;

    child(&Lock::new()).await?;

    // What computes is called on another thread; what awaits is called here.
    println!("fib(20) is {}", abide(fib, 20).await?);
    abide(nap, 10).await?;
    println!("Good morning");
    Ok(())
}
