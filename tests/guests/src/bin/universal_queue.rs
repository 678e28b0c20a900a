//! Queues that instances share, in one instance: several handles, and tasks that take turns at one.

use std::rc::Rc;

use curio::queue::UniversalQueue;
use curio::{Error, Task, ignore_after, sleep, spawn, yield_now};
use futures::future::{Either, select};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use test_guests::{Notes, fails, ms, say};

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
    a_handle_that_comes_too_late_says_so
    an_item_of_another_type_is_an_error
    an_item_that_is_too_big_is_an_error
    what_can_t_be_serialised_is_an_error
    each_item_comes_once
    handles_are_limited
    memory_is_limited
    traps
}

/// Another handle of the same queue, as another instance would get it.
async fn another<T>(queue: &UniversalQueue<T>) -> curio::Result<UniversalQueue<T>> {
    let post = UniversalQueue::new()?;
    post.put(queue.clone()).await?;
    post.get().await
}

/// Asserts that something has to be waited for.
async fn still_waits<T>(future: &mut (impl Future<Output = curio::Result<T>> + Unpin)) {
    let waited = select(future, Box::pin(sleep(ms(5)))).await;
    assert!(matches!(waited, Either::Right(_)));
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

async fn a_handle_that_comes_too_late_says_so() -> curio::Result<()> {
    let queue = UniversalQueue::<u32>::new()?;
    let post = UniversalQueue::new()?;
    post.put(queue.clone()).await?;
    drop(queue);
    let late = post.get().await?;
    let text = "this queue is not in this process, or its last handle is gone";
    for result in [
        late.put(1).await,
        late.get().await.map(drop),
        late.task_done(),
        late.join().await,
    ] {
        let error = fails(result);
        assert!(matches!(error, Error::InvalidArgument(_)));
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(
        (late.len(), late.is_empty(), late.is_full()),
        (0, true, false)
    );
    assert!(format!("{late:?}").contains(text));
    // It may be passed on, for others to find out the same.
    post.put(late).await?;
    assert!(post.get().await?.task_done().is_err());
    Ok(())
}

/// Two ways to see one queue.
enum Odd {
    Text(UniversalQueue<String>),
    Flag(UniversalQueue<bool>),
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(queue) => queue.serialize(serializer),
            Self::Flag(queue) => queue.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self::Flag)
    }
}

async fn an_item_of_another_type_is_an_error() -> curio::Result<()> {
    let texts = UniversalQueue::new()?;
    let post = UniversalQueue::new()?;
    post.put(Odd::Text(texts.clone())).await?;
    let Odd::Flag(flags) = post.get().await? else {
        panic!("it is read as the other one");
    };
    texts.put("neither true nor false".to_owned()).await?;
    let error = fails(flags.get().await);
    assert!(matches!(error, Error::InvalidState(_)));
    assert!(
        error.to_string().starts_with("what came is no bool"),
        "{error}"
    );
    // The next one is all right.
    flags.put(true).await?;
    assert!(flags.get().await?);
    Ok(())
}

async fn an_item_that_is_too_big_is_an_error() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    for size in [16_000_000, 20_000_000] {
        let error = fails(queue.put("x".repeat(size)).await);
        assert!(matches!(error, Error::InvalidArgument(_)));
        assert!(
            error.to_string().contains("at most 16000000; split it"),
            "{error}"
        );
    }
    // With its length, which takes four bytes, it is as big as can be.
    let text = "x".repeat(16_000_000 - 4);
    queue.put(text.clone()).await?;
    assert_eq!(queue.get().await?, text);
    Ok(())
}

/// What refuses.
struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

async fn what_can_t_be_serialised_is_an_error() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let error = fails(queue.put(Stubborn).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(queue.is_empty());
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

/// Runs with `--max-handles=20`.
async fn handles_are_limited() -> curio::Result<()> {
    for _ in 0..3 {
        let mut queues = Vec::new();
        let error = loop {
            match UniversalQueue::<u32>::new() {
                Ok(queue) => queues.push(queue),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Limit(_)), "{error}");
        assert!(error.to_string().contains("20 handles"), "{error}");
        assert_eq!(queues.len(), 20);
        // There is no room for a handle that is read, either.
        queues.pop();
        let post = UniversalQueue::new()?;
        post.put(queues[0].clone()).await?;
        let late = post.get().await?;
        assert!(matches!(fails(late.put(1).await), Error::Limit(_)));
    }
    Ok(())
}

/// Runs with `--max-memory=16MiB`.
async fn memory_is_limited() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    let item = Rc::new("x".repeat(1 << 20));
    for _ in 0..3 {
        let mut count = 0;
        let error = loop {
            match queue.put((*item).clone()).await {
                Ok(()) => count += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Limit(_)), "{error}");
        assert!(error.to_string().contains("--max-memory"), "{error}");
        assert!((4..16).contains(&count), "{count}");
        for _ in 0..count {
            assert_eq!(queue.get().await?.len(), 1 << 20);
        }
        assert!(queue.is_empty());
    }
    Ok(())
}

/// The test counts what the kernel is asked between the two words.
async fn traps() -> curio::Result<()> {
    let queue = UniversalQueue::new()?;
    queue.put(0).await?;
    queue.get().await?;
    curio::clock();
    for n in 0..3 {
        queue.put(n).await?;
        queue.get().await?;
    }
    curio::clock();
    say("done");
    Ok(())
}
