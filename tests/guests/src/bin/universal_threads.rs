//! What is shared with other threads: with functions there, and tasks in them.
#![expect(
    clippy::needless_pass_by_value,
    reason = "what a function on another thread is given, it owns"
)]
#![expect(
    clippy::items_after_statements,
    reason = "a job stands where it is started"
)]

use curio::queue::UniversalQueue;
use curio::sync::{SharedLock, UniversalEvent, UniversalResult};
use curio::thread::{AWAIT, spawn_thread};
use curio::{Error, Result, ignore_after, run_in_process, run_in_thread, sleep, spawn};
use test_guests::{fails, ms, sleep_until_told};

test_guests::cases! {
    items_of_a_thread_come_in_their_order
    a_thread_gets_what_tasks_put
    a_bounded_queue_holds_a_thread_up
    consumers_everywhere_get_each_item_once
    timed_out_gets_lose_and_reorder_nothing
    a_stopped_getter_is_passed_over
    a_thread_waits_for_an_event
    an_event_is_set_by_a_thread
    who_timed_out_does_not_hinder_a_set
    a_value_goes_from_thread_to_thread
    an_exception_goes_from_thread_to_thread
    one_at_a_time_has_the_lock
    a_stopped_holder_abandons_the_lock
    a_panicking_holder_abandons_the_lock
    a_stopped_waiter_is_passed_over
    an_object_lives_as_long_as_a_thread_has_it
    another_process_finds_nothing
    the_only_handle_may_be_given_to_a_thread
}

async fn items_of_a_thread_come_in_their_order() -> Result<()> {
    fn producer(queue: UniversalQueue<u32>) -> Result<()> {
        for n in 0..100 {
            AWAIT(queue.put(n))?;
        }
        AWAIT(queue.join())
    }
    let queue = UniversalQueue::new()?;
    let thread = spawn_thread(producer, queue.clone());
    for n in 0..100 {
        assert_eq!(queue.get().await?, n);
        queue.task_done()?;
    }
    thread.join().await
}

fn sum(queue: UniversalQueue<Option<u64>>) -> Result<u64> {
    let mut sum = 0;
    while let Some(item) = AWAIT(queue.get())? {
        sum += item;
        queue.task_done()?;
    }
    queue.task_done()?;
    Ok(sum)
}

async fn a_thread_gets_what_tasks_put() -> Result<()> {
    let queue = UniversalQueue::new()?;
    let thread = spawn_thread(sum, queue.clone());
    for n in 1..=100 {
        queue.put(Some(n)).await?;
    }
    queue.put(None).await?;
    queue.join().await?;
    assert_eq!(thread.join().await?, 5050);
    Ok(())
}

async fn a_bounded_queue_holds_a_thread_up() -> Result<()> {
    fn producer((queue, put): (UniversalQueue<u32>, UniversalQueue<u32>)) -> Result<()> {
        for n in 0..10 {
            AWAIT(queue.put(n))?;
            AWAIT(put.put(n))?;
        }
        Ok(())
    }
    let (queue, put) = (UniversalQueue::bounded(2)?, UniversalQueue::new()?);
    let thread = spawn_thread(producer, (queue.clone(), put.clone()));
    for n in 0..10 {
        let ahead = (n + 1).min(9);
        while put.len() <= ahead {
            sleep(ms(1)).await?;
        }
        sleep(ms(1)).await?;
        assert_eq!(put.len(), ahead + 1, "no more than fits in");
        assert_eq!(queue.get().await? as usize, n);
    }
    thread.join().await
}

async fn consumers_everywhere_get_each_item_once() -> Result<()> {
    let queue = UniversalQueue::bounded(10)?;
    let threads = [(); 2].map(|()| spawn_thread(sum, queue.clone()));
    let (one, two) = (queue.clone(), queue.clone());
    let tasks = [one, two].map(|queue| {
        spawn(async move {
            let mut sum = 0;
            while let Some(item) = queue.get().await? {
                sum += item;
                queue.task_done()?;
            }
            queue.task_done()?;
            Ok(sum)
        })
    });
    fn produce(queue: UniversalQueue<Option<u64>>) -> Result<()> {
        (1..=500).try_for_each(|n| AWAIT(queue.put(Some(n))))
    }
    let producers = [(); 2].map(|()| spawn_thread(produce, queue.clone()));
    for producer in producers {
        producer.join().await?;
    }
    for _ in 0..4 {
        queue.put(None).await?;
    }
    queue.join().await?;
    let mut sum = 0;
    for consumer in threads.into_iter().chain(tasks) {
        sum += consumer.join().await?;
    }
    assert_eq!(sum, 2 * 500 * 501 / 2);
    Ok(())
}

