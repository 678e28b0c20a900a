//! The measured programs on tokio's `current_thread`, each under the name of the guest that does the same and with
//! the same arguments and output.

use std::fs::File;
use std::future::Future;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{sleep, sleep_until};

use crate::{native_network, native_primitives};

/// After so long the process ends, whatever it does: nothing is left behind if its parent is killed.
const LIFETIME: Duration = Duration::from_mins(2);

/// Runs a program.
pub(crate) fn run(name: &str, args: &[String]) {
    std::thread::spawn(|| {
        std::thread::sleep(LIFETIME);
        std::process::exit(1);
    });
    match name {
        "bench-switch" => in_task(switch(numbers(args))),
        "bench-spawn-join" => in_task(spawn_join(numbers(args))),
        "bench-spawn-join-main" => in_main(spawn_join(numbers(args))),
        "bench-sleepers" => in_task(sleepers(numbers(args))),
        "bench-timers" => in_task(timers(numbers(args))),
        "bench-primitives" => in_task(native_primitives::run(numbers(args))),
        "bench-bulk" => in_task(native_network::bulk(args.to_vec())),
        "bench-workers" => in_task(workers(numbers(args))),
        "bench-subprocess" => in_task(subprocess(numbers(args))),
        "bench-lines" => lines(&args[0]),
        "echo" => in_task(native_network::echo(args.to_vec())),
        "tls_echo" => in_task(native_network::tls_echo(args.to_vec())),
        "udp_echo" => in_task(native_network::udp_echo(args.to_vec())),
        "hello" => in_task(async { println!("Hello from a task.") }),
        _ => panic!("there is no program {name}"),
    }
}

/// Runs a future as `#[tokio::main]` does.
fn in_main(future: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("tokio can start").block_on(future);
}

/// Runs a future as a task, which is woken without a system call.
fn in_task(future: impl Future<Output = ()> + Send + 'static) {
    in_main(async { tokio::spawn(future).await.expect("the program works") });
}

fn numbers<const N: usize>(args: &[String]) -> [u64; N] {
    let numbers: Vec<u64> = args
        .iter()
        .map(|word| word.parse().expect("arguments are numbers"))
        .collect();
    numbers
        .try_into()
        .expect("there are as many as the program takes")
}

/// The same without tokio, whose files are slower than those of the system.
fn lines(path: &str) {
    let begun = Instant::now();
    let mut file = BufReader::new(File::open(path).expect("the file is there"));
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).expect("it can be read") == 0 {
            break;
        }
        lines += 1;
    }
    println!("{} {lines}", begun.elapsed().as_nanos());
}

/// On another thread in any case.
async fn workers([_, jobs, n]: [u64; 3]) {
    fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
    async fn run(jobs: u64, n: u64) -> Duration {
        let begun = Instant::now();
        for _ in 0..jobs {
            let job = spawn_blocking(move || fib(black_box(n)));
            black_box(job.await.expect("it does not panic"));
        }
        begun.elapsed()
    }
    run(1, 1).await;
    println!("{}", run(jobs, n).await.as_nanos());
}

async fn switch([tasks, yields]: [u64; 2]) {
    async fn run(tasks: u64, yields: u64) -> Duration {
        let tasks: Vec<_> = (0..tasks)
            .map(|_| {
                tokio::spawn(async move {
                    for _ in 0..yields {
                        yield_now().await;
                    }
                })
            })
            .collect();
        let begun = Instant::now();
        for task in tasks {
            task.await.expect("it does not panic");
        }
        begun.elapsed()
    }

    run(tasks, 2).await;
    println!("{}", run(tasks, yields).await.as_nanos());
}

async fn spawn_join([tasks, batch]: [u64; 2]) {
    async fn run(tasks: u64, batch: u64) -> Duration {
        let begun = Instant::now();
        for _ in 0..tasks / batch {
            if batch == 1 {
                tokio::spawn(async {}).await.expect("it does not panic");
                continue;
            }
            let tasks: Vec<_> = (0..batch).map(|_| tokio::spawn(async {})).collect();
            for task in tasks {
                task.await.expect("it does not panic");
            }
        }
        begun.elapsed()
    }

    run(batch * 2, batch).await;
    println!("{}", run(tasks, batch).await.as_nanos());
}

async fn subprocess([processes]: [u64; 1]) {
    async fn run(processes: u64) -> Duration {
        let begun = Instant::now();
        for _ in 0..processes {
            let mut command = tokio::process::Command::new("/bin/true");
            let child = command.stdin(std::process::Stdio::null()).spawn();
            let status = child.expect("every system has it").wait().await;
            assert!(status.expect("it is our child").success());
        }
        begun.elapsed()
    }

    run(10).await;
    println!("{}", run(processes).await.as_nanos());
}

async fn sleepers([tasks, milliseconds]: [u64; 2]) {
    static LEFT: AtomicU64 = AtomicU64::new(0);
    static LAST: AtomicU64 = AtomicU64::new(0);

    println!("ready");
    sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(milliseconds);
    LEFT.store(tasks, Ordering::Relaxed);
    for _ in 0..tasks {
        tokio::spawn(async move {
            sleep_until(deadline.into()).await;
            if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
                let late = u64::try_from(deadline.elapsed().as_nanos());
                LAST.store(late.unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
    }
    let spawned = begun.elapsed();
    yield_now().await;
    let asleep = begun.elapsed();
    assert!(Instant::now() < deadline, "some woke before all slept");
    println!("{} {}", spawned.as_nanos(), asleep.as_nanos());
    sleep_until(deadline.into()).await;
    while LEFT.load(Ordering::Relaxed) > 0 {
        yield_now().await;
    }
    println!("{}", LAST.load(Ordering::Relaxed));
    // So that there is a process left to look at.
    sleep(Duration::from_millis(200)).await;
}

async fn timers([tasks, sleeps]: [u64; 2]) {
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            tokio::spawn(async move {
                let mut late = Vec::new();
                for n in 0..sleeps {
                    let micros = 1_000 + (task * 7_919 + n * 104_729) % 49_001;
                    let length = Duration::from_micros(micros);
                    let begun = Instant::now();
                    sleep(length).await;
                    late.push(begun.elapsed().saturating_sub(length).as_nanos());
                }
                late
            })
        })
        .collect();
    for task in tasks {
        for late in task.await.expect("it does not panic") {
            print!("{late} ");
        }
    }
    println!();
}
