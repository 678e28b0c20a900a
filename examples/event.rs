//! Tasks that wait for an event, from curio's manual.
//!
//! ```text
//! curio-host event.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::rc::Rc;
use std::time::Duration;

use curio::sync::Event;
use curio::{Result, sleep, spawn};

async fn waiter(event: Rc<Event>, n: u32) -> Result<()> {
    println!("Waiter {n} waits");
    event.wait().await?;
    println!("Waiter {n} goes on");
    Ok(())
}

async fn setter(event: Rc<Event>) -> Result<()> {
    sleep(Duration::from_millis(50)).await?;
    println!("Setting the event");
    event.set();
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let event = Rc::new(Event::new());
    let waiters = [1, 2].map(|n| spawn(waiter(event.clone(), n)));
    spawn(setter(event)).join().await?;
    for waiter in waiters {
        waiter.join().await?;
    }
    Ok(())
}
