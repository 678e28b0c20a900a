//! What no honest program does with what it shares, by bindings of its own: one case an argument. It exports no jobs.

mod raw {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "guest",
        generate_all,
    });
}

use raw::curio::kernel::queues::{Event, Key, Lock, Outcome as Set, Queue, QueueSide, ResultCell};
use raw::curio::kernel::traps::{self, Caller, Outcome};
use raw::curio::kernel::types::Error;
use raw::curio::kernel::workers::{Job, LossReason, Outcome as Ended, Place};

/// Another number for each trap.
const COOKIE: u64 = 7;

/// How many bytes an item may have.
const MOST: usize = 16_000_000;

fn caller(task: u64, cookie: u64) -> Caller {
    Caller { task, cookie }
}

/// How a trap ended, as soon as it has; none if that takes long.
fn ended(cookie: u64, until: u64) -> Option<Outcome> {
    loop {
        let pass = traps::wait(0, &[], until);
        for resumption in pass[1..].chunks(3) {
            if resumption[0] == cookie {
                let outcomes = [
                    Outcome::Done,
                    Outcome::Busy,
                    Outcome::Closed,
                    Outcome::EndRequested,
                    Outcome::InvalidState,
                ];
                let place = usize::try_from(resumption[1]).expect("it is small");
                return Some(outcomes[place]);
            }
        }
        if pass[0] >= until {
            return None;
        }
    }
}

fn outcome(cookie: u64) -> Outcome {
    ended(cookie, u64::MAX).expect("nobody gives up")
}

fn still_waits(cookie: u64) {
    assert_eq!(ended(cookie, traps::now() + 5_000_000), None);
}

fn queue(max: u32) -> Queue {
    Queue::create(max).expect("there is room")
}

fn lock() -> Lock {
    Lock::create().expect("there is room")
}

fn again(lock: &Lock) -> Lock {
    Lock::open(lock.key().expect("it has one")).expect("it is there")
}

/// Waits of those that stand in no line, and all that one does not have.
fn nothing_of_one_s_own(task: u64) {
    let (queue, lock) = (queue(1), lock());
    for side in [QueueSide::Get, QueueSide::Put] {
        queue.leave(side);
        queue.wait(side, caller(task, COOKIE));
        assert_eq!(outcome(COOKIE), Outcome::InvalidState);
    }
    lock.leave();
    lock.wait(caller(task, COOKIE));
    assert_eq!(outcome(COOKIE), Outcome::InvalidState);
    assert!(matches!(lock.release(), Err(Error::InvalidState(_))));
    assert!(matches!(lock.acquire(), Ok(false)));
    assert!(matches!(lock.acquire(), Err(Error::InvalidState(_))));
    let other = again(&lock);
    assert!(matches!(other.release(), Err(Error::InvalidState(_))));
    assert!(lock.is_locked());
    // Who has it stands in no line.
    lock.leave();
    lock.wait(caller(task, COOKIE));
    assert_eq!(outcome(COOKIE), Outcome::InvalidState);
    lock.release().expect("it is ours");
    assert!(matches!(lock.release(), Err(Error::InvalidState(_))));
    for _ in 0..3 {
        assert!(matches!(queue.task_done(), Err(Error::InvalidState(_))));
        queue.put(b"x").expect("there is room");
        queue.task_done().expect("there is one to do");
        queue.get().expect("there is one");
    }
    assert_eq!(queue.undone(), None);
}

fn wrong_keys() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut keys: Vec<_> = (0..1000)
        .map(|_| Key {
            high: random.u64(..),
            low: random.u64(..),
        })
        .collect();
    keys.extend([0, u64::MAX].map(|half| Key {
        high: half,
        low: half,
    }));
    keys.push(queue(0).key().expect("it has one"));
    let event = Event::create().expect("there is room");
    for key in keys {
        assert!(matches!(Queue::open(key), Err(Error::InvalidArgument(_))));
        assert!(matches!(Lock::open(key), Err(Error::InvalidArgument(_))));
        assert!(matches!(Event::open(key), Err(Error::InvalidArgument(_))));
        assert!(matches!(
            ResultCell::open(key),
            Err(Error::InvalidArgument(_))
        ));
    }
    let key = event.key().expect("it has one");
    assert!(matches!(Queue::open(key), Err(Error::InvalidArgument(_))));
    Event::open(key).expect("it is there").set();
    assert_eq!(event.unset(), None);
}

fn too_big() {
    let queue = queue(0);
    let mut item = vec![1; MOST + 1];
    assert!(matches!(queue.put(&item), Err(Error::InvalidArgument(_))));
    let cell = ResultCell::create().expect("there is room");
    let set = cell.set(&Set::Value(item.clone()));
    assert!(matches!(set, Err(Error::InvalidArgument(_))));
    assert!(!cell.is_set());
    item.pop();
    queue.put(&item).expect("it is not too big");
    assert!(queue.get().is_ok_and(|got| got == item));
    // As much as there is memory for, again and again.
    let part = &item[..1_000_000];
    for _ in 0..3 {
        let mut count = 0_u32;
        while count < 1000 && queue.put(part).is_ok() {
            count += 1;
        }
        assert!((1..1000).contains(&count), "{count}");
        assert!(matches!(queue.put(part), Err(Error::Limit(_))));
        assert_eq!(queue.length(), count);
        (0..count).for_each(|_| drop(queue.get().expect("there is one")));
    }
}

