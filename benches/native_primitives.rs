//! The counterpart of `guests/primitives.rs` on tokio.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

/// Long enough never to pass.
const LONG: Duration = Duration::from_secs(1000);

pub(crate) async fn run([case, count]: [u64; 2]) {
    let time = match case {
        0 => uncontended_lock(count).await,
        1 => contended_lock(count).await,
        2 => queue(count, 100).await,
        3 => queue(count, 1).await,
        4 => set_timeouts(count, false).await,
        5 => set_timeouts(count, true).await,
        _ => cancel(count).await,
    };
    println!("{}", time.as_nanos());
}

async fn uncontended_lock(count: u64) -> Duration {
    let lock = Mutex::new(());
    let begun = Instant::now();
    for _ in 0..count {
        drop(lock.lock().await);
    }
    begun.elapsed()
}

async fn contended_lock(count: u64) -> Duration {
    let lock = Arc::new(Mutex::new(()));
    let begun = Instant::now();
    let tasks = [(); 10].map(|()| {
        let lock = lock.clone();
        tokio::spawn(async move {
            for _ in 0..count / 10 {
                let guard = lock.lock().await;
                yield_now().await;
                drop(guard);
            }
        })
    });
    for task in tasks {
        task.await.expect("it does not panic");
    }
    begun.elapsed()
}

async fn queue(count: u64, size: usize) -> Duration {
    let (sender, mut receiver) = mpsc::channel(size);
    let begun = Instant::now();
    let consumer = tokio::spawn(async move {
        let mut sum = 0;
        for _ in 0..count {
            sum += receiver.recv().await.expect("more come");
        }
        sum
    });
    for n in 0..count {
        sender.send(n).await.expect("the receiver is there");
    }
    let sum = consumer.await.expect("it does not panic");
    assert_eq!(sum, count * (count - 1) / 2);
    begun.elapsed()
}

async fn set_timeouts(count: u64, yields: bool) -> Duration {
    let begun = Instant::now();
    for _ in 0..count {
        let inside = async {
            if yields {
                yield_now().await;
            }
        };
        timeout(LONG, inside).await.expect("there is time enough");
    }
    begun.elapsed()
}

async fn cancel(count: u64) -> Duration {
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(sleep(LONG))).collect();
    yield_now().await;
    let begun = Instant::now();
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        drop(task.await);
    }
    begun.elapsed()
}
