//! Items of queues that instances share: what may be one, and how much; and handles that are.

use std::rc::Rc;

use curio::Error;
use curio::queue::UniversalQueue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use test_guests::{fails, say};

test_guests::cases! {
    a_handle_that_comes_too_late_says_so
    an_item_of_another_type_is_an_error
    an_item_that_is_too_big_is_an_error
    what_can_t_be_serialised_is_an_error
    handles_are_limited
    memory_is_limited
    traps
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