fn dropped_while_waiting(task: u64) {
    let (empty, full, locked) = (queue(0), queue(1), lock());
    full.put(b"x").expect("there is room");
    let holder = again(&locked);
    assert!(matches!(holder.acquire(), Ok(false)));
    assert!(matches!(empty.get(), Err(Error::WouldBlock)));
    assert!(matches!(full.put(b"y"), Err(Error::WouldBlock)));
    assert!(matches!(locked.acquire(), Err(Error::WouldBlock)));
    let event = Event::create().expect("there is room");
    let cell = ResultCell::create().expect("there is room");
    empty.wait(QueueSide::Get, caller(task, 1));
    full.wait(QueueSide::Put, caller(task, 2));
    full.join(u64::MAX, caller(task, 3));
    locked.wait(caller(task, 4));
    event.wait(u64::MAX, caller(task, 5));
    cell.wait(caller(task, 6));
    // A second one each.
    empty.wait(QueueSide::Get, caller(task, 11));
    full.wait(QueueSide::Put, caller(task, 12));
    full.join(0, caller(task, 13));
    locked.wait(caller(task, 14));
    event.wait(0, caller(task, 15));
    cell.wait(caller(task, 16));
    for cookie in 11..=16 {
        // They are told in this order.
        assert_eq!(outcome_of_next(cookie), Outcome::Busy);
    }
    drop((empty, full, locked, event, cell));
    for cookie in 1..=6 {
        assert_eq!(outcome_of_next(cookie), Outcome::Closed);
    }
    holder.release().expect("it is ours");
    assert!(!holder.is_locked());
}

/// As [`outcome`], of several that have ended at once.
fn outcome_of_next(cookie: u64) -> Outcome {
    use std::cell::RefCell;
    thread_local!(static TOLD: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) });
    TOLD.with_borrow_mut(|told| {
        loop {
            if let Some(at) = told.iter().position(|(of, _)| *of == cookie) {
                return match told.remove(at).1 {
                    0 => Outcome::Done,
                    1 => Outcome::Busy,
                    2 => Outcome::Closed,
                    other => panic!("{other}"),
                };
            }
            let pass = traps::wait(0, &[], u64::MAX);
            told.extend(pass[1..].chunks(3).map(|one| (one[0], one[1])));
        }
    })
}

/// Numbers at the end of what there is.
fn odd_numbers(task: u64) {
    let queue = queue(u32::MAX);
    assert_eq!(queue.max_size(), Some(u32::MAX));
    queue.put(b"").expect("there is room");
    let event = Event::create().expect("there is room");
    event.wait(u64::MAX, caller(task, COOKIE));
    for _ in 0..100 {
        event.set();
        event.clear();
    }
    still_waits(COOKIE);
    drop(event);
    queue.join(u64::MAX, caller(task, COOKIE + 1));
    queue.task_done().expect("there is one to do");
    still_waits(COOKIE + 1);
    drop(queue);
}

fn many_handles() {
    for _ in 0..20 {
        let first = lock();
        let mut locks = Vec::new();
        let error = loop {
            match Lock::open(first.key().expect("it has one")) {
                Ok(lock) => locks.push(lock),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Limit(_)), "{error:?}");
        assert_eq!(locks.len(), 999);
        assert!(matches!(first.acquire(), Ok(false)));
        for lock in &locks {
            assert!(matches!(lock.acquire(), Err(Error::WouldBlock)));
        }
        // The first one goes, and with it each that the lock is promised to.
        drop(first);
        for lock in locks.drain(..998) {
            drop(lock);
        }
        assert!(matches!(locks[0].acquire(), Ok(true)));
    }
}

/// Handles that stand in line, leave it, pass or go, at random: what is promised is lost to nobody.
fn at_random() {
    for seed in 0..50 {
        let mut random = fastrand::Rng::with_seed(seed);
        let last = lock();
        let mut locks: Vec<_> = (0..10).map(|_| again(&last)).collect();
        while !locks.is_empty() {
            let at = random.usize(..locks.len());
            match random.u8(..10) {
                0..4 => drop(locks[at].acquire()),
                4..7 => drop(locks[at].release()),
                7..9 => locks[at].leave(),
                _ => drop(locks.swap_remove(at)),
            }
        }
        assert!(!last.is_locked(), "with seed {seed}");
        last.acquire().expect("nobody has it");
    }
}

/// A component without jobs has some done.
fn no_jobs(task: u64) {
    for place in [Place::Thread, Place::Process] {
        for _ in 0..3 {
            let job = Job::start(place, 0, b"x").expect("there may be one");
            let ended = loop {
                match job.outcome() {
                    Err(Error::WouldBlock) => {
                        job.read_wait(caller(task, COOKIE));
                        assert_eq!(outcome(COOKIE), Outcome::Done);
                    }
                    ended => break ended.expect("it is told"),
                }
            };
            let Ended::Lost(loss) = ended else {
                panic!("nobody could do it");
            };
            assert!(loss.message.contains("exports no"), "{}", loss.message);
            assert!(matches!(loss.reason, LossReason::Faulted));
        }
    }
}

fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    let task = traps::spawn(0, 0, false).expect("it is the first");
    match case.as_str() {
        "nothing-of-one-s-own" => nothing_of_one_s_own(task),
        "wrong-keys" => wrong_keys(),
        "too-big" => too_big(),
        "dropped-while-waiting" => dropped_while_waiting(task),
        "odd-numbers" => odd_numbers(task),
        "many-handles" => many_handles(),
        "at-random" => at_random(),
        "no-jobs" => no_jobs(task),
        _ => panic!("there is no case {case}"),
    }
    traps::exit(task);
}
