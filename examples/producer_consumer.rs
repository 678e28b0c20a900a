//! A producer and a consumer with a queue between them, from curio's manual.
//!
//! ```text
//! curio-host producer_consumer.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::rc::Rc;

use curio::queue::Queue;
use curio::{Result, TaskOptions, spawn};

async fn producer(queue: Rc<Queue<u32>>) -> Result<()> {
    for n in 0..10 {
        queue.put(n).await?;
    }
    queue.join().await?;
    println!("Producer done");
    Ok(())
}

async fn consumer(queue: Rc<Queue<u32>>) -> Result<()> {
    loop {
        let item = queue.get().await?;
        println!("Consumer got {item}");
        queue.task_done()?;
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let queue = Rc::new(Queue::new());
    let producer = spawn(producer(queue.clone()));
    let consumer = TaskOptions::new().daemon(true).spawn(consumer(queue));
    producer.join().await?;
    consumer.cancel().await?;
    Ok(())
}
