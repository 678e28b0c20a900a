//! Lanes: work of one kind, of which only so much is under way at a time. The rest waits in line.
//!
//! What a guest gives up stops counting only when the thread that does it comes back, which may take long. So
//! the threads that a guest can keep are bounded here, and not by its handles.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

/// How many errands of an instance are under way at a time. One whose errands never end, on a disk that is gone say,
/// does not take the threads of all.
pub(crate) const ERRANDS: usize = 64;

/// Something to do on another thread.
type Work = Box<dyn FnOnce() + Send>;

/// A lane. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Mutex<State>>);

struct State {
    /// How many more threads may be busy.
    free: usize,
    /// The number of the next one in line.
    next: u64,
    /// What waits, in its order.
    waiting: BTreeMap<u64, Work>,
}

/// A place in line. What still waits when it is dropped is not done any more.
#[derive(Debug)]
pub(super) struct Place {
    lane: Lane,
    /// None, if it was its turn at once.
    number: Option<u64>,
}

impl Lane {
    /// A lane for so many threads.
    pub(crate) fn new(width: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: width,
            next: 0,
            waiting: BTreeMap::new(),
        })))
    }

    /// Has something done when it is its turn, as long as its place is kept.
    ///
    /// # Panics
    /// If it is called outside of the background threads' runtime.
    pub(super) fn enter(&self, work: Work) -> Place {
        Place {
            lane: self.clone(),
            number: self.send(work),
        }
    }

    /// Has something done when it is its turn. Returns the number of that, unless it has come.
    ///
    /// # Panics
    /// As [`Lane::enter`].
    pub(crate) fn send(&self, work: Work) -> Option<u64> {
        let mut state = self.state();
        if let Some(free) = state.free.checked_sub(1) {
            state.free = free;
            drop(state);
            let lane = self.clone();
            spawn_blocking(move || lane.do_all(work));
            None
        } else {
            let number = state.next;
            state.next += 1;
            state.waiting.insert(number, work);
            Some(number)
        }
    }

    /// Does one thing, and then what waits.
    fn do_all(&self, first: Work) {
        let mut next = Some(first);
        while let Some(work) = next {
            // Whoever waits for it learns of a panic by what the work drops; the lane goes on.
            drop(catch_unwind(AssertUnwindSafe(work)));
            let mut state = self.state();
            next = state.waiting.pop_first().map(|(_, work)| work);
            if next.is_none() {
                state.free += 1;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Lane")
            .field("free", &state.free)
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // It may have something to say when it is dropped, which is not for the lane's lock.
            let work = self.lane.state().waiting.remove(&number);
            drop(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;
    use crate::background::Background;

    const LONG: Duration = Duration::from_secs(30);

    /// Work that says when it begins, and ends when it is let.
    fn work(number: u32, begun: &Sender<u32>) -> (Work, Sender<()>) {
        let begun = begun.clone();
        let (let_go, wait) = channel();
        let work = move || {
            begun.send(number).unwrap();
            wait.recv().unwrap_err();
        };
        (Box::new(work), let_go)
    }

    /// What has begun: so many, in any order.
    fn begun(count: usize, receiver: &Receiver<u32>) -> Vec<u32> {
        let mut numbers: Vec<_> = (0..count)
            .map(|_| receiver.recv_timeout(LONG).unwrap())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn no_more_is_under_way_than_it_is_wide() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let lane = Lane::new(2);
        let (sender, receiver) = channel();
        let mut ends = Vec::new();
        let mut places = Vec::new();
        for number in 0..5 {
            let (work, let_go) = work(number, &sender);
            places.push(lane.enter(work));
            ends.push(let_go);
        }
        assert_eq!(begun(2, &receiver), [0, 1]);
        assert_eq!(lane.state().waiting.len(), 3);
        assert!(receiver.try_recv().is_err());
        // One that is given up in line never begins; one that has begun goes on.
        drop(places.remove(2));
        drop(places.remove(0));
        assert_eq!(lane.state().waiting.len(), 2);
        drop(ends.remove(0));
        assert_eq!(begun(1, &receiver), [3]);
        drop(ends);
        assert_eq!(begun(1, &receiver), [4]);
        while lane.state().free < 2 {
            std::thread::yield_now();
        }
        drop(places);
        drop(sender);
        assert!(receiver.recv_timeout(LONG).is_err(), "nothing else began");
    }

    #[test]
    fn a_panic_is_not_in_the_way_of_others() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let lane = Lane::new(1);
        let (sender, receiver) = channel();
        let first = lane.enter(Box::new(|| std::panic::resume_unwind(Box::new(()))));
        let (work, let_go) = work(1, &sender);
        let second = lane.enter(work);
        drop(let_go);
        assert_eq!(begun(1, &receiver), [1]);
        drop((first, second));
    }
}
