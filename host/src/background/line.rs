//! Lines: how many errands of one instance are under way at a time.
//!
//! The threads are there for all instances. One whose errands never end, on a disk that is gone say, must not take
//! them all: what it sends beyond its share waits in its own line. Invariant: what waits belongs to a
//! handle; it leaves the line with that, so that a line is never longer than the instance's handles are many.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

/// How many errands of an instance are under way at a time.
const AT_A_TIME: usize = 64;

/// Something to be done.
type Work = Box<dyn FnOnce() + Send>;

/// An instance's line. Cheap to clone: all are one.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    under_way: usize,
    /// By the number of its turn.
    work: BTreeMap<u64, Work>,
    turns: u64,
}

impl Line {
    /// Has something done, now or in its turn. Returns the number of that, if it waits.
    ///
    /// # Panics
    /// If it is called outside of the background threads' runtime.
    pub(crate) fn send(&self, work: Work) -> Option<u64> {
        let mut waiting = self.lock();
        if waiting.under_way >= AT_A_TIME {
            waiting.turns += 1;
            let turn = waiting.turns;
            waiting.work.insert(turn, work);
            return Some(turn);
        }
        waiting.under_way += 1;
        drop(waiting);
        let line = self.clone();
        spawn_blocking(move || {
            let mut next = Some(work);
            while let Some(work) = next {
                // Whoever waits for it is told by what it holds; the panic itself was reported.
                drop(catch_unwind(AssertUnwindSafe(work)));
                next = line.next();
            }
        });
        None
    }

    /// Takes what waits for its turn out of the line, unless that has come.
    pub(super) fn leave(&self, turn: u64) {
        let left = self.lock().work.remove(&turn);
        // What it holds may want to know of it, without the lock.
        drop(left);
    }

    /// What is to be done next; if there is nothing, one errand less is under way.
    fn next(&self) -> Option<Work> {
        let mut waiting = self.lock();
        let next = waiting.work.pop_first();
        if next.is_none() {
            waiting.under_way -= 1;
        }
        next.map(|(_, work)| work)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.lock();
        f.debug_struct("Line")
            .field("under_way", &waiting.under_way)
            .field("waiting", &waiting.work.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::background::Background;

    /// Longer than anything takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn no_more_are_under_way_than_may_be() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let line = Line::default();
        let (begun, begins) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let turns: Vec<_> = (0..AT_A_TIME + 3)
            .map(|n| {
                let (begun, gate) = (begun.clone(), gate.clone());
                line.send(Box::new(move || {
                    begun.send(n).unwrap();
                    gate.lock().unwrap().recv().unwrap();
                }))
            })
            .collect();
        assert!(turns[..AT_A_TIME].iter().all(Option::is_none));
        assert_eq!(turns[AT_A_TIME..], [Some(1), Some(2), Some(3)]);
        let mut first: Vec<_> = (0..AT_A_TIME)
            .map(|_| begins.recv_timeout(PATIENCE).unwrap())
            .collect();
        first.sort_unstable();
        assert_eq!(first, (0..AT_A_TIME).collect::<Vec<_>>());

        // One leaves; the others come in their order.
        line.leave(2);
        for n in [AT_A_TIME, AT_A_TIME + 2] {
            go.send(()).unwrap();
            assert_eq!(begins.recv_timeout(PATIENCE).unwrap(), n);
        }
        for _ in 0..AT_A_TIME {
            go.send(()).unwrap();
        }
        while line.lock().under_way > 0 {
            std::thread::yield_now();
        }
        assert!(begins.try_recv().is_err());
    }

    #[test]
    fn a_panic_does_not_hold_the_line_up() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let line = Line::default();
        let (done, is_done) = mpsc::channel();
        for _ in 0..3 * AT_A_TIME {
            line.send(Box::new(|| std::panic::resume_unwind(Box::new(()))));
        }
        line.send(Box::new(move || done.send(()).unwrap()));
        is_done.recv_timeout(PATIENCE).unwrap();
    }
}
