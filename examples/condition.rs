//! A producer and a consumer with a condition between them, from curio's manual.
//!
//! ```text
//! curio-host condition.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use curio::sync::Condition;
use curio::{Result, sleep, spawn};

/// Items, and what guards them.
#[derive(Default)]
struct Shelf {
    condition: Condition,
    items: RefCell<VecDeque<Option<u32>>>,
}

async fn consumer(shelf: Rc<Shelf>) -> Result<()> {
    loop {
        let guard = shelf.condition.lock().await?;
        let filled = || !shelf.items.borrow().is_empty();
        let guard = shelf.condition.wait_for(guard, filled).await?;
        let item = shelf.items.borrow_mut().pop_front().flatten();
        drop(guard);
        let Some(item) = item else {
            println!("Consumer done");
            return Ok(());
        };
        println!("Got {item}");
    }
}

async fn producer(shelf: Rc<Shelf>) -> Result<()> {
    for item in (0..5).map(Some).chain([None]) {
        let guard = shelf.condition.lock().await?;
        shelf.items.borrow_mut().push_back(item);
        shelf.condition.notify(1)?;
        drop(guard);
        sleep(Duration::from_millis(5)).await?;
    }
    println!("Producer done");
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let shelf = Rc::new(Shelf::default());
    let tasks = [spawn(producer(shelf.clone())), spawn(consumer(shelf))];
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}
