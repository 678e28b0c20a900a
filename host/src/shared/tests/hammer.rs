//! Threads that all do a lot at once, each with a kernel of its own, and give up at random.
//!
//! A failure prints its seed; `CURIO_SEED=… cargo test hammer` does the same again, as far as threads do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;
use crate::shared::Side as QueueSide;

const THREADS: u64 = 4;
const ITEMS: u64 = 1_000;

/// Marsaglia's xorshift64.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, thread: u64) -> Self {
        Self((seed + thread).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// How long to wait before giving up: not at all, a little, or for ever.
    fn patience(&mut self) -> Duration {
        match self.below(4) {
            0 => Duration::ZERO,
            1 => Duration::from_micros(self.below(100)),
            _ => PATIENCE,
        }
    }
}

/// Runs a test with some seeds, and says with which it fails.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks into a failure names its seed"
)]
fn seeds(test: impl Fn(u64)) {
    let seeds = match std::env::var("CURIO_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..8).collect(),
    };
    for seed in seeds {
        println!("CURIO_SEED={seed}");
        test(seed);
    }
}

/// Puts an item in, however often it gives up before.
fn put(side: &mut Side, queue: &mut Queue, dice: &mut Dice, item: &[u8]) {
    while side.put(queue, item).is_err() {
        let patience = dice.patience();
        if !side.wait(queue.wait(QueueSide::Put), patience) {
            assert!(patience < PATIENCE, "it is never called");
        }
        if dice.below(4) == 0 {
            queue.leave(QueueSide::Put);
        }
    }
}

/// Takes an item, however often it gives up before.
fn get(side: &mut Side, queue: &mut Queue, dice: &mut Dice) -> Vec<u8> {
    loop {
        match queue.get() {
            Ok(item) => return item,
            Err(error) => not_yet::<()>(&Err(error)),
        }
        let patience = dice.patience();
        if !side.wait(queue.wait(QueueSide::Get), patience) {
            assert!(patience < PATIENCE, "it is never called");
        }
        match dice.below(8) {
            0 => queue.leave(QueueSide::Get),
            // A handle that goes while it stands in line.
            1 => *queue = side.open(queue),
            _ => {}
        }
    }
}

fn hammer_queue(seed: u64) {
    let family = Family::new();
    let mut main = Side::new(&family);
    let max = u32::try_from(seed % 4).unwrap();
    let mut queue = main.queue((max > 0).then_some(max));
    let key = queue.key().unwrap();
    thread::scope(|scope| {
        let family = &family;
        let producers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut dice = Dice::new(seed, thread);
                    let mut side = Side::new(family);
                    let mut queue = side.try_open(key).unwrap();
                    for n in 0..ITEMS {
                        let item = [thread.to_ne_bytes(), n.to_ne_bytes()].concat();
                        put(&mut side, &mut queue, &mut dice, &item);
                    }
                })
            })
            .collect();
        let consumers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut dice = Dice::new(seed, THREADS + thread);
                    let mut side = Side::new(family);
                    let mut queue = side.try_open(key).unwrap();
                    let mut items = BTreeMap::<u64, Vec<u64>>::new();
                    loop {
                        let item = get(&mut side, &mut queue, &mut dice);
                        let numbers = item.chunks(8).map(|of| of.try_into().unwrap());
                        let numbers: Vec<_> = numbers.map(u64::from_ne_bytes).collect();
                        queue.task_done().unwrap();
                        match numbers[..] {
                            [from, n] => items.entry(from).or_default().push(n),
                            _ => return items,
                        }
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        let mut dice = Dice::new(seed, 2 * THREADS);
        for _ in 0..THREADS {
            put(&mut main, &mut queue, &mut dice, b"");
        }
        if let Some(since) = queue.undone() {
            main.must(queue.join(since));
        }
        let mut all = BTreeMap::<u64, Vec<u64>>::new();
        for consumer in consumers {
            for (from, items) in consumer.join().unwrap() {
                assert!(items.is_sorted(), "one has them in order");
                all.entry(from).or_default().extend(items);
            }
        }
        for from in 0..THREADS {
            let items = all.get_mut(&from).unwrap();
            items.sort_unstable();
            assert!(items.iter().copied().eq(0..ITEMS), "each comes once");
        }
    });
    drop(queue);
    assert_eq!(family.allowance.used(), 0);
    assert_eq!(family.registry.len(), 0);
}

#[test]
fn hammered_queues_lose_nothing() {
    seeds(hammer_queue);
}

fn hammer_lock(seed: u64) {
    let family = Family::new();
    let mut main = Side::new(&family);
    let mut lock = main.lock();
    let key = lock.key().unwrap();
    // Were two to have the lock, one of them would write over what the other has counted.
    let counted = AtomicU64::new(0);
    let (abandoned, told) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (family, counted, abandoned, told) = (&family, &counted, &abandoned, &told);
            scope.spawn(move || {
                let mut dice = Dice::new(seed, thread);
                let mut side = Side::new(family);
                let mut lock: Lock = side.try_open(key).unwrap();
                for _ in 0..ITEMS {
                    let was_abandoned = loop {
                        match lock.acquire() {
                            Ok(was_abandoned) => break was_abandoned,
                            Err(error) => not_yet::<()>(&Err(error)),
                        }
                        let patience = dice.patience();
                        if !side.wait(lock.wait(), patience) {
                            assert!(patience < PATIENCE, "it is never called");
                        }
                        if dice.below(4) == 0 {
                            lock.leave();
                        }
                    };
                    told.fetch_add(u64::from(was_abandoned), Ordering::Relaxed);
                    let before = counted.load(Ordering::Relaxed);
                    if dice.below(8) == 0 {
                        thread::yield_now();
                    }
                    counted.store(before + 1, Ordering::Relaxed);
                    if dice.below(16) == 0 {
                        abandoned.fetch_add(1, Ordering::Relaxed);
                        lock = side.try_open(key).unwrap();
                    } else {
                        lock.release().unwrap();
                    }
                }
            });
        }
    });
    let last = lock.acquire().unwrap();
    assert_eq!(counted.into_inner(), THREADS * ITEMS);
    assert_eq!(abandoned.into_inner(), told.into_inner() + u64::from(last));
}

#[test]
fn hammered_locks_have_one_holder() {
    seeds(hammer_lock);
}

fn hammer_event(seed: u64) {
    const ROUNDS: u64 = 200;
    let family = Family::new();
    let mut main = Side::new(&family);
    let event = main.event();
    let key = event.key().unwrap();
    let waiting = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (family, waiting) = (&family, &waiting);
            scope.spawn(move || {
                let mut dice = Dice::new(seed, thread);
                let mut side = Side::new(family);
                let mut event: Event = side.try_open(key).unwrap();
                for _ in 0..ROUNDS {
                    let since = loop {
                        match event.unset() {
                            Some(since) => break since,
                            None => thread::yield_now(),
                        }
                    };
                    waiting.fetch_add(1, Ordering::SeqCst);
                    while event.unset() == Some(since) {
                        let patience = dice.patience();
                        if !side.wait(event.wait(since), patience) {
                            assert!(patience < PATIENCE, "it is never called");
                        }
                        if dice.below(8) == 0 {
                            event = side.open(&event);
                        }
                    }
                }
            });
        }
        for round in 1..=ROUNDS {
            while waiting.load(Ordering::SeqCst) < round * THREADS {
                thread::yield_now();
            }
            // Who has begun to wait has seen it, however short it was.
            event.set();
            event.clear();
        }
    });
}

#[test]
fn hammered_events_wake_everybody() {
    seeds(hammer_event);
}
