//! What a handle is told, step by step.

use super::*;
use crate::shared::{MAX_ITEM, Side as QueueSide};

#[test]
fn items_go_to_those_who_waited_in_their_order() {
    let family = Family::new();
    let mut sides = [(); 3].map(|()| Side::new(&family));
    let mut queue = sides[0].queue(None);
    let mut others = [1, 2].map(|n: usize| sides[n].open(&queue));
    for other in &mut others {
        not_yet(&other.get());
        not_yet(&other.get());
    }
    sides[0].put(&mut queue, b"a").unwrap();
    not_yet(&queue.get());
    assert!(!sides[2].is_called(|| others[1].wait(QueueSide::Get)));
    sides[1].must(others[0].wait(QueueSide::Get));
    sides[0].put(&mut queue, b"b").unwrap();
    // Items leave in their order, whoever is quicker to take the one that was promised.
    assert_eq!(others[1].get().unwrap(), b"a");
    assert_eq!(others[0].get().unwrap(), b"b");
    sides[0].put(&mut queue, b"c").unwrap();
    assert_eq!(queue.get().unwrap(), b"c");
    assert_eq!(queue.len(), 0);
}

#[test]
fn who_leaves_hands_on_what_was_promised() {
    let family = Family::new();
    let mut sides = [(); 3].map(|()| Side::new(&family));
    let mut queue = sides[0].queue(Some(1));
    let mut others = [1, 2].map(|n: usize| sides[n].open(&queue));
    for other in &mut others {
        not_yet(&other.get());
    }
    sides[0].put(&mut queue, b"a").unwrap();
    others[0].leave(QueueSide::Get);
    others[0].leave(QueueSide::Get);
    sides[2].must(others[1].wait(QueueSide::Get));
    assert_eq!(others[1].get().unwrap(), b"a");

    // The same with room, and with handles that go.
    sides[0].put(&mut queue, b"b").unwrap();
    let [mut first, mut second] = others;
    not_yet(&sides[1].put(&mut first, b"c"));
    not_yet(&sides[2].put(&mut second, b"d"));
    assert_eq!(queue.get().unwrap(), b"b");
    drop(first);
    sides[2].must(second.wait(QueueSide::Put));
    // A promised place is nobody else's.
    not_yet(&sides[0].put(&mut queue, b"e"));
    sides[2].put(&mut second, b"d").unwrap();
    not_yet(&sides[0].put(&mut queue, b"e"));
    // One that waits leaves without a word to anybody.
    queue.leave(QueueSide::Put);
    assert_eq!(second.get().unwrap(), b"d");
    assert_eq!(queue.wait(QueueSide::Put), Standing::Absent);
}

#[test]
fn a_call_that_nobody_heard_does_not_wake_anybody_later() {
    let family = Family::new();
    let (mut one, mut two) = (Side::new(&family), Side::new(&family));
    let mut queue = one.queue(None);
    let mut other = two.open(&queue);
    not_yet(&queue.get());
    two.put(&mut other, b"a").unwrap();
    // Before the call arrives, or after that.
    assert_eq!(queue.get().unwrap(), b"a");
    one.kernel.select(false).unwrap();
    not_yet(&queue.get());
    assert!(!one.is_called(|| queue.wait(QueueSide::Get)));
    two.put(&mut other, b"b").unwrap();
    one.must(queue.wait(QueueSide::Get));
    assert_eq!(queue.get().unwrap(), b"b");
}

#[test]
fn all_who_join_go_on() {
    let family = Family::new();
    let (mut one, mut two) = (Side::new(&family), Side::new(&family));
    let mut queue = one.queue(None);
    let other = two.open(&queue);
    assert_eq!(queue.undone(), None);
    assert!(matches!(queue.task_done(), Err(SharedError::State(_))));
    one.put(&mut queue, b"a").unwrap();
    let (mine, yours) = (queue.undone().unwrap(), other.undone().unwrap());
    assert!(!one.is_called(|| queue.join(mine)));
    assert!(!two.is_called(|| other.join(yours)));
    other.task_done().unwrap();
    // They have seen it, whatever comes next.
    one.put(&mut queue, b"b").unwrap();
    one.must(queue.join(mine));
    two.must(other.join(yours));
    let again = other.undone().unwrap();
    assert!(!two.is_called(|| other.join(again)));
    queue.task_done().unwrap();
    assert_eq!(other.undone(), None);
    two.must(other.join(again));
}

#[test]
fn who_waited_for_an_event_has_seen_it() {
    let family = Family::new();
    let (mut one, mut two) = (Side::new(&family), Side::new(&family));
    let event = one.event();
    let other = two.open(&event);
    let since = other.unset().unwrap();
    assert!(!two.is_called(|| other.wait(since)));
    event.set();
    event.set();
    event.clear();
    two.must(other.wait(since));
    let since = other.unset().unwrap();
    assert!(!two.is_called(|| other.wait(since)));
    event.set();
    assert_eq!(other.unset(), None);
    // One that is set is no news to those who come later, and is set but once.
    event.set();
    event.clear();
    assert_eq!(event.unset(), Some(2));
}

#[test]
fn a_failure_wins_over_any_value() {
    let family = Family::new();
    let (mut one, mut two) = (Side::new(&family), Side::new(&family));
    let cell = one.result();
    let other = two.open(&cell);
    let allowance = &family.allowance;
    not_yet(&other.get());
    assert!(!two.is_called(|| other.wait()));
    let value = |byte| Set::Value(vec![byte]);
    let failure = |byte| Set::Failure(vec![byte]);
    assert!(!cell.is_set());
    cell.set(value(1), allowance).unwrap();
    two.must(other.wait());
    for (set, expected) in [
        (value(2), value(2)),
        (failure(3), failure(3)),
        (value(4), failure(3)),
        (failure(5), failure(5)),
    ] {
        cell.set(set, allowance).unwrap();
        assert_eq!(other.get().unwrap(), expected);
    }
    assert!(other.is_set());
}

