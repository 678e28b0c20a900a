//! Queues, by which tasks hand items to each other.
//!
//! Waiting is first come, first served: an item that was put for a task that waits is not taken by one that
//! comes later. No item is lost or taken twice when a task is interrupted.
//!
//! - [`Queued`]: what can be done with a queue of one instance
//! - [`UniversalQueue`]: a queue that other threads and instances have, too
//! - [`Items`]: the order of its items
//! - [`QueueStream`]: its items one by one, for code that wants a `Stream`

mod items;
mod stream;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

pub use self::items::Items;
pub use self::stream::QueueStream;
use crate::error::{Error, Result};
use crate::traps::{SchedBarrier, SchedFifo};
pub use crate::universal::UniversalQueue;

/// A queue: first in, first out. What can be done with it is on [`Queued`].
///
/// ```no_run
/// use std::rc::Rc;
///
/// # async fn example() -> curio::Result<()> {
/// let queue = Rc::new(curio::queue::Queue::new());
/// let items = queue.clone();
/// let consumer = curio::spawn(async move {
///     for _ in 0..3 {
///         println!("{}", items.get().await?);
///         items.task_done()?;
///     }
///     Ok(())
/// });
/// for n in 0..3 {
///     queue.put(n).await?;
/// }
/// queue.join().await?;
/// consumer.join().await?;
/// # Ok(())
/// # }
/// ```
pub type Queue<T> = Queued<VecDeque<T>>;

/// A queue that gives the smallest item first. Of equal ones, any.
pub type PriorityQueue<T> = Queued<BinaryHeap<Reverse<T>>>;

/// A queue that gives the newest item first: a stack.
#[doc(alias = "LIFOQueue")]
pub type LifoQueue<T> = Queued<Vec<T>>;

/// A queue over some order of items: [`Queue`], [`PriorityQueue`], [`LifoQueue`].
pub struct Queued<I> {
    items: RefCell<I>,
    maxsize: usize,
    getting: SchedFifo,
    putting: SchedFifo,
    joining: SchedBarrier,
    /// Tasks that were woken to take an item, and have not yet.
    getters: Cell<usize>,
    /// Tasks that were woken to put an item, and have not yet.
    putters: Cell<usize>,
    /// Items that were put and not yet said to be done.
    undone: Cell<usize>,
}

impl<I: Items> Default for Queued<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Items> Queued<I> {
    /// A queue for any number of items.
    pub fn new() -> Self {
        Self::bounded(usize::MAX)
    }

    /// A queue for so many items at a time; 0 is any number.
    #[doc(alias = "maxsize")]
    pub fn bounded(maxsize: usize) -> Self {
        Self {
            items: RefCell::default(),
            maxsize: if maxsize == 0 { usize::MAX } else { maxsize },
            getting: SchedFifo::new(),
            putting: SchedFifo::new(),
            joining: SchedBarrier::new(),
            getters: Cell::new(0),
            putters: Cell::new(0),
            undone: Cell::new(0),
        }
    }

    /// How many items are in it.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.items.borrow().count()
    }

    /// Whether no item is in it.
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no other item fits in.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.len() >= self.maxsize
    }

    /// Puts an item in, and blocks while the queue is full.
    ///
    /// # Cancellation
    /// The item is not in the queue, and is dropped.
    pub async fn put(&self, item: I::Item) -> Result<()> {
        if self.len() + self.putters.get() >= self.maxsize {
            let room = self.putting.suspend("queue-put");
            room.or_pass_on(|| {
                self.putters.set(self.putters.get() - 1);
                self.wake_putter();
            })
            .await?;
            self.putters.set(self.putters.get() - 1);
        }
        self.items.borrow_mut().add(item);
        self.undone.set(self.undone.get() + 1);
        self.wake_getter();
        Ok(())
    }

    /// Takes the next item, and blocks while there is none.
    ///
    /// # Cancellation
    /// No item is taken.
    pub async fn get(&self) -> Result<I::Item> {
        loop {
            if let Some(item) = self.take_free() {
                return Ok(item);
            }
            let item = self.getting.suspend("queue-get");
            item.or_pass_on(|| {
                self.getters.set(self.getters.get() - 1);
                self.wake_getter();
            })
            .await?;
            self.getters.set(self.getters.get() - 1);
        }
    }

    /// The items one by one, as [`Queued::get`] gives them, as a `Stream`: for the functions of crates that take one.
    /// It never ends.
    ///
    /// ```no_run
    /// use futures::StreamExt;
    ///
    /// # async fn example(queue: &curio::queue::Queue<u32>) -> curio::Result<()> {
    /// let mut items = queue.stream();
    /// while let Some(item) = items.next().await {
    ///     println!("{}", item?);
    ///     queue.task_done()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "__aiter__")]
    pub fn stream(&self) -> QueueStream<'_, I> {
        QueueStream::new(self)
    }

    /// Takes the next item that nobody is promised.
    fn take_free(&self) -> Option<I::Item> {
        if self.len() <= self.getters.get() {
            return None;
        }
        let item = self.items.borrow_mut().take()?;
        self.wake_putter();
        Some(item)
    }

    /// Promises an item to the task that has waited longest for one.
    fn wake_getter(&self) {
        if self.len() > self.getters.get() && self.getting.wake(1) == 1 {
            self.getters.set(self.getters.get() + 1);
        }
    }

    /// Promises a place to the task that has waited longest for one.
    fn wake_putter(&self) {
        if self.len() + self.putters.get() < self.maxsize && self.putting.wake(1) == 1 {
            self.putters.set(self.putters.get() + 1);
        }
    }

    /// Says that an item that was taken has been dealt with: see [`Queued::join`]. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`] if it was said of all items before.
    pub fn task_done(&self) -> Result<()> {
        let undone = self.undone.get().checked_sub(1).ok_or_else(|| {
            Error::InvalidState("task_done was called more often than items were put".to_owned())
        })?;
        self.undone.set(undone);
        if undone == 0 {
            self.joining.wake();
        }
        Ok(())
    }

    /// Blocks until all items that were put have been dealt with.
    ///
    /// # Cancellation
    /// The task no longer waits.
    pub async fn join(&self) -> Result<()> {
        if self.undone.get() == 0 {
            return Ok(());
        }
        self.joining.suspend("queue-join").await
    }
}

impl<I: Items> fmt::Debug for Queued<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("maxsize", &self.maxsize)
            .finish_non_exhaustive()
    }
}