async fn timed_out_gets_lose_and_reorder_nothing() -> Result<()> {
    fn producer(queue: UniversalQueue<u32>) -> Result<()> {
        for n in 0..50 {
            AWAIT(sleep(ms(2)))?;
            AWAIT(queue.put(n))?;
        }
        Ok(())
    }
    let queue = UniversalQueue::bounded(1)?;
    let thread = spawn_thread(producer, queue.clone());
    let mut items = Vec::new();
    while items.len() < 50 {
        items.extend(ignore_after(ms(1), queue.get()).await?);
    }
    assert!(items.into_iter().eq(0..50));
    thread.join().await
}

async fn a_stopped_getter_is_passed_over() -> Result<()> {
    async fn get((queue, came): (UniversalQueue<u32>, UniversalEvent)) -> Result<u32> {
        came.set()?;
        queue.get().await
    }
    let (queue, came) = (UniversalQueue::new()?, UniversalEvent::new()?);
    let things = (queue.clone(), came.clone());
    let getter = spawn(run_in_thread(get, things));
    came.wait().await?;
    sleep(ms(5)).await?;
    getter.cancel().await?;
    // The thread may still be there for a moment, and take one, but no more.
    for n in 0..3 {
        queue.put(n).await?;
    }
    let (first, second) = (queue.get().await?, queue.get().await?);
    assert!(first < second);
    Ok(())
}

async fn a_thread_waits_for_an_event() -> Result<()> {
    fn waits((event, came): (UniversalEvent, UniversalEvent)) -> Result<()> {
        came.set()?;
        AWAIT(event.wait())
    }
    let (event, came) = (UniversalEvent::new()?, UniversalEvent::new()?);
    let thread = spawn_thread(waits, (event.clone(), came.clone()));
    came.wait().await?;
    sleep(ms(5)).await?;
    assert!(!thread.is_terminated());
    event.set()?;
    thread.join().await
}

async fn an_event_is_set_by_a_thread() -> Result<()> {
    fn sets(event: UniversalEvent) -> Result<()> {
        AWAIT(sleep(ms(5)))?;
        event.set()
    }
    let event = UniversalEvent::new()?;
    let thread = spawn_thread(sets, event.clone());
    event.wait().await?;
    assert!(event.is_set());
    thread.join().await
}

async fn who_timed_out_does_not_hinder_a_set() -> Result<()> {
    let event = UniversalEvent::new()?;
    assert!(ignore_after(ms(2), event.wait()).await?.is_none());
    assert!(!event.is_set());
    run_in_thread(|event: UniversalEvent| event.set(), event.clone()).await?;
    event.wait().await
}

/// Passes on what was set, by way of a thread.
fn passes_on((from, to): (UniversalResult<String>, UniversalResult<String>)) -> Result<()> {
    match AWAIT(from.get()) {
        Ok(value) => to.set_value(value + "!"),
        Err(error) => to.set_exception(error),
    }
}

async fn a_value_goes_from_thread_to_thread() -> Result<()> {
    let results = [
        UniversalResult::new()?,
        UniversalResult::new()?,
        UniversalResult::new()?,
    ];
    let [first, second, third] = results.clone();
    let one = spawn_thread(passes_on, (first, second.clone()));
    let two = spawn_thread(passes_on, (second, third));
    results[0].set_value("ho".to_owned())?;
    assert_eq!(results[2].get().await?, "ho!!");
    one.join().await?;
    two.join().await
}

async fn an_exception_goes_from_thread_to_thread() -> Result<()> {
    let (first, second) = (UniversalResult::new()?, UniversalResult::new()?);
    let thread = spawn_thread(passes_on, (first.clone(), second.clone()));
    first.set_exception(Error::InvalidState("it is broken".to_owned()))?;
    let Error::Shared(error) = fails(second.get().await) else {
        panic!("that is how exceptions come");
    };
    assert!(matches!(&*error, Error::InvalidState(text) if text == "it is broken"));
    thread.join().await
}

async fn one_at_a_time_has_the_lock() -> Result<()> {
    fn counts((lock, count): (SharedLock, UniversalResult<u32>)) -> Result<()> {
        for _ in 0..100 {
            let guard = AWAIT(lock.lock())?;
            let before = AWAIT(count.get())?;
            count.set_value(before + 1)?;
            drop(guard);
        }
        Ok(())
    }
    let (lock, count) = (SharedLock::new()?, UniversalResult::new()?);
    count.set_value(0)?;
    let threads = [(); 3].map(|()| spawn_thread(counts, (lock.clone(), count.clone())));
    for _ in 0..100 {
        let _guard = lock.lock().await?;
        let before = count.get().await?;
        sleep(ms(0)).await?;
        count.set_value(before + 1)?;
    }
    for thread in threads {
        thread.join().await?;
    }
    assert_eq!(count.get().await?, 400);
    assert!(!lock.is_locked());
    Ok(())
}

