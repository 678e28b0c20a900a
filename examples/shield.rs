//! Cancellation that is to stop at something, and cancellation that is to go further: a shield of a task of its own, one
//! around a critical section, and a parent that takes its children with it. The first and the last are recipes of
//! curio's how-to.
//!
//! ```text
//! curio-host shield.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use curio::sync::Event;
use curio::{
    Error, Result, TaskOptions, Wait, disable_cancellation, sleep, spawn, task_group, yield_now,
};

const MOMENT: Duration = Duration::from_millis(20);

/// Long enough for everything here, on any machine.
const HOUR: Duration = Duration::from_hours(1);

async fn write_report(written: Rc<Event>) -> Result<()> {
    sleep(MOMENT).await?;
    println!("  the report is written");
    written.set();
    Ok(())
}

/// A cancellation reaches one task only: what another one does goes on, and its result is lost.
async fn a_task_of_its_own() -> Result<()> {
    let written = Rc::new(Event::new());
    let event = written.clone();
    let author = spawn(async move {
        // A daemon, since it may be that nobody is left to join it.
        let writing = TaskOptions::new().daemon(true).spawn(write_report(event));
        writing.join().await?;
        println!("  the author sees it, unless cancelled before");
        Ok(())
    });
    yield_now().await?;
    author.cancel().await?;
    println!("  the author is cancelled");
    written.wait().await
}

/// Moves money, over and over, and never half of it.
async fn move_money(from: Rc<Cell<u32>>, to: Rc<Cell<u32>>) -> Result<()> {
    loop {
        // It blocks in the middle, and a cancellation waits until it is through.
        disable_cancellation(async {
            from.set(from.get() - 10);
            sleep(MOMENT).await?;
            to.set(to.get() + 10);
            println!("  10 are moved");
            Ok::<_, Error>(())
        })
        .await?;
        // It is told here, where it blocks next.
        sleep(HOUR).await?;
    }
}

async fn a_critical_section() -> Result<()> {
    let (from, to) = (Rc::new(Cell::new(100)), Rc::new(Cell::new(0)));
    let task = spawn(move_money(from.clone(), to.clone()));
    yield_now().await?;
    println!("  {} and {}: cancelling", from.get(), to.get());
    task.cancel().await?;
    println!("  {} and {}: cancelled", from.get(), to.get());
    Ok(())
}

async fn child(name: &str) -> Result<()> {
    let result = sleep(HOUR).await;
    println!("  {name} ends, too");
    result.map(drop)
}

/// It has to know its children, and to cancel them by itself.
async fn parent() -> Result<()> {
    let children = ["red", "green"].map(|name| spawn(child(name)));
    for joined in &children {
        match joined.join().await {
            // That is this task's own cancellation: a child's would be an `Error::Task`.
            Err(error) if error.is_cancellation() => {
                for child in &children {
                    child.cancel().await?;
                }
                return Err(error);
            }
            result => result?,
        }
    }
    Ok(())
}

/// A group does that for the task that owns it.
async fn parent_with_a_group() -> Result<()> {
    task_group(Wait::All, async |group| {
        for name in ["blue", "white"] {
            group.spawn(child(name));
        }
        Ok(())
    })
    .await
}

async fn children() -> Result<()> {
    for parent in [spawn(parent()), spawn(parent_with_a_group())] {
        // Both begin, and so do their children.
        sleep(MOMENT).await?;
        parent.cancel().await?;
        println!("  their parent is cancelled");
    }
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    println!("A task of its own:");
    a_task_of_its_own().await?;
    println!("A critical section:");
    a_critical_section().await?;
    println!("Children:");
    children().await
}
