//! Queues that instances share, in one instance: several handles, and tasks that take turns at one.

use curio::queue::UniversalQueue;
use curio::{Error, Task, ignore_after, sleep, spawn, yield_now};
use test_guests::{Notes, another, fails, ms, still_waits};

test_guests::cases! {
    items_come_in_their_order
    consumers_get_items_in_turn
    a_bounded_put_blocks_when_it_is_full
    sizes_are_known
    a_put_can_be_cancelled
    timed_out_gets_lose_and_reorder_nothing
    a_getter_cancelled_after_it_was_woken_has_its_item
    an_item_promised_to_a_dropped_future_goes_on
    a_place_promised_to_a_dropped_future_goes_on
    join_waits_for_all_items_to_be_done
    all_who_join_go_on
    a_join_can_be_cancelled
    a_queue_is_the_same_by_any_handle
    handles_take_turns
    each_item_comes_once
}

/// A task that notes what it gets.
fn consumer(queue: &UniversalQueue<u32>, notes: &Notes, name: &'static str) -> Task<()> {
    let (queue, notes) = (queue.clone(), notes.clone());
    spawn(async move {
        loop {
            let item = queue.get().await?;
            notes.add(format!("{name} {item}"));
        }
    })
}

async fn items_come_in_their_order() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    for n in 0..100 {
        queue.put((n, n.to_string())).await?;
    }
    for n in 0..100 {
        assert_eq!(queue.get().await?, (n, n.to_string()));
    }
    Ok(())
}

async fn consumers_get_items_in_turn() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let notes = Notes::new();
    let consumers = ["a", "b"].map(|name| consumer(&queue, &notes, name));
    yield_now().await?;
    for n in 0..4 {
        queue.put(n).await?;
        sleep(ms(5)).await?;
    }
    notes.are(["a 0", "b 1", "a 2", "b 3"]);
    for consumer in consumers {
        consumer.cancel().await?;
    }
    Ok(())
}

async fn a_bounded_put_blocks_when_it_is_full() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(2)?;
    let notes = Notes::new();
    let (items, log) = (queue.clone(), notes.clone());
    let producer = spawn(async move {
        for n in 0..4 {
            items.put(n).await?;
            log.add(format!("put {n}"));
        }
        Ok(())
    });
    sleep(ms(5)).await?;
    notes.are(["put 0", "put 1"]);
    assert!(queue.is_full());
    assert_eq!(queue.get().await?, 0);
    sleep(ms(5)).await?;
    notes.are(["put 2"]);
    assert_eq!(queue.get().await?, 1);
    producer.join().await?;
    assert_eq!((queue.get().await?, queue.get().await?), (2, 3));
    Ok(())
}

async fn sizes_are_known() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(2)?;
    assert_eq!(
        (queue.len(), queue.is_empty(), queue.is_full()),
        (0, true, false)
    );
    queue.put(()).await?;
    assert_eq!(
        (queue.len(), queue.is_empty(), queue.is_full()),
        (1, false, false)
    );
    queue.put(()).await?;
    assert_eq!(
        (queue.len(), queue.is_empty(), queue.is_full()),
        (2, false, true)
    );
    let endless = UniversalQueue::bounded(0)?;
    endless.put(()).await?;
    assert!(!endless.is_full());
    assert_eq!(format!("{endless:?}"), "UniversalQueue { .. }");
    Ok(())
}

async fn a_put_can_be_cancelled() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(1)?;
    queue.put(1).await?;
    let items = queue.clone();
    let task = spawn(async move {
        let error = fails(items.put(2).await);
        assert!(error.is_cancellation());
        Ok(())
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    assert_eq!(queue.get().await?, 1);
    assert!(queue.is_empty());
    queue.put(3).await?;
    assert_eq!(queue.get().await?, 3);
    Ok(())
}

async fn timed_out_gets_lose_and_reorder_nothing() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(1)?;
    let items = queue.clone();
    let producer = spawn(async move {
        for n in 0..20 {
            sleep(ms(3)).await?;
            items.put(n).await?;
        }
        Ok(())
    });
    let mut got = Vec::new();
    let mut late = 0;
    while got.len() < 20 {
        match ignore_after(ms(2), queue.get()).await? {
            Some(item) => got.push(item),
            None => late += 1,
        }
    }
    assert!(got.into_iter().eq(0..20));
    assert!(late > 0);
    producer.join().await
}

async fn a_getter_cancelled_after_it_was_woken_has_its_item() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let items = queue.clone();
    let getter = spawn(async move {
        let got = items.get().await;
        // It may have been told in time, or not; but nothing is between.
        match got {
            Ok(item) => Ok(Some(item)),
            Err(error) if error.is_cancellation() => Ok(None),
            Err(error) => Err(error),
        }
    });
    yield_now().await?;
    queue.put(7).await?;
    getter.cancel().await?;
    let got = getter.join().await?;
    assert_eq!(got.is_some(), queue.is_empty());
    assert_eq!(got.unwrap_or(7), 7);
    Ok(())
}

