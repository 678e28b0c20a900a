//! Conditions: their own locks, and locks they share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use curio::sync::{Condition, Lock};
use curio::{Error, Result, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    a_condition_wait_can_be_cancelled
    a_condition_wait_can_time_out
    wait_for_looks_again_at_every_notification
    wait_for_what_holds_does_not_wait
    notify_with_nobody_waiting_does_nothing
    notify_wakes_no_more_than_it_says
    notify_all_goes_on_before_those_it_wakes
    notify_needs_the_lock
    wait_needs_the_guard_of_its_own_lock
    a_notified_task_cancelled_at_the_lock_passes_it_on
    a_notified_task_that_times_out_at_the_lock_leaves_it_alone
    a_condition_may_be_about_a_lock_it_is_given
    several_conditions_share_a_lock
    a_guard_of_the_shared_lock_will_do
}

async fn a_condition_wait_can_be_cancelled() -> Result<()> {
    let condition = Rc::new(Condition::new());
    let inner = condition.clone();
    let task = spawn(async move {
        let guard = inner.lock().await?;
        inner.wait(guard).await.map(drop)
    });
    yield_now().await?;
    assert_eq!(task.state().to_string(), "condition-wait");
    assert!(!condition.is_locked());
    assert!(task.cancel().await?);
    assert!(!condition.is_locked());
    Ok(())
}

async fn a_condition_wait_can_time_out() -> Result<()> {
    let condition = Condition::new();
    let guard = condition.lock().await?;
    assert!(fails(timeout_after(ms(2), condition.wait(guard)).await).is_timeout());
    assert!(!condition.is_locked());
    Ok(())
}

async fn wait_for_looks_again_at_every_notification() -> Result<()> {
    let (condition, n) = (Rc::new(Condition::new()), Rc::new(Cell::new(0)));
    let looked = Rc::new(Cell::new(0));
    let (inner, seen, count) = (condition.clone(), n.clone(), looked.clone());
    let task = spawn(async move {
        let guard = inner.lock().await?;
        let holds = || {
            count.set(count.get() + 1);
            seen.get() == 3
        };
        drop(inner.wait_for(guard, holds).await?);
        Ok(seen.get())
    });
    for _ in 0..3 {
        yield_now().await?;
        let guard = condition.lock().await?;
        n.set(n.get() + 1);
        condition.notify(1)?;
        drop(guard);
        yield_now().await?;
    }
    assert_eq!(task.join().await?, 3);
    assert_eq!(looked.get(), 4);
    Ok(())
}

async fn wait_for_what_holds_does_not_wait() -> Result<()> {
    let condition = Condition::new();
    let cycles = curio::current_task().cycles();
    let guard = condition.lock().await?;
    drop(condition.wait_for(guard, || true).await?);
    assert_eq!(curio::current_task().cycles(), cycles);
    Ok(())
}

async fn notify_with_nobody_waiting_does_nothing() -> Result<()> {
    let condition = Condition::new();
    let _guard = condition.lock().await?;
    condition.notify(1)?;
    condition.notify(5)?;
    condition.notify_all()
}

/// Tasks that wait for a condition, and note when they go on.
fn waiters(condition: &Rc<Condition>, notes: &Notes, count: u32) -> Vec<curio::Task<()>> {
    let waiter = |n| {
        let (condition, notes) = (condition.clone(), notes.clone());
        spawn(async move {
            let guard = condition.lock().await?;
            let _guard = condition.wait(guard).await?;
            notes.add(n);
            Ok(())
        })
    };
    (0..count).map(waiter).collect()
}

async fn notify_wakes_no_more_than_it_says() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 4);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(2)?;
    drop(guard);
    tasks[0].join().await?;
    tasks[1].join().await?;
    notes.are([0, 1]);
    assert_eq!(tasks[2].state().to_string(), "condition-wait");
    let guard = condition.lock().await?;
    condition.notify(100)?;
    drop(guard);
    tasks[2].join().await?;
    tasks[3].join().await?;
    notes.are([2, 3]);
    Ok(())
}

async fn notify_all_goes_on_before_those_it_wakes() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 3);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify_all()?;
    notes.add("done");
    drop(guard);
    for task in tasks {
        task.join().await?;
    }
    notes.are(["done", "0", "1", "2"]);
    Ok(())
}

async fn notify_needs_the_lock() -> Result<()> {
    let condition = Condition::new();
    assert!(matches!(fails(condition.notify(1)), Error::InvalidState(_)));
    assert!(matches!(
        fails(condition.notify_all()),
        Error::InvalidState(_)
    ));
    Ok(())
}

