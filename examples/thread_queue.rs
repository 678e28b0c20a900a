//! A task that puts items in a queue, and an ordinary function on another thread that takes them out: the example of
//! threads in curio's README.
//!
//! ```text
//! curio-host thread_queue.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use curio::queue::UniversalQueue;
use curio::thread::{AWAIT, spawn_thread};
use curio::{Result, sleep, spawn};

#[expect(
    clippy::needless_pass_by_value,
    reason = "what a function on another thread is given, it owns"
)]
fn consumer(queue: UniversalQueue<Option<u32>>) -> Result<()> {
    while let Some(item) = AWAIT(queue.get())? {
        println!("Got: {item}");
    }
    Ok(())
}

async fn producer(n: u32, queue: UniversalQueue<Option<u32>>) -> Result<()> {
    for x in 0..n {
        queue.put(Some(x)).await?;
        sleep(Duration::from_millis(100)).await?;
    }
    queue.put(None).await
}

#[curio::main]
async fn main() -> Result<()> {
    let queue = UniversalQueue::new()?;
    let thread = spawn_thread(consumer, queue.clone());
    let producer = spawn(producer(10, queue));
    producer.join().await?;
    thread.join().await
}
