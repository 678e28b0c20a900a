//! Tasks that belong together: all of them, the first of them, and as they come.
//!
//! ```text
//! curio-host task_group.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use curio::{Error, Result, Wait, sleep, task_group};

/// Asks a mirror how long it takes to answer, which it does by answering.
async fn ask(mirror: &'static str, millis: u64) -> Result<String> {
    match sleep(Duration::from_millis(millis)).await {
        Ok(_) => Ok(format!("{mirror} answers after {millis} ms")),
        Err(error) => {
            println!("  {mirror} is told to stop");
            Err(error)
        }
    }
}

async fn break_down() -> Result<String> {
    sleep(Duration::from_millis(50)).await?;
    Err(Error::other("out of paper"))
}

#[curio::main]
async fn main() -> Result<()> {
    let mirrors = [("red", 600), ("green", 30), ("blue", 300)];

    println!("All:");
    let group = task_group(Wait::All, async |group| {
        for (mirror, millis) in mirrors {
            group.spawn(ask(mirror, millis));
        }
        Ok(group)
    })
    .await?;
    for answer in group.results()? {
        println!("  {answer}");
    }

    println!("The first:");
    let group = task_group(Wait::Any, async |group| {
        for (mirror, millis) in mirrors {
            group.spawn(ask(mirror, millis));
        }
        Ok(group)
    })
    .await?;
    println!("  {}", group.result()?);

    println!("As they come:");
    task_group(Wait::All, async |group| {
        for (mirror, millis) in mirrors {
            group.spawn(ask(mirror, millis));
        }
        while let Some(task) = group.next_done().await? {
            println!("  {}", task.result()?);
        }
        Ok(())
    })
    .await?;

    println!("One that fails:");
    let result = task_group(Wait::All, async |group| {
        group.spawn(ask("red", 5_000));
        group.spawn(break_down());
        Ok(())
    });
    if let Err(error) = result.await {
        println!("  {error}");
    }
    Ok(())
}
