//! Queues, and that no item is lost or doubled.

use std::cell::RefCell;
use std::rc::Rc;

use curio::queue::{LifoQueue, PriorityQueue, Queue};
use curio::{Error, Result, current_task, spawn, timeout_after, yield_now};
use futures::future::{Either, select};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    two_consumers_get_items_in_turn
    an_unbounded_put_does_not_block
    a_bounded_put_blocks_when_it_is_full
    a_bounded_put_takes_turns_with_a_slow_consumer
    a_put_can_be_cancelled
    a_get_can_time_out
    an_item_that_was_promised_is_not_taken_by_another
    a_getter_cancelled_after_it_was_woken_has_its_item
    an_item_promised_to_a_dropped_future_goes_on
    a_place_promised_to_a_dropped_future_goes_on
    sizes_are_known
    a_priority_queue_gives_the_smallest_first
    a_lifo_queue_gives_the_newest_first
    a_bounded_lifo_queue_blocks
    join_waits_for_all_items_to_be_done
    task_done_needs_an_item
    puts_and_gets_that_need_not_wait_take_no_cycle
    ping_pong_does_not_starve_a_third
    interrupted_tasks_lose_no_item
}

async fn two_consumers_get_items_in_turn() -> Result<()> {
    let (notes, queue) = (Notes::new(), Rc::new(Queue::new()));
    let tasks = ["a", "b"].map(|name| {
        let (notes, queue) = (notes.clone(), queue.clone());
        spawn(async move {
            for _ in 0..2 {
                let item: u32 = queue.get().await?;
                notes.add(format!("{name}{item}"));
            }
            Ok(())
        })
    });
    yield_now().await?;
    assert_eq!(tasks[0].state().to_string(), "queue-get");
    for n in 0..4 {
        queue.put(n).await?;
        yield_now().await?;
    }
    for task in tasks {
        task.join().await?;
    }
    notes.are(["a0", "b1", "a2", "b3"]);
    Ok(())
}

async fn an_unbounded_put_does_not_block() -> Result<()> {
    let (notes, queue) = (Notes::new(), Rc::new(Queue::new()));
    let (items, inner) = (queue.clone(), notes.clone());
    let consumer = spawn(async move {
        while let Some(n) = items.get().await? {
            inner.add(n);
            items.task_done()?;
        }
        items.task_done()
    });
    yield_now().await?;
    for n in 0..3 {
        queue.put(Some(n)).await?;
    }
    queue.put(None).await?;
    notes.add("joins");
    queue.join().await?;
    notes.add("joined");
    consumer.join().await?;
    notes.are(["joins", "0", "1", "2", "joined"]);
    Ok(())
}

async fn a_bounded_put_blocks_when_it_is_full() -> Result<()> {
    let (notes, queue) = (Notes::new(), Rc::new(Queue::bounded(2)));
    let (items, inner) = (queue.clone(), notes.clone());
    let producer = spawn(async move {
        for n in 0..4 {
            items.put(n).await?;
            inner.add(format!("p{n}"));
        }
        Ok(())
    });
    yield_now().await?;
    assert!(queue.is_full());
    assert_eq!(producer.state().to_string(), "queue-put");
    for n in 0..4 {
        assert_eq!(queue.get().await?, n);
        notes.add(format!("c{n}"));
        yield_now().await?;
    }
    producer.join().await?;
    notes.are(["p0", "p1", "c0", "p2", "c1", "p3", "c2", "c3"]);
    Ok(())
}

async fn a_bounded_put_takes_turns_with_a_slow_consumer() -> Result<()> {
    let (notes, queue) = (Notes::new(), Rc::new(Queue::bounded(2)));
    let (items, inner) = (queue.clone(), notes.clone());
    let consumer = spawn(async move {
        while let Some(n) = items.get().await? {
            inner.add(format!("c{n}"));
            curio::sleep(ms(2)).await?;
            items.task_done()?;
        }
        items.task_done()?;
        inner.add("consumer done");
        Ok(())
    });
    yield_now().await?;
    for n in 0..4 {
        queue.put(Some(n)).await?;
        notes.add(format!("p{n}"));
    }
    queue.put(None).await?;
    notes.add("joins");
    queue.join().await?;
    notes.add("joined");
    consumer.join().await?;
    notes.are([
        "p0",
        "p1",
        "c0",
        "p2",
        "c1",
        "p3",
        "c2",
        "joins",
        "c3",
        "consumer done",
        "joined",
    ]);
    Ok(())
}

