//! Queues between threads and instances.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bytes;
use super::reference::{Handle, Reference, is_reference};
use crate::bindings::queues::{self as kernel, Key, QueueSide};
use crate::bindings::types;
use crate::error::{Result, tried};
use crate::sync::Lock;
use crate::traps::wait_for;

/// A queue for tasks wherever they are: in this instance, on other threads, in other instances of the same host. First
/// in, first out.
///
/// This is a handle. A clone is the same queue, and a handle that is passed to a function on another thread is, too:
/// see [`sync`](crate::sync). Items are serialised, by `serde`: 16,000,000 bytes each at the most. They count against the
/// memory of the program that puts them in. The queue is gone with the last of its handles, and the items with it.
///
/// ```no_run
/// use curio::queue::UniversalQueue;
///
/// # async fn example() -> curio::Result<()> {
/// let queue = UniversalQueue::new()?;
/// let items = queue.clone();
/// let consumer = curio::spawn(async move {
///     while let Some(item) = items.get().await? {
///         println!("got {item}");
///         items.task_done()?;
///     }
///     Ok(())
/// });
/// for n in 0..3 {
///     queue.put(Some(n)).await?;
/// }
/// queue.put(None).await?;
/// consumer.join().await?;
/// # Ok(())
/// # }
/// ```
pub struct UniversalQueue<T> {
    reference: Reference<Sides>,
    items: PhantomData<fn(T) -> T>,
}

struct Sides {
    queue: kernel::Queue,
    // Who has one of these stands in the kernel's line.
    putting: Lock,
    getting: Lock,
    joining: Lock,
}

is_reference!(UniversalQueue<T>);

impl Sides {
    fn of(queue: kernel::Queue) -> Self {
        Self {
            queue,
            putting: Lock::new(),
            getting: Lock::new(),
            joining: Lock::new(),
        }
    }

    /// Blocks until an attempt succeeds. The attempt before has failed, and so the handle stands in line.
    async fn wait<T>(
        &self,
        side: QueueSide,
        attempt: impl Fn() -> Result<T, types::Error>,
    ) -> Result<T> {
        let place = Place { sides: self, side };
        loop {
            wait_for(|by| self.queue.wait(side, by)).await?;
            if let Some(done) = tried(attempt())? {
                // It no longer stands there.
                std::mem::forget(place);
                return Ok(done);
            }
        }
    }
}

impl Handle for Sides {
    const NAME: &'static str = "UniversalQueue";

    fn open(key: Key) -> Result<Self, types::Error> {
        kernel::Queue::open(key).map(Self::of)
    }

    fn key(&self) -> Result<Key, types::Error> {
        self.queue.key()
    }
}

/// The handle's place in the kernel's line, which it leaves if its task gives up.
struct Place<'a> {
    sides: &'a Sides,
    side: QueueSide,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.sides.queue.leave(self.side);
    }
}

impl<T> UniversalQueue<T> {
    fn of(reference: Reference<Sides>) -> Self {
        Self {
            reference,
            items: PhantomData,
        }
    }

    /// A queue for any number of items.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit): handles, or memory.
    pub fn new() -> Result<Self> {
        Self::bounded(0)
    }

    /// A queue for so many items at a time; 0 is any number.
    ///
    /// # Errors
    /// As [`UniversalQueue::new`].
    #[doc(alias = "maxsize")]
    pub fn bounded(maxsize: u32) -> Result<Self> {
        let queue = kernel::Queue::create(maxsize)?;
        Ok(Self::of(Reference::new(Sides::of(queue))))
    }

    /// How many items are in it. None of a queue that was not found: see [`sync`](crate::sync).
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        let sides = self.reference.handle();
        sides.map_or(0, |sides| sides.queue.length() as usize)
    }

    /// Whether no item is in it.
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no other item fits in.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        let max = self.reference.handle().map(|sides| sides.queue.max_size());
        matches!(max, Ok(Some(max)) if self.len() >= max as usize)
    }

    /// Puts an item in, and blocks while the queue is full.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the item can't be serialised, or is too big;
    /// [`Error::Limit`](crate::Error::Limit) if there is no memory for it; and if the queue was not found.
    ///
    /// # Cancellation
    /// The item is not in the queue, and is dropped.
    pub async fn put(&self, item: T) -> Result<()>
    where
        T: Serialize,
    {
        let sides = self.reference.handle()?;
        let bytes = bytes::write(&item)?;
        drop(item);
        let _turn = sides.putting.lock_for("queue-put").await?;
        let attempt = || sides.queue.put(&bytes);
        match tried(attempt())? {
            Some(()) => Ok(()),
            None => sides.wait(QueueSide::Put, attempt).await,
        }
    }

    /// Takes the next item, and blocks while there is none.
    ///
    /// # Errors
    /// [`Error::InvalidState`](crate::Error::InvalidState) if the item is of another type, and lost; and if the queue was
    /// not found.
    ///
    /// # Cancellation
    /// No item is taken.
    pub async fn get(&self) -> Result<T>
    where
        T: DeserializeOwned,
    {
        let sides = self.reference.handle()?;
        let turn = sides.getting.lock_for("queue-get").await?;
        let attempt = || sides.queue.get();
        let item = match tried(attempt())? {
            Some(item) => item,
            None => sides.wait(QueueSide::Get, attempt).await?,
        };
        drop(turn);
        bytes::read(&item)
    }

    /// Says that an item that was taken has been dealt with: see [`UniversalQueue::join`]. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`](crate::Error::InvalidState) if it was said of all items before; and if the queue was not
    /// found.
    pub fn task_done(&self) -> Result<()> {
        Ok(self.reference.handle()?.queue.task_done()?)
    }

    /// Blocks until all items that were put have been dealt with, by whomever.
    ///
    /// # Errors
    /// If the queue was not found.
    ///
    /// # Cancellation
    /// The task no longer waits.
    pub async fn join(&self) -> Result<()> {
        let sides = self.reference.handle()?;
        let Some(since) = sides.queue.undone() else {
            return Ok(());
        };
        let _turn = sides.joining.lock_for("queue-join").await?;
        while sides.queue.undone() == Some(since) {
            wait_for(|by| sides.queue.join(since, by)).await?;
        }
        Ok(())
    }
}
