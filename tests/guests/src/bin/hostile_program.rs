//! Programs that go wrong, or want to: one case an argument.
#![expect(clippy::print_stdout, reason = "it says how far it came")]

use std::time::Duration;

use curio::{Error, Result, TaskOptions, sleep, spawn};

const HOUR: Duration = Duration::from_hours(1);

#[curio::main]
async fn main() -> Result<()> {
    let case = std::env::args().nth(1).expect("a case is given");
    match case.as_str() {
        "panic" => panic!("this program gave up"),
        "panic-in-task" => {
            let task = spawn(async { panic!("this task gave up") });
            task.join().await
        }
        "exit" => {
            spawn(async { sleep(HOUR).await });
            sleep(Duration::from_millis(1)).await?;
            std::process::exit(7)
        }
        "abort" => std::process::abort(),
        "error" => Err(Error::other("this program\u{1b}[2J\nfailed")),
        "stack" => {
            println!("{}", recurse(1));
            Ok(())
        }
        "stack-in-drop" => {
            let mut list = None;
            for _ in 0..10_000_000 {
                list = Some(Box::new(Chain(list)));
            }
            drop(list);
            Ok(())
        }
        "allocate" => {
            let mut all = Vec::new();
            loop {
                all.extend_from_slice(&[1; 1 << 12]);
            }
        }
        "spawn" => loop {
            spawn(async { sleep(HOUR).await });
        },
        "spawn-in-tasks" => {
            multiply();
            sleep(HOUR).await.map(drop)
        }
        "labels" => {
            for n in 0..70_000 {
                let name = format!("task {n}");
                TaskOptions::new()
                    .name(name)
                    .spawn(async { Ok(()) })
                    .join()
                    .await?;
            }
            Ok(())
        }
        "wake-itself" => {
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await
        }
        "ignore-cancellation" => loop {
            println!("still here");
            sleep(HOUR).await.ok();
        },
        "foreign-future" => {
            println!("waiting");
            std::future::pending().await
        }
        "log" => {
            log(
                "\u{1b}[2J\u{7}line\r\nERROR guest: forged\u{9b}31m\u{7f}\u{202e}\u{2028}\u{e0041}"
                    .to_owned(),
            )
            .await?;
            log("x".repeat(10_000_000)).await
        }
        "random" => {
            // The standard library's way to random bytes.
            for _ in 0..1000 {
                let _ = std::hint::black_box(std::hash::RandomState::new());
            }
            Ok(())
        }
        _ => panic!("there is no case {case}"),
    }
}

struct Chain(#[expect(dead_code, reason = "it is there to be dropped")] Option<Box<Chain>>);

#[expect(unconditional_recursion, reason = "until the stack is used up")]
fn recurse(n: u64) -> u64 {
    std::hint::black_box(recurse(std::hint::black_box(n + 1))) + n
}

/// Tasks that spawn tasks, in one pass and in the next.
fn multiply() {
    for _ in 0..2 {
        spawn(async {
            multiply();
            sleep(HOUR).await
        });
    }
}

/// A message in the host's log: what a task's error gets if nobody looks.
async fn log(message: String) -> Result<()> {
    let task = spawn(async { Err::<(), _>(Error::other(message)) });
    task.wait().await
}