async fn a_put_can_be_cancelled() -> Result<()> {
    let queue = Rc::new(Queue::bounded(1));
    queue.put(1).await?;
    let items = queue.clone();
    let task = spawn(async move { items.put(2).await });
    yield_now().await?;
    assert!(task.cancel().await?);
    assert_eq!(queue.get().await?, 1);
    assert!(queue.is_empty());
    queue.put(3).await
}

async fn a_get_can_time_out() -> Result<()> {
    let queue = Queue::new();
    assert!(fails(timeout_after(ms(2), queue.get()).await).is_timeout());
    queue.put(1).await?;
    assert_eq!(queue.get().await?, 1);
    Ok(())
}

async fn an_item_that_was_promised_is_not_taken_by_another() -> Result<()> {
    let queue = Rc::new(Queue::new());
    let items = queue.clone();
    let first = spawn(async move { items.get().await });
    yield_now().await?;
    queue.put(1).await?;
    let second = async { timeout_after(ms(1), queue.get()).await };
    assert!(fails(second.await).is_timeout());
    assert_eq!(first.join().await?, 1);
    Ok(())
}

async fn a_getter_cancelled_after_it_was_woken_has_its_item() -> Result<()> {
    let queue = Rc::new(Queue::new());
    let items = queue.clone();
    let task = spawn(async move {
        let item = items.get().await?;
        assert!(matches!(fails(yield_now().await), Error::TaskCancelled));
        Ok(item)
    });
    yield_now().await?;
    queue.put(7).await?;
    assert!(task.cancel().await?);
    assert_eq!(task.join().await?, 7);
    assert!(queue.is_empty());
    Ok(())
}

/// A task that waits for two things at once and drops the second, just when both have come.
async fn an_item_promised_to_a_dropped_future_goes_on() -> Result<()> {
    let (one, two) = (Rc::new(Queue::new()), Rc::new(Queue::new()));
    let (a, b) = (one.clone(), two.clone());
    let chooser = spawn(async move {
        match select(Box::pin(a.get()), Box::pin(b.get())).await {
            Either::Left((item, _)) => item,
            Either::Right(_) => panic!("the first of two that are ready counts"),
        }
    });
    yield_now().await?;
    let b = two.clone();
    let next = spawn(async move { b.get().await });
    yield_now().await?;
    one.put(1).await?;
    two.put(2).await?;
    assert_eq!(chooser.join().await?, 1);
    assert_eq!(next.join().await?, 2);
    Ok(())
}

async fn a_place_promised_to_a_dropped_future_goes_on() -> Result<()> {
    let (gate, queue) = (Rc::new(Queue::new()), Rc::new(Queue::bounded(1)));
    queue.put(1).await?;
    let (a, b) = (gate.clone(), queue.clone());
    let chooser = spawn(async move {
        match select(Box::pin(a.get()), Box::pin(b.put(2))).await {
            Either::Left((item, _)) => item,
            Either::Right(_) => panic!("the first of two that are ready counts"),
        }
    });
    yield_now().await?;
    let b = queue.clone();
    let next = spawn(async move { b.put(3).await });
    yield_now().await?;
    gate.put(()).await?;
    assert_eq!(queue.get().await?, 1);
    chooser.join().await?;
    next.join().await?;
    assert_eq!(queue.get().await?, 3);
    assert!(queue.is_empty());
    Ok(())
}

async fn sizes_are_known() -> Result<()> {
    let queue = Queue::bounded(2);
    assert!(queue.is_empty() && !queue.is_full());
    queue.put('a').await?;
    assert_eq!(queue.len(), 1);
    queue.put('b').await?;
    assert!(queue.is_full());
    let unbounded = Queue::bounded(0);
    unbounded.put(1).await?;
    assert!(!unbounded.is_full());
    assert_eq!(format!("{queue:?}"), "Queue { len: 2, maxsize: 2, .. }");
    Ok(())
}

