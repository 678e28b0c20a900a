//! `CASE COUNT`: does one thing so often; `benches/primitives.rs` names the cases. Prints the nanoseconds it took.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::rc::Rc;
use std::time::Duration;

use curio::queue::Queue;
use curio::sync::Lock;
use curio::{Result, clock, sleep, spawn, timeout_after, yield_now};

/// Long enough never to pass.
const LONG: Duration = Duration::from_secs(1000);

async fn uncontended_lock(count: u64) -> Result<Duration> {
    let lock = Lock::new();
    let begun = clock();
    for _ in 0..count {
        drop(lock.lock().await?);
    }
    Ok(clock() - begun)
}

async fn contended_lock(count: u64) -> Result<Duration> {
    let lock = Rc::new(Lock::new());
    let begun = clock();
    let tasks = [(); 10].map(|()| {
        let lock = lock.clone();
        spawn(async move {
            for _ in 0..count / 10 {
                let guard = lock.lock().await?;
                yield_now().await?;
                drop(guard);
            }
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    Ok(clock() - begun)
}

async fn queue(count: u64, size: usize) -> Result<Duration> {
    let queue = Rc::new(Queue::bounded(size));
    let items = queue.clone();
    let begun = clock();
    let consumer = spawn(async move {
        let mut sum = 0;
        for _ in 0..count {
            sum += items.get().await?;
        }
        Ok(sum)
    });
    for n in 0..count {
        queue.put(n).await?;
    }
    assert_eq!(consumer.join().await?, count * (count - 1) / 2);
    Ok(clock() - begun)
}

async fn timeout(count: u64, yields: bool) -> Result<Duration> {
    let begun = clock();
    for _ in 0..count {
        timeout_after(LONG, async {
            if yields {
                yield_now().await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(clock() - begun)
}

async fn cancel(count: u64) -> Result<Duration> {
    let tasks: Vec<_> = (0..count)
        .map(|_| spawn(async { sleep(LONG).await }))
        .collect();
    yield_now().await?;
    let begun = clock();
    for task in &tasks {
        task.request_cancel();
    }
    for task in tasks {
        task.wait().await?;
    }
    Ok(clock() - begun)
}

#[curio::main]
async fn main() -> Result<()> {
    let [case, count] = bench_guests::numbers();
    let time = match case {
        0 => uncontended_lock(count).await?,
        1 => contended_lock(count).await?,
        2 => queue(count, 100).await?,
        3 => queue(count, 1).await?,
        4 => timeout(count, false).await?,
        5 => timeout(count, true).await?,
        _ => cancel(count).await?,
    };
    println!("{}", time.as_nanos());
    Ok(())
}
