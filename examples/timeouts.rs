//! Timeouts, the way curio's manual and its how-to use them: around one operation, around a block, nested, around
//! a join; and what becomes of those who are interrupted.
//!
//! ```text
//! curio-host timeouts.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::rc::Rc;
use std::time::Duration;

use curio::sync::Event;
use curio::{Error, Result, ignore_after, sleep, spawn, timeout_after};

/// Curio's seconds are shortened, so that nobody has to wait.
const SECOND: Duration = Duration::from_millis(20);

/// Long enough for everything here, on any machine.
const HOUR: Duration = Duration::from_hours(1);

async fn answer(takes: Duration) -> Result<u32> {
    sleep(takes).await?;
    Ok(42)
}

/// Every operation can have a timeout, and none has a parameter for it.
async fn around_one_operation() -> Result<()> {
    let answer_in_time = timeout_after(HOUR, answer(SECOND)).await?;
    println!("The answer is {answer_in_time}");
    match timeout_after(SECOND, answer(HOUR)).await {
        Ok(answer) => println!("The answer is {answer}"),
        Err(Error::TaskTimeout(_)) => println!("No answer came in time"),
        Err(error) => return Err(error),
    }
    // If that is no error, but one of two ways to go on:
    if ignore_after(SECOND, answer(HOUR)).await?.is_none() {
        println!("Going on without an answer");
    }
    Ok(())
}

/// The time is for all that is in the block together; what has been done until then is done.
async fn around_a_block() -> Result<()> {
    let sum = ignore_after(5 * SECOND, async {
        let first = answer(SECOND).await?;
        println!("The first answer is {first}");
        let second = answer(HOUR).await?;
        println!("The second answer is {second}");
        Ok(first + second)
    });
    println!("The sum is {:?}", sum.await?);
    Ok(())
}

fn tell(which: &str, result: &Result<u32>) {
    let how = match result {
        Ok(_) => "is well",
        Err(Error::TaskTimeout(_)) => "timed out",
        Err(Error::TimeoutCancellation(_)) => "was cancelled by the timeout of an outer one",
        Err(Error::UncaughtTimeout) => "has an inner timeout that nobody handled",
        Err(_) => "failed",
    };
    println!("  the {which} block {how}");
}

/// Blocks nest, and an error says whose time it was: the first that nobody else is to handle.
async fn nested(outer: Duration, inner: Duration, handle: bool) {
    let block = timeout_after(outer, async {
        let result = timeout_after(inner, answer(HOUR)).await;
        tell("inner", &result);
        if handle { answer(SECOND).await } else { result }
    });
    tell("outer", &block.await);
}

/// It is the one who waits that is interrupted, and not the task it waits for.
async fn around_a_join() -> Result<()> {
    let patience = Rc::new(Event::new());
    let waits = patience.clone();
    let task = spawn(async move {
        waits.wait().await?;
        Ok("at last")
    });
    if let Err(Error::TaskTimeout(_)) = timeout_after(SECOND, task.join()).await {
        println!("The task is not ready; cancelled: {}", task.is_cancelled());
    }
    patience.set();
    println!("Joined {}", task.join().await?);
    Ok(())
}

/// Who wants it otherwise has to say so.
async fn parent() -> Result<()> {
    let child = spawn(async {
        let result = sleep(HOUR).await.map(drop);
        println!("The child goes, too");
        result
    });
    match child.wait().await {
        Err(error) if error.is_cancellation() => {
            child.cancel().await?;
            Err(error)
        }
        result => result,
    }
}

/// Who is interrupted may clean up, and take the time for it.
async fn save_at_the_end() -> Result<()> {
    let result = sleep(HOUR).await;
    if let Err(error) = &result {
        println!("Interrupted: {error}");
        sleep(3 * SECOND).await?;
        println!("Saved");
    }
    result.map(drop)
}

#[curio::main]
async fn main() -> Result<()> {
    around_one_operation().await?;
    around_a_block().await?;

    println!("The inner time passes, and that is handled:");
    nested(HOUR, SECOND, true).await;
    println!("The inner time passes, and that is not handled:");
    nested(HOUR, SECOND, false).await;
    println!("The outer time passes:");
    nested(SECOND, HOUR, false).await;

    around_a_join().await?;
    let done = ignore_after(SECOND, parent()).await?;
    println!("The parent is done: {}", done.is_some());
    let done = ignore_after(SECOND, save_at_the_end()).await?;
    println!("All is done: {}", done.is_some());
    Ok(())
}
