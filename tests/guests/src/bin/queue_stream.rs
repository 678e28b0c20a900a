//! Queues as streams, for what other crates do with those.

use std::rc::Rc;

use curio::queue::{LifoQueue, PriorityQueue, Queue};
use curio::{Error, Result, ignore_after, sleep, spawn, yield_now};
use futures::future::{Either, select};
use futures::{StreamExt, TryStreamExt};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    a_stream_gives_items_as_they_come
    each_kind_of_queue_keeps_its_order
    what_is_there_takes_no_cycle
    a_stream_makes_room
    a_stream_stands_in_line
    a_stream_that_is_interrupted_goes_on
    a_next_that_is_dropped_loses_nothing
    a_stream_that_is_dropped_passes_its_item_on
    streams_of_several_queues_are_one
}

async fn a_stream_gives_items_as_they_come() -> Result<()> {
    let queue = Rc::new(Queue::new());
    let items = queue.clone();
    let consumer = spawn(async move {
        let mut taken = Vec::new();
        let mut items_one_by_one = items.stream();
        while let Some(item) = items_one_by_one.next().await {
            match item? {
                0 => break,
                item => taken.push(item),
            }
            items.task_done()?;
        }
        Ok(taken)
    });
    for n in (0..5_u32).rev() {
        queue.put(n).await?;
        sleep(ms(u64::from(n % 2))).await?;
    }
    assert_eq!(consumer.join().await?, [4, 3, 2, 1]);
    Ok(())
}

async fn each_kind_of_queue_keeps_its_order() -> Result<()> {
    let (fifo, smallest, newest) = (Queue::new(), PriorityQueue::new(), LifoQueue::new());
    for n in [2, 3, 1] {
        fifo.put(n).await?;
        smallest.put(n).await?;
        newest.put(n).await?;
    }
    assert_eq!(first_three(fifo.stream()).await?, [2, 3, 1]);
    assert_eq!(first_three(smallest.stream()).await?, [1, 2, 3]);
    assert_eq!(first_three(newest.stream()).await?, [1, 3, 2]);
    Ok(())
}

async fn first_three(items: impl futures::Stream<Item = Result<u32>>) -> Result<Vec<u32>> {
    items.take(3).try_collect().await
}

async fn what_is_there_takes_no_cycle() -> Result<()> {
    let queue = Queue::new();
    for n in 0..3 {
        queue.put(n).await?;
    }
    let cycles = curio::current_task().cycles();
    curio::current_task().request_cancel();
    assert_eq!(first_three(queue.stream()).await?, [0, 1, 2]);
    assert_eq!(curio::current_task().cycles(), cycles);
    // The cancellation arrives where the task blocks.
    let item = queue.stream().next().await.expect("it never ends");
    assert!(matches!(fails(item), Error::TaskCancelled));
    Ok(())
}

async fn a_stream_makes_room() -> Result<()> {
    let queue = Rc::new(Queue::bounded(1));
    let items = queue.clone();
    let producer = spawn(async move {
        for n in 0..3 {
            items.put(n).await?;
        }
        Ok(())
    });
    assert_eq!(first_three(queue.stream()).await?, [0, 1, 2]);
    producer.join().await
}

async fn a_stream_stands_in_line() -> Result<()> {
    let (notes, queue) = (Notes::new(), Rc::new(Queue::new()));
    let consumers = [0, 1, 2].map(|n| {
        let (notes, queue) = (notes.clone(), queue.clone());
        spawn(async move {
            let item = if n == 1 {
                queue.stream().next().await.expect("it never ends")?
            } else {
                queue.get().await?
            };
            notes.add(format!("{n} {item}"));
            Ok(())
        })
    });
    yield_now().await?;
    for item in ["cat", "dog", "cow"] {
        queue.put(item).await?;
    }
    for consumer in consumers {
        consumer.join().await?;
    }
    notes.are(["0 cat", "1 dog", "2 cow"]);
    Ok(())
}

async fn a_stream_that_is_interrupted_goes_on() -> Result<()> {
    let queue = Queue::new();
    let mut items = queue.stream();
    for n in 0..3 {
        let in_time = ignore_after(ms(2), async { items.next().await.transpose() });
        assert!(in_time.await?.is_none());
        queue.put(n).await?;
        assert_eq!(items.next().await.transpose()?, Some(n));
    }
    assert!(queue.is_empty());
    Ok(())
}

async fn a_next_that_is_dropped_loses_nothing() -> Result<()> {
    let queue = Queue::new();
    let mut items = queue.stream();
    for n in 0..3 {
        let first = select(items.next(), Box::pin(sleep(ms(1)))).await;
        assert!(matches!(first, Either::Right(_)));
        queue.put(n).await?;
        yield_now().await?;
        // It was put for the stream, which stands in the line.
        assert_eq!(queue.len(), 1);
        assert!(ignore_after(ms(1), queue.get()).await?.is_none());
        assert_eq!(items.next().await.transpose()?, Some(n));
    }
    Ok(())
}

async fn a_stream_that_is_dropped_passes_its_item_on() -> Result<()> {
    let queue = Rc::new(Queue::new());
    {
        let mut items = queue.stream();
        let first = select(items.next(), Box::pin(sleep(ms(1)))).await;
        assert!(matches!(first, Either::Right(_)));
        let other = queue.clone();
        let getter = spawn(async move { other.get().await });
        yield_now().await?;
        queue.put(7).await?;
        drop(items);
        assert_eq!(getter.join().await?, 7);
    }
    assert!(queue.is_empty());
    Ok(())
}

async fn streams_of_several_queues_are_one() -> Result<()> {
    let queues = [(); 3].map(|()| Rc::new(Queue::new()));
    let producers = queues.clone().map(|queue| {
        spawn(async move {
            for n in 0..10_u64 {
                queue.put(n).await?;
                sleep(ms(n % 3)).await?;
            }
            Ok(())
        })
    });
    let all = futures::stream::select_all(queues.iter().map(|queue| queue.stream()));
    let mut taken: Vec<_> = all.take(30).try_collect().await?;
    taken.sort_unstable();
    assert!(taken.into_iter().eq((0..30).map(|n| n / 3)));
    for producer in producers {
        producer.join().await?;
    }
    Ok(())
}