async fn a_priority_queue_gives_the_smallest_first() -> Result<()> {
    let queue = PriorityQueue::new();
    for item in [(3, 'c'), (1, 'z'), (2, 'b'), (1, 'a')] {
        queue.put(item).await?;
    }
    for item in [(1, 'a'), (1, 'z'), (2, 'b'), (3, 'c')] {
        assert_eq!(queue.get().await?, item);
    }
    Ok(())
}

async fn a_lifo_queue_gives_the_newest_first() -> Result<()> {
    let queue = LifoQueue::new();
    for n in 0..3 {
        queue.put(n).await?;
    }
    for n in (0..3).rev() {
        assert_eq!(queue.get().await?, n);
    }
    Ok(())
}

async fn a_bounded_lifo_queue_blocks() -> Result<()> {
    let queue = LifoQueue::bounded(1);
    queue.put(1).await?;
    assert!(fails(timeout_after(ms(1), queue.put(2)).await).is_timeout());
    assert_eq!(queue.get().await?, 1);
    Ok(())
}

async fn join_waits_for_all_items_to_be_done() -> Result<()> {
    let queue = Rc::new(Queue::new());
    queue.join().await?;
    queue.put(1).await?;
    queue.put(2).await?;
    let items = queue.clone();
    let task = spawn(async move { items.join().await });
    for _ in 0..2 {
        queue.get().await?;
        yield_now().await?;
        assert_eq!(task.state().to_string(), "queue-join");
        queue.task_done()?;
    }
    task.join().await
}

async fn task_done_needs_an_item() -> Result<()> {
    let queue = Queue::<u32>::new();
    let error = fails(queue.task_done());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    Ok(())
}

async fn puts_and_gets_that_need_not_wait_take_no_cycle() -> Result<()> {
    let queue = Queue::bounded(10);
    let cycles = current_task().cycles();
    for n in 0..10 {
        queue.put(n).await?;
    }
    for n in 0..10 {
        assert_eq!(queue.get().await?, n);
        queue.task_done()?;
    }
    queue.join().await?;
    assert_eq!(current_task().cycles(), cycles);
    Ok(())
}

async fn ping_pong_does_not_starve_a_third() -> Result<()> {
    let (to, fro) = (Rc::new(Queue::new()), Rc::new(Queue::new()));
    let pairs = [(to.clone(), fro.clone()), (fro.clone(), to.clone())];
    let players = pairs.map(|(from, to)| {
        spawn(async move {
            loop {
                let ball: u64 = from.get().await?;
                to.put(ball + 1).await?;
            }
            #[expect(unreachable_code, reason = "says what the loop would return")]
            Ok(())
        })
    });
    to.put(0).await?;
    // Nothing but the clock wakes this one.
    curio::sleep(ms(5)).await?;
    for player in players {
        assert!(timeout_after(ms(10_000), player.cancel()).await?);
    }
    Ok(())
}

/// Producers and consumers that are cancelled and timed out at every turn.
async fn interrupted_tasks_lose_no_item() -> Result<()> {
    let queue = Rc::new(Queue::bounded(3));
    let (put, got) = (
        Rc::new(RefCell::new(Vec::new())),
        Rc::new(RefCell::new(Vec::new())),
    );
    let mut tasks = Vec::new();
    for n in 0..300_u32 {
        let (items, put, got) = (queue.clone(), put.clone(), got.clone());
        let limit = ms(u64::from(n % 5));
        tasks.push(spawn(async move {
            if n % 2 == 0 {
                timeout_after(limit, items.put(n)).await?;
                put.borrow_mut().push(n);
            } else {
                let item = timeout_after(limit, items.get()).await?;
                got.borrow_mut().push(item);
            }
            Ok(())
        }));
        if n % 3 == 0 {
            yield_now().await?;
        }
        if n % 7 == 0 {
            let victim = &tasks[tasks.len() / 2];
            victim.request_cancel();
        }
    }
    for task in tasks {
        if let Err(Error::Task(error)) = task.join().await {
            assert!(error.cause().is_cancellation(), "{error}");
        }
    }
    while !queue.is_empty() {
        let item = queue.get().await?;
        got.borrow_mut().push(item);
    }
    put.borrow_mut().sort_unstable();
    got.borrow_mut().sort_unstable();
    assert_eq!(put, got);
    assert!(put.borrow().len() > 20, "{}", put.borrow().len());
    Ok(())
}
