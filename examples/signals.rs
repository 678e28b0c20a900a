//! Prints the signals that come, and ends when SIGTERM does.
//!
//! ```text
//! curio-host --allow-signal=USR1,HUP,TERM signals.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use curio::signal::{Signal, SignalEvent, SignalSet};
use curio::{Result, sleep, spawn};

async fn print_signals() -> Result<()> {
    let set = SignalSet::new([Signal::USR1, Signal::HUP])?;
    let _watching = set.watch()?;
    println!("Watching {:?}", set.signals());
    loop {
        let signal = set.wait().await?;
        println!("Got signal {signal}");
        // What comes meanwhile is queued.
        sleep(Duration::from_millis(10)).await?;
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let goodbye = SignalEvent::new([Signal::TERM])?;
    let printer = spawn(print_signals());
    goodbye.wait().await?;
    printer.cancel().await?;
    println!("Goodbye");
    Ok(())
}
