//! Uses things up to a limit: one case an argument. The limit is the host's to set.
#![expect(clippy::print_stdout, reason = "it says how far it came")]

use std::collections::VecDeque;
use std::time::Duration;

use curio::{Error, Result, Socket, Task, TaskGroup, Wait, sleep, spawn, timeout_after};

const HOUR: Duration = Duration::from_hours(1);

#[curio::main]
async fn main() -> Result<()> {
    let case = std::env::args().nth(1).expect("a case is given");
    match case.as_str() {
        "tasks" => tasks().await,
        "group" => group().await,
        "handles" => handles(),
        "memory" => memory(),
        "memory-caught" => {
            memory_caught();
            Ok(())
        }
        "task-memory" => task_memory().await,
        "wait-memory" => wait_memory().await,
        "label-memory" => label_memory().await,
        "sleep" => sleep(HOUR).await.map(drop),
        "thread-sleep" => {
            std::thread::sleep(HOUR);
            Ok(())
        }
        "loop" => endless(),
        "loop-in-task" => {
            sleep(Duration::from_millis(1)).await?;
            spawn(async { endless() }).join().await
        }
        "yield" => loop {
            curio::yield_now().await?;
        },
        "stdin" => {
            println!("reading");
            let read = std::io::stdin().read_line(&mut String::new());
            println!("{read:?}");
            Ok(())
        }
        "naps" => naps().await,
        _ => panic!("there is no case {case}"),
    }
}

fn endless() -> ! {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

/// To be run with `--max-tasks=10`.
async fn tasks() -> Result<()> {
    let task = |n| spawn(async move { sleep(HOUR).await.map(|_| n) });
    let mut tasks: VecDeque<Task<u32>> = (0..9).map(task).collect();
    assert!(tasks.iter().all(|task| !task.is_terminated()));
    for _ in 0..3 {
        let refused = task(10);
        assert!(refused.is_terminated());
        let Err(Error::Task(error)) = refused.join().await else {
            panic!("there is no room for another task");
        };
        let Error::Limit(text) = error.cause() else {
            panic!("{error}");
        };
        assert!(text.contains("--max-tasks"), "{text}");
        assert!(!refused.cancel().await?);
    }
    // The others go on, and one that has gone makes room.
    for _ in 0..20 {
        let oldest = tasks.pop_front().expect("there are nine");
        assert!(oldest.cancel().await?);
        let new = task(11);
        assert!(!new.is_terminated());
        tasks.push_back(new);
    }
    Ok(())
}

/// To be run with `--max-handles=10`.
fn handles() -> Result<()> {
    let mut sockets = VecDeque::new();
    for _ in 0..10 {
        sockets.push_back(Socket::tcp_v4()?);
    }
    for _ in 0..20 {
        let Err(Error::Limit(text)) = Socket::tcp_v6() else {
            panic!("there is no room for another socket");
        };
        assert!(text.contains("--max-handles"), "{text}");
        sockets.pop_front();
        sockets.push_back(Socket::tcp_v4()?);
    }
    Ok(())
}

fn memory() -> Result<()> {
    let mut all = Vec::new();
    loop {
        all.push(vec![1u8; 1 << 20]);
        println!("{} MiB", all.len());
    }
}

/// To be run with `--max-tasks=10`: a member too many is one that failed.
async fn group() -> Result<()> {
    let group = TaskGroup::new(Wait::All);
    for _ in 0..10 {
        group.spawn(sleep(HOUR));
    }
    let Err(Error::Task(error)) = group.join().await else {
        panic!("there is no room for all of them");
    };
    assert!(matches!(error.cause(), Error::Limit(_)), "{error}");
    assert!(group.tasks().iter().all(|task| task.is_terminated()));
    Ok(())
}

/// Asks for more than there is, and makes do without.
fn memory_caught() {
    let mut block: Vec<u8> = Vec::new();
    let mut reserve = |bytes| {
        std::hint::black_box(&mut block)
            .try_reserve_exact(bytes)
            .is_ok()
    };
    assert!(!reserve(1 << 30));
    assert!(reserve(1 << 20));
}

async fn task_memory() -> Result<()> {
    for n in 0u32.. {
        let task = spawn(async { sleep(HOUR).await });
        if task.is_terminated() {
            println!("{n} tasks");
            task.join().await?;
        }
        if n % 1000 == 0 {
            sleep(Duration::ZERO).await?;
        }
    }
    Ok(())
}

async fn wait_memory() -> Result<()> {
    let mut blocks = Vec::new();
    loop {
        let mut block = Box::pin(timeout_after(HOUR, sleep(HOUR)));
        assert!(futures::poll!(block.as_mut()).is_pending());
        blocks.push(block);
    }
}

async fn label_memory() -> Result<()> {
    for n in 0u32.. {
        let name = format!("{n:0200}");
        let task = curio::TaskOptions::new().name(name).spawn(async { Ok(()) });
        task.join().await?;
    }
    Ok(())
}

/// Sleeps for two seconds, in naps and in one go, and computes next to nothing.
async fn naps() -> Result<()> {
    for _ in 0..100 {
        sleep(Duration::from_millis(10)).await?;
    }
    std::thread::sleep(Duration::from_millis(500));
    sleep(Duration::from_millis(500)).await?;
    Ok(())
}