async fn holds((lock, held): (SharedLock, UniversalEvent)) -> Result<()> {
    let _guard = lock.lock().await?;
    held.set()?;
    // It would be told, but is not: the thread is ended.
    Err(sleep_until_told().await)
}

async fn a_stopped_holder_abandons_the_lock() -> Result<()> {
    let (lock, held) = (SharedLock::new()?, UniversalEvent::new()?);
    let things = (lock.clone(), held.clone());
    let holder = spawn(run_in_thread(holds, things));
    held.wait().await?;
    assert!(lock.try_lock()?.is_none());
    holder.cancel().await?;
    let guard = lock.lock().await?;
    assert!(guard.is_abandoned());
    drop(guard);
    assert!(!lock.lock().await?.is_abandoned());
    Ok(())
}

async fn a_panicking_holder_abandons_the_lock() -> Result<()> {
    fn panics(lock: SharedLock) -> Result<()> {
        let _guard = AWAIT(lock.lock())?;
        panic!("with the lock in its hand");
    }
    let lock = SharedLock::new()?;
    let error = fails(run_in_thread(panics, lock.clone()).await);
    assert!(error.to_string().contains("with the lock in its hand"));
    assert!(lock.lock().await?.is_abandoned());
    Ok(())
}

async fn a_stopped_waiter_is_passed_over() -> Result<()> {
    async fn takes((lock, came): (SharedLock, UniversalEvent)) -> Result<()> {
        came.set()?;
        lock.lock().await.map(drop)
    }
    let lock = SharedLock::new()?;
    let guard = lock.lock().await?;
    let mut waiters = Vec::new();
    for _ in 0..2 {
        let came = UniversalEvent::new()?;
        waiters.push(spawn(run_in_thread(takes, (lock.clone(), came.clone()))));
        came.wait().await?;
        sleep(ms(5)).await?;
    }
    waiters.remove(0).cancel().await?;
    // The thread may still be there for a moment, and take it.
    drop(guard);
    waiters.remove(0).join().await
}

async fn an_object_lives_as_long_as_a_thread_has_it() -> Result<()> {
    type Post = UniversalQueue<UniversalQueue<u32>>;
    async fn keeps((queue, post, go): (UniversalQueue<u32>, Post, UniversalEvent)) -> Result<()> {
        queue.put(7).await?;
        go.wait().await?;
        post.put(queue.clone()).await?;
        // Until the other one has opened it.
        post.join().await
    }
    let (queue, post, go) = (UniversalQueue::new()?, Post::new()?, UniversalEvent::new()?);
    let thread = spawn_thread(keeps, (queue.clone(), post.clone(), go.clone()));
    while queue.is_empty() {
        sleep(ms(1)).await?;
    }
    drop(queue);
    go.set()?;
    let queue = post.get().await?;
    post.task_done()?;
    assert_eq!(queue.get().await?, 7);
    thread.join().await
}

async fn another_process_finds_nothing() -> Result<()> {
    let queue = UniversalQueue::<u32>::new()?;
    let get = |queue: UniversalQueue<u32>| AWAIT(queue.get());
    let error = fails(run_in_process(get, queue.clone()).await);
    let text = "this queue is not in this process, or its last handle is gone";
    assert!(error.to_string().contains(text), "{error}");
    assert!(queue.is_empty());
    let lock = SharedLock::new()?;
    let take = |lock: SharedLock| AWAIT(lock.lock()).map(drop);
    let error = fails(run_in_process(take, lock.clone()).await);
    assert!(
        error
            .to_string()
            .contains("this lock is not in this process"),
        "{error}"
    );
    let event = UniversalEvent::new()?;
    let error = fails(run_in_process(|event: UniversalEvent| event.set(), event.clone()).await);
    assert!(
        error
            .to_string()
            .contains("this event is not in this process"),
        "{error}"
    );
    assert!(!lock.is_locked() && !event.is_set());
    Ok(())
}

async fn the_only_handle_may_be_given_to_a_thread() -> Result<()> {
    fn own(queue: UniversalQueue<u32>) -> Result<u32> {
        AWAIT(queue.put(7))?;
        AWAIT(queue.get())
    }
    for _ in 0..3 {
        assert_eq!(run_in_thread(own, UniversalQueue::new()?).await?, 7);
        assert_eq!(spawn_thread(own, UniversalQueue::new()?).join().await?, 7);
    }
    Ok(())
}