async fn wait_needs_the_guard_of_its_own_lock() -> Result<()> {
    let (condition, other) = (Condition::new(), Lock::new());
    let guard = other.lock().await?;
    let error = fails(condition.wait(guard).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(!other.is_locked());
    Ok(())
}

async fn a_notified_task_cancelled_at_the_lock_passes_it_on() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let tasks = waiters(&condition, &notes, 2);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(1)?;
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "lock-acquire");
    assert!(tasks[0].cancel().await?);
    drop(guard);
    tasks[1].join().await?;
    notes.are([1]);
    assert!(!condition.is_locked());
    Ok(())
}

async fn a_notified_task_that_times_out_at_the_lock_leaves_it_alone() -> Result<()> {
    let (notes, condition) = (Notes::new(), Rc::new(Condition::new()));
    let inner = condition.clone();
    let first = spawn(timeout_after(ms(20), async move {
        let guard = inner.lock().await?;
        inner.wait(guard).await.map(drop)
    }));
    let second = waiters(&condition, &notes, 1);
    yield_now().await?;
    let guard = condition.lock().await?;
    condition.notify(1)?;
    // It can't have the lock, and gives up; the lock is still this task's.
    first.wait().await?;
    assert!(condition.is_locked());
    notes.add("gave up");
    drop(guard);
    second[0].join().await?;
    notes.are(["gave up", "0"]);
    assert!(!condition.is_locked());
    let Error::Task(error) = fails(first.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskTimeout(_)));
    Ok(())
}

/// So many items, which are taken out in the order in which they were put in.
struct Places {
    items: RefCell<Vec<u32>>,
    not_full: Condition<Rc<Lock>>,
    not_empty: Condition<Rc<Lock>>,
}

impl Places {
    const NUMBER: usize = 2;

    fn new() -> Self {
        let lock = Rc::new(Lock::new());
        Self {
            items: RefCell::default(),
            not_full: Condition::with_lock(lock.clone()),
            not_empty: Condition::with_lock(lock),
        }
    }

    async fn put(&self, item: u32) -> Result<()> {
        let guard = self.not_full.lock().await?;
        let has_room = || self.items.borrow().len() < Self::NUMBER;
        let _guard = self.not_full.wait_for(guard, has_room).await?;
        // Others may want the lock meanwhile.
        yield_now().await?;
        self.items.borrow_mut().push(item);
        self.not_empty.notify(1)
    }

    async fn take(&self) -> Result<u32> {
        let guard = self.not_empty.lock().await?;
        let has_items = || !self.items.borrow().is_empty();
        let _guard = self.not_empty.wait_for(guard, has_items).await?;
        yield_now().await?;
        self.not_full.notify(1)?;
        Ok(self.items.borrow_mut().remove(0))
    }
}

async fn several_conditions_share_a_lock() -> Result<()> {
    let places = Rc::new(Places::new());
    let producers = [0, 100].map(|start| {
        let places = places.clone();
        spawn(async move {
            for n in start..start + 50 {
                places.put(n).await?;
                assert!(places.items.borrow().len() <= Places::NUMBER);
            }
            Ok(())
        })
    });
    let mut taken = Vec::new();
    while taken.len() < 100 {
        taken.push(places.take().await?);
    }
    for producer in producers {
        producer.join().await?;
    }
    assert!(!places.not_full.is_locked() && !places.not_empty.is_locked());
    taken.sort_unstable();
    assert!(taken.into_iter().eq((0..50).chain(100..150)));
    Ok(())
}

async fn a_condition_may_be_about_a_lock_it_is_given() -> Result<()> {
    let lock = Lock::new();
    let condition = Condition::with_lock(&lock);
    let guard = condition.lock().await?;
    assert!(lock.is_locked() && lock.try_lock().is_none());
    condition.notify_all()?;
    let error = fails(timeout_after(ms(1), condition.wait(guard)).await);
    assert!(error.is_timeout());
    assert!(!lock.is_locked());
    Ok(())
}

async fn a_guard_of_the_shared_lock_will_do() -> Result<()> {
    let lock = Rc::new(Lock::new());
    let condition = Rc::new(Condition::with_lock(lock.clone()));
    let (its_lock, inner) = (lock.clone(), condition.clone());
    let task = spawn(async move {
        let guard = its_lock.lock().await?;
        inner.wait(guard).await.map(drop)
    });
    yield_now().await?;
    let guard = lock.lock().await?;
    condition.notify(1)?;
    drop(guard);
    task.join().await?;
    assert!(!lock.is_locked());
    Ok(())
}
