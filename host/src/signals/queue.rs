//! Signals that have come for a watcher and were not asked for yet, in their order.
//!
//! Invariant: none is lost, and the memory is bounded all the same. Signals of one kind in a row are one run. If there is no
//! room for another run, a signal is added to the last run of its kind: only its place in the order is lost then.
//! Room for one run of each kind is there from the beginning.

use std::collections::VecDeque;

use crate::permissions::Signal;

/// How many runs a queue may have beyond one of each kind.
const MAX_RUNS: usize = 65_536;

/// Signals of one kind that came one after the other.
#[derive(Debug)]
pub(super) struct Run {
    signal: Signal,
    count: u64,
    /// Whether its memory was taken when it came.
    paid: bool,
}

/// What a signal or its taking costs the watcher's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing.
    None,
    /// One run.
    Run,
}

/// Signals in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    runs: VecDeque<Run>,
    /// How many were paid.
    paid: usize,
}

impl Queue {
    /// Adds a signal. `pay` says whether memory for a run can be had, and takes it.
    pub(super) fn push(&mut self, signal: Signal, pay: impl FnOnce() -> bool) {
        if let Some(last) = self.runs.back_mut().filter(|last| last.signal == signal) {
            last.count += 1;
            return;
        }
        let paid = self.paid < MAX_RUNS && pay();
        if !paid {
            let mut earlier = self.runs.iter_mut().rev();
            if let Some(run) = earlier.find(|run| run.signal == signal) {
                run.count += 1;
                return;
            }
        }
        self.paid += usize::from(paid);
        self.runs.push_back(Run {
            signal,
            count: 1,
            paid,
        });
    }

    /// Takes the signal that came first, and what is to be given back.
    pub(super) fn pop(&mut self) -> Option<(Signal, Cost)> {
        let first = self.runs.front_mut()?;
        let signal = first.signal;
        first.count -= 1;
        let mut cost = Cost::None;
        if first.count == 0 && self.runs.pop_front().is_some_and(|run| run.paid) {
            self.paid -= 1;
            cost = Cost::Run;
        }
        Some((signal, cost))
    }

    /// How many runs were paid.
    pub(super) fn paid(&self) -> usize {
        self.paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: u8) -> Signal {
        Signal::new(number).unwrap()
    }

    fn push(queue: &mut Queue, numbers: &[u8], pay: bool) {
        for number in numbers {
            queue.push(signal(*number), || pay);
        }
    }

    fn rest(queue: &mut Queue) -> Vec<u8> {
        let signals = std::iter::from_fn(|| queue.pop());
        signals.map(|(signal, _)| signal.number()).collect()
    }

    #[test]
    fn signals_keep_their_order() {
        let mut queue = Queue::default();
        push(&mut queue, &[10, 10, 12, 10, 12, 12], true);
        assert_eq!(queue.paid(), 4);
        assert_eq!(queue.pop(), Some((signal(10), Cost::None)));
        assert_eq!(queue.pop(), Some((signal(10), Cost::Run)));
        assert_eq!(rest(&mut queue), [12, 10, 12, 12]);
        assert_eq!(queue.paid(), 0);
    }

    #[test]
    fn without_memory_only_the_order_is_lost() {
        let mut queue = Queue::default();
        push(&mut queue, &[10, 12], true);
        push(&mut queue, &[10, 12, 1, 10, 1], false);
        assert_eq!(queue.paid(), 2);
        assert_eq!(rest(&mut queue), [10, 10, 10, 12, 12, 1, 1]);
        assert_eq!(queue.paid(), 0);
    }

    #[test]
    fn the_runs_are_bounded() {
        let mut queue = Queue::default();
        for _ in 0..MAX_RUNS {
            push(&mut queue, &[10, 12], true);
        }
        assert_eq!(queue.paid(), MAX_RUNS);
        assert_eq!(queue.runs.len(), MAX_RUNS);
        assert_eq!(rest(&mut queue).len(), 2 * MAX_RUNS);
    }
}
