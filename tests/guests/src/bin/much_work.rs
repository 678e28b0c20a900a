//! Much work for the kernel in one trap or one moment, by bindings of its own: a case, and how much of it.
#![expect(clippy::print_stdout, reason = "it says how far it came")]

mod raw {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "guest",
        generate_all,
    });
}

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use raw::curio::kernel::queues::{Event, Queue};
use raw::curio::kernel::sockets::{Kind, Socket};
use raw::curio::kernel::traps::{self, Caller};

const NEVER: u64 = u64::MAX;

fn caller(task: u64, cookie: u64) -> Caller {
    Caller { task, cookie }
}

fn task() -> u64 {
    traps::spawn(0, 0, false).expect("there is room for a task")
}

/// How many traps have ended.
fn wait(ended: &[u64], until: u64) -> u64 {
    (traps::wait(0, ended, until).len() as u64 - 1) / 3
}

fn main() {
    let mut args = std::env::args().skip(1);
    let case = args.next().expect("a case is given");
    let count = args
        .next()
        .map_or(1, |count| count.parse().expect("a number"));
    match case.as_str() {
        "tick" => tick(count),
        "due" => due(count),
        "at-once" => at_once(count),
        "exit" => exit(count),
        "exit-and-again" => exit_and_again(count),
        "ended" => ended(count),
        "dead-tables" => dead_tables(count),
        "dead-memory" => {
            fill(count);
            std::process::exit(0)
        }
        "sockets" => sockets(count),
        "items" => items(count),
        "waiters" => waiters(count),
        "fill-and-loop" => drop(fill_and_loop(count)),
        "thread" => thread().expect("the job is cancelled"),
        _ => panic!("there is no case {case}"),
    }
    println!("done");
}

/// Ticks every millisecond, and writes to `/out/lateness` how many microseconds the worst was late.
fn tick(count: u64) {
    let mut worst = 0;
    for _ in 0..count {
        let due = traps::now() + 1_000_000;
        wait(&[], due);
        worst = worst.max(traps::now() - due);
    }
    let mut text = String::new();
    write!(text, "{}", worst / 1000).expect("a text has room");
    std::fs::write("/out/lateness", text).expect("it may write there");
}

/// Timers that are all due at once: each is told, in order.
fn due(count: u64) {
    let mut length = 100_000_000;
    let at = loop {
        let (task, at) = (task(), traps::now() + length);
        for cookie in 1..=count {
            traps::sleep(caller(task, cookie), at);
        }
        if traps::now() < at {
            break at;
        }
        // That took too long: again, from a clean state.
        length *= 2;
        traps::exit(task);
        while wait(&[], traps::now() + 1_000_000) > 0 {}
    };
    // So that they are due while nobody looks.
    while traps::now() < at {}
    let mut told = 0;
    while told < count {
        let pass = traps::wait(0, &[], NEVER);
        for resumption in pass[1..].chunks(3) {
            told += 1;
            assert_eq!(resumption[0], told, "in order");
            assert!(resumption[2] >= at, "early");
        }
    }
    assert_eq!(wait(&[], traps::now() + 10_000_000), 0);
}

/// Traps that end when they begin: each is told, in order.
fn at_once(count: u64) {
    let task = task();
    for cookie in 1..=count {
        traps::sleep(caller(task, cookie), 0);
    }
    let mut told = 0;
    while told < count {
        let pass = traps::wait(0, &[], NEVER);
        for resumption in pass[1..].chunks(3) {
            told += 1;
            assert_eq!(resumption[0], told, "in order");
        }
    }
    assert_eq!(wait(&[], traps::now() + 10_000_000), 0);
}

/// A task with many traps ends: none of them is told.
fn exit(count: u64) {
    let task = task();
    for cookie in 1..=count {
        traps::sleep(caller(task, cookie), NEVER - cookie);
    }
    let soon = traps::now() + 50_000_000;
    let last = traps::sleep(caller(task, count + 1), soon);
    traps::exit(task);
    let in_time = traps::now() < soon;
    assert!(!traps::withdraw(last), "it is withdrawn already");
    // It was not due before its task ended, unless the machine stood still.
    assert!(wait(&[], soon + 100_000_000) == 0 || !in_time);
}

/// There is as much room for traps as before, at once.
fn exit_and_again(count: u64) {
    for _ in 0..20 {
        let task = task();
        for cookie in 1..=count {
            traps::sleep(caller(task, cookie), NEVER - cookie);
        }
        traps::exit(task);
    }
}

/// Many tasks, each with a trap, that `wait` is told the end of.
fn ended(count: u64) {
    let tasks: Vec<u64> = (0..count).map(|_| task()).collect();
    for (n, task) in (1..).zip(&tasks) {
        traps::sleep(caller(*task, 1), NEVER - n);
    }
    assert_eq!(wait(&tasks, 0), 0);
    for task in tasks {
        assert!(traps::info(task).is_none());
    }
}

/// Tasks and traps, left behind.
fn dead_tables(count: u64) {
    for n in 0..count {
        traps::sleep(caller(task(), 1), NEVER - 1 - n);
    }
    std::process::exit(0)
}

/// Socket pairs, left behind.
fn sockets(count: u64) {
    let pairs: Vec<_> = (0..count)
        .map(|_| Socket::pair(Kind::Stream).expect("there is room"))
        .collect();
    black_box(&pairs);
    std::process::exit(0)
}

/// A queue with many items is dropped.
fn items(count: u64) {
    let queue = Queue::create(u32::MAX).expect("there is room");
    for _ in 0..count {
        queue.put(b"item").expect("there is room");
    }
    drop(queue);
}

/// Many wait for an event, some of them for the next time, and it happens again and again.
fn waiters(count: u64) {
    let (task, event) = (task(), Event::create().expect("there is room"));
    let key = event.key().expect("the system gives random numbers");
    let handles: Vec<_> = (0..count)
        .map(|n| {
            let handle = Event::open(key).expect("there is room");
            let more_than = if n % 2 == 0 { 0 } else { NEVER - 1 };
            handle.wait(more_than, caller(task, n + 1));
            handle
        })
        .collect();
    event.set();
    let mut told = 0;
    while told < count.div_ceil(2) {
        let pass = traps::wait(0, &[], NEVER);
        for resumption in pass[1..].chunks(3) {
            assert_eq!(resumption[0], 2 * told + 1, "in order");
            told += 1;
        }
    }
    for _ in 0..1000 {
        event.clear();
        event.set();
    }
    assert_eq!(wait(&[], traps::now() + 10_000_000), 0);
    drop(handles);
}

/// One instruction that takes long: it writes to this many MiB.
fn fill(mebibytes: u64) -> Vec<u8> {
    let length = usize::try_from(mebibytes << 20).expect("it fits");
    black_box(vec![1_u8; length])
}

fn fill_and_loop(mebibytes: u64) -> curio::Result<()> {
    let memory = fill(mebibytes);
    println!("looping");
    let mut number = u64::from(memory[memory.len() - 1]);
    loop {
        number = black_box(number.wrapping_mul(31));
    }
}

/// A thread that does that is stopped when its job is cancelled, while this program waits.
#[curio::main]
async fn thread() -> curio::Result<()> {
    let job = curio::run_in_thread(fill_and_loop, 320);
    let ended = curio::timeout_after(Duration::from_secs(2), job).await;
    assert!(
        matches!(ended, Err(curio::Error::TaskTimeout(_))),
        "{ended:?}"
    );
    Ok(())
}
