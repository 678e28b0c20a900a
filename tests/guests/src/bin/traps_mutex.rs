//! Lines of waiting tasks, and a mutex made of one: the example of `curio::traps`.

use std::cell::Cell;
use std::rc::Rc;

use curio::traps::{SchedFifo, reschedule_tasks, wait_on_queue};
use curio::{Error, Result, TaskOptions, sleep, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    contenders_get_the_mutex_in_turn
    a_free_mutex_is_got_without_a_trap
    a_cancelled_contender_is_skipped
    a_contender_that_times_out_is_skipped
    a_contender_that_was_handed_the_mutex_has_it
    a_queue_wakes_as_many_as_it_is_told
    a_thousand_contend
}

struct Mutex {
    locked: Cell<bool>,
    waiting: SchedFifo,
}

impl Mutex {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            locked: Cell::new(false),
            waiting: SchedFifo::new(),
        })
    }

    async fn acquire(&self) -> Result<()> {
        if self.locked.replace(true) {
            wait_on_queue(&self.waiting, "lock-acquire").await?;
        }
        Ok(())
    }

    fn release(&self) {
        if reschedule_tasks(&self.waiting, 1) == 0 {
            self.locked.set(false);
        }
    }
}

/// Holds the mutex for a while.
async fn contend(mutex: Rc<Mutex>, notes: Notes, n: u32) -> Result<()> {
    notes.add(format!("{n} waits"));
    mutex.acquire().await?;
    notes.add(format!("{n} has it"));
    sleep(ms(2)).await?;
    notes.add(format!("{n} gives it"));
    mutex.release();
    Ok(())
}

async fn contenders_get_the_mutex_in_turn() -> Result<()> {
    let notes = Notes::new();
    let mutex = Mutex::new();
    let tasks = [1, 2, 3].map(|n| spawn(contend(mutex.clone(), notes.clone(), n)));
    for task in tasks {
        task.join().await?;
    }
    notes.are([
        "1 waits",
        "1 has it",
        "2 waits",
        "3 waits",
        "1 gives it",
        "2 has it",
        "2 gives it",
        "3 has it",
        "3 gives it",
    ]);
    assert!(!mutex.locked.get());
    Ok(())
}

async fn a_free_mutex_is_got_without_a_trap() -> Result<()> {
    let mutex = Mutex::new();
    let cycles = curio::current_task().cycles();
    for _ in 0..10 {
        mutex.acquire().await?;
        mutex.release();
    }
    assert_eq!(curio::current_task().cycles(), cycles);
    Ok(())
}

async fn a_cancelled_contender_is_skipped() -> Result<()> {
    let notes = Notes::new();
    let mutex = Mutex::new();
    mutex.acquire().await?;
    let tasks = [1, 2, 3].map(|n| spawn(contend(mutex.clone(), notes.clone(), n)));
    yield_now().await?;
    assert_eq!(mutex.waiting.len(), 3);
    assert_eq!(tasks[1].state().to_string(), "lock-acquire");
    assert!(tasks[1].cancel().await?);
    assert_eq!(mutex.waiting.len(), 2);
    mutex.release();
    tasks[0].join().await?;
    tasks[2].join().await?;
    notes.are([
        "1 waits",
        "2 waits",
        "3 waits",
        "1 has it",
        "1 gives it",
        "3 has it",
        "3 gives it",
    ]);
    assert!(!mutex.locked.get());
    Ok(())
}

async fn a_contender_that_times_out_is_skipped() -> Result<()> {
    let mutex = Mutex::new();
    mutex.acquire().await?;
    let error = fails(timeout_after(ms(5), mutex.acquire()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert!(mutex.waiting.is_empty());
    mutex.release();
    timeout_after(ms(5), mutex.acquire()).await
}

async fn a_contender_that_was_handed_the_mutex_has_it() -> Result<()> {
    let mutex = Mutex::new();
    mutex.acquire().await?;
    let inner = mutex.clone();
    let task = spawn(async move {
        inner.acquire().await?;
        // The cancellation came after that.
        let error = fails(sleep(ms(1_000_000)).await);
        inner.release();
        Err::<(), _>(error)
    });
    yield_now().await?;
    mutex.release();
    assert!(task.cancel().await?);
    assert!(!mutex.locked.get());
    Ok(())
}

async fn a_queue_wakes_as_many_as_it_is_told() -> Result<()> {
    let notes = Notes::new();
    let queue = Rc::new(SchedFifo::new());
    for n in 0..6 {
        let (notes, queue) = (notes.clone(), queue.clone());
        let daemon = TaskOptions::new().daemon(true);
        drop(daemon.spawn(async move {
            wait_on_queue(&queue, "queue").await?;
            notes.add(n);
            Ok(())
        }));
    }
    yield_now().await?;
    assert_eq!(queue.len(), 6);
    assert_eq!(reschedule_tasks(&queue, 0), 0);
    assert_eq!(reschedule_tasks(&queue, 2), 2);
    notes.add("the waker goes on");
    yield_now().await?;
    notes.are(["the waker goes on", "0", "1"]);
    assert_eq!(reschedule_tasks(&queue, usize::MAX), 4);
    assert!(queue.is_empty());
    assert_eq!(reschedule_tasks(&queue, 1), 0);
    yield_now().await?;
    notes.are(2..6);
    Ok(())
}

async fn a_thousand_contend() -> Result<()> {
    let mutex = Mutex::new();
    let inside = Rc::new(Cell::new(0_u32));
    let count = Rc::new(Cell::new(0_u32));
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let (mutex, inside, count) = (mutex.clone(), inside.clone(), count.clone());
            spawn(async move {
                mutex.acquire().await?;
                assert_eq!(inside.replace(1), 0);
                yield_now().await?;
                inside.set(0);
                count.set(count.get() + 1);
                mutex.release();
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.join().await?;
    }
    assert_eq!(count.get(), 1000);
    Ok(())
}