#[test]
fn a_lock_is_handed_over_in_order() {
    let family = Family::new();
    let mut sides = [(); 3].map(|()| Side::new(&family));
    let mut lock = sides[0].lock();
    let mut others = [1, 2].map(|n: usize| sides[n].open(&lock));
    assert!(!lock.acquire().unwrap());
    assert!(matches!(lock.acquire(), Err(SharedError::State(_))));
    for other in &mut others {
        not_yet(&other.acquire());
        assert!(matches!(other.release(), Err(SharedError::State(_))));
    }
    lock.release().unwrap();
    assert!(matches!(lock.release(), Err(SharedError::State(_))));
    // It is the first one's, if that has not come yet.
    assert!(lock.is_locked());
    not_yet(&lock.acquire());
    assert!(!sides[2].is_called(|| others[1].wait()));
    sides[1].must(others[0].wait());
    // Who was called, and gives up, hands it on.
    others[0].leave();
    sides[2].must(others[1].wait());
    assert!(!others[1].acquire().unwrap());
    assert_eq!(others[1].wait(), Standing::Absent);
    lock.leave();
    others[1].release().unwrap();
    assert!(!lock.is_locked());
}

#[test]
fn who_goes_with_a_lock_abandons_it() {
    let family = Family::new();
    let (mut one, mut two) = (Side::new(&family), Side::new(&family));
    let mut lock = one.lock();
    let mut other = two.open(&lock);
    assert!(!other.acquire().unwrap());
    not_yet(&lock.acquire());
    drop(other);
    one.must(lock.wait());
    assert!(lock.acquire().unwrap(), "it was abandoned");
    lock.release().unwrap();
    assert!(!lock.acquire().unwrap(), "that is told once");
    lock.release().unwrap();
    // Who only was called, or waited, has abandoned nothing.
    let mut other = two.open(&lock);
    assert!(!lock.acquire().unwrap());
    not_yet(&other.acquire());
    lock.release().unwrap();
    drop(other);
    assert!(!lock.acquire().unwrap());
}

#[test]
fn objects_are_found_by_their_keys_as_long_as_there_are_handles() {
    let family = Family::new();
    let mut side = Side::new(&family);
    let queue = side.queue(None);
    assert_eq!(family.registry.len(), 0, "nobody has asked for its key");
    let key = queue.key().unwrap();
    assert_eq!(queue.key().unwrap(), key);
    assert_ne!(side.event().key().unwrap(), key);
    let other: Queue = side.try_open(key).unwrap();
    drop(queue);
    let third: Queue = side.try_open(key).unwrap();
    drop((other, third));
    assert_eq!(family.registry.len(), 0);
    for key in [key, Key(0), Key(u128::MAX)] {
        let error = side.try_open::<_, 3>(key).map(|_: Queue| ()).unwrap_err();
        let text = "this queue is not in this process, or its last handle is gone";
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(family.allowance.used(), 0);
}

#[test]
fn a_key_of_another_kind_opens_nothing() {
    let family = Family::new();
    let mut side = Side::new(&family);
    let event = side.event();
    let key = event.key().unwrap();
    let error = side.try_open::<_, 3>(key).map(|_: Queue| ()).unwrap_err();
    let text = "this is the key of something else than a queue";
    assert_eq!(error.to_string(), text);
    assert!(!format!("{event:?}").contains(&key.0.to_string()));
}

#[test]
fn what_is_kept_counts() {
    let family = Family::with_memory(10_000);
    let mut side = Side::new(&family);
    let mut queue = side.queue(Some(2));
    let empty = family.allowance.used();
    side.put(&mut queue, &[0; 4_000]).unwrap();
    assert!(family.allowance.used() > empty + 4_000);
    let full = |result: Result<(), SharedError>| {
        assert!(matches!(result, Err(SharedError::Limit(_))), "{result:?}");
    };
    full(side.put(&mut queue, &[0; 6_000]));
    side.put(&mut queue, &[0; 1_000]).unwrap();

    // A place that was promised to one whose item is too much is not lost.
    let mut other = side.open(&queue);
    not_yet(&side.put(&mut other, &vec![0; 20_000]));
    assert_eq!(queue.get().unwrap().len(), 4_000);
    full(side.put(&mut other, &vec![0; 20_000]));
    other.leave(QueueSide::Put);
    side.put(&mut queue, b"a").unwrap();

    let cell = side.result();
    full(cell.set(Set::Value(vec![0; 20_000]), &family.allowance));
    cell.set(Set::Value(vec![0; 1_000]), &family.allowance)
        .unwrap();
    drop((queue, other, cell));
    assert_eq!(family.allowance.used(), 0);
}

#[test]
fn what_is_too_big_is_not_kept() {
    let family = Family::new();
    let mut side = Side::new(&family);
    let mut queue = side.queue(None);
    side.put(&mut queue, &vec![0; MAX_ITEM]).unwrap();
    let big = vec![0; MAX_ITEM + 1];
    let error = side.put(&mut queue, &big).unwrap_err();
    let text = "16000001 bytes are too many for one item, which has at most 16000000; split it";
    assert_eq!(error.to_string(), text);
    let error = side
        .result()
        .set(Set::Failure(big), &family.allowance)
        .unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.max(), None);
}