async fn an_item_promised_to_a_dropped_future_goes_on() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let other = another(&queue).await?;
    let mut get = Box::pin(queue.get());
    still_waits(&mut get).await;
    let next = spawn(async move { other.get().await });
    yield_now().await?;
    // The item is the first one's, which does not come.
    queue.put(1).await?;
    sleep(ms(5)).await?;
    assert!(!next.is_terminated());
    assert_eq!(queue.len(), 1);
    drop(get);
    assert_eq!(next.join().await?, 1);
    Ok(())
}

async fn a_place_promised_to_a_dropped_future_goes_on() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(1)?;
    let other = another(&queue).await?;
    queue.put(1).await?;
    let mut put = Box::pin(queue.put(2));
    still_waits(&mut put).await;
    let next = spawn(async move { other.put(3).await });
    yield_now().await?;
    // The place is the first one's, which does not come.
    assert_eq!(queue.get().await?, 1);
    sleep(ms(5)).await?;
    assert!(!next.is_terminated());
    drop(put);
    next.join().await?;
    assert_eq!(queue.get().await?, 3);
    Ok(())
}

async fn join_waits_for_all_items_to_be_done() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    queue.join().await?;
    let error = fails(queue.task_done());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    for n in 0..2 {
        queue.put(n).await?;
    }
    let items = queue.clone();
    let notes = Notes::new();
    let log = notes.clone();
    let worker = spawn(async move {
        for _ in 0..2 {
            items.get().await?;
            sleep(ms(5)).await?;
            log.add("done");
            items.task_done()?;
        }
        Ok(())
    });
    queue.join().await?;
    notes.are(["done", "done"]);
    assert!(matches!(fails(queue.task_done()), Error::InvalidState(_)));
    worker.join().await
}

async fn all_who_join_go_on() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    queue.put(1).await?;
    let joiners = [(); 5].map(|()| {
        let queue = queue.clone();
        spawn(async move { queue.join().await })
    });
    sleep(ms(5)).await?;
    queue.task_done()?;
    // They have seen it, whatever comes next.
    queue.put(2).await?;
    for joiner in joiners {
        joiner.join().await?;
    }
    assert!(ignore_after(ms(5), queue.join()).await?.is_none());
    Ok(())
}

async fn a_join_can_be_cancelled() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    queue.put(1).await?;
    let [first, second] = [(); 2].map(|()| {
        let queue = queue.clone();
        spawn(async move { queue.join().await })
    });
    sleep(ms(5)).await?;
    // The one that waits in the kernel for both.
    assert!(first.cancel().await?);
    assert!(!second.is_terminated());
    queue.task_done()?;
    second.join().await
}

async fn a_queue_is_the_same_by_any_handle() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(1)?;
    let other = another(&queue).await?;
    let third = another(&other).await?;
    queue.put(1).await?;
    assert_eq!((other.len(), third.is_full()), (1, true));
    drop(queue);
    let items = other.clone();
    let putter = spawn(async move { items.put(2).await });
    sleep(ms(5)).await?;
    assert_eq!(third.get().await?, 1);
    putter.join().await?;
    assert_eq!(third.get().await?, 2);
    other.task_done()?;
    third.task_done()?;
    assert!(matches!(fails(other.task_done()), Error::InvalidState(_)));
    Ok(())
}

async fn handles_take_turns() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let other = another(&queue).await?;
    let notes = Notes::new();
    let consumers = [(&queue, "a"), (&queue, "b"), (&other, "c")];
    let mut tasks = Vec::new();
    for (queue, name) in consumers {
        tasks.push(consumer(queue, &notes, name));
        yield_now().await?;
    }
    for n in 0..4 {
        queue.put(n).await?;
        sleep(ms(5)).await?;
    }
    notes.are(["a 0", "c 1", "b 2", "c 3"]);
    for task in tasks {
        task.cancel().await?;
    }
    Ok(())
}

async fn each_item_comes_once() -> curio::Result<()> {
    let queue = UniversalQueue::bounded(10)?;
    let mut consumers = Vec::new();
    for _ in 0..3 {
        let queue = another(&queue).await?;
        consumers.push(spawn(async move {
            let mut items = Vec::new();
            while let Some(item) = queue.get().await? {
                items.push(item);
                queue.task_done()?;
            }
            queue.task_done()?;
            Ok(items)
        }));
    }
    for n in 0..1000 {
        queue.put(Some(n)).await?;
    }
    for _ in 0..3 {
        queue.put(None).await?;
    }
    queue.join().await?;
    let mut all = Vec::new();
    for consumer in consumers {
        let items = consumer.join().await?;
        assert!(items.is_sorted());
        all.extend(items);
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..1000));
    Ok(())
}
