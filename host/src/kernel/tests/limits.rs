//! What a guest can't have: more memory or tasks than its limits, and the kernel's time.

use super::*;

/// A guest with so little memory that it is used up quickly.
fn small() -> Sim {
    Sim::with_limits(Limits::default().with_memory(20_000))
}

/// Repeats something until it is refused.
#[track_caller]
fn until_refused(sim: &mut Sim, mut repeat: impl FnMut(&mut Sim, u64) -> Result<(), Fault>) {
    for n in 0..1_000 {
        match repeat(sim, n) {
            Ok(()) => {}
            Err(Fault::Limit(LimitExceeded::Memory { limit: 20_000 })) => return,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it can be repeated for ever");
}

#[test]
fn more_tasks_than_allowed_are_refused_until_one_ends() {
    let mut sim = Sim::with_limits(Limits::default().with_tasks(2));
    let (first, _) = (sim.task(), sim.task());
    let refused = sim.instance().spawn(None, 0, false);
    assert_eq!(refused, Err(LimitExceeded::Tasks { limit: 2 }));
    sim.exit(first);
    sim.task();
    let refused = sim.instance().spawn(None, 0, false);
    assert_eq!(refused, Err(LimitExceeded::Tasks { limit: 2 }));
}

#[test]
fn a_refused_task_costs_nothing() {
    let mut sim = Sim::with_limits(Limits::default().with_tasks(0));
    for _ in 0..3 {
        assert!(sim.instance().spawn(None, 0, false).is_err());
    }
    sim.expect_empty();
}

#[test]
fn pending_traps_cost_memory() {
    let mut sim = small();
    let (task, queue) = (sim.task(), sim.queue());
    until_refused(&mut sim, |sim, n| {
        sim.try_sleep(task.into(), ms(n + 1))?;
        sim.try_suspend(task.into(), queue)?;
        sim.try_join(task.into(), task).map(drop)
    });
    sim.exit(task);
    sim.instance().drop_queue(queue);
    sim.expect_empty();
}

#[test]
fn traps_that_end_at_once_cost_memory_until_they_are_handed_over() {
    let mut sim = small();
    let task = sim.task();
    for _ in 0..3 {
        until_refused(&mut sim, |sim, _| {
            sim.try_sleep(task.into(), ms(0))?;
            sim.try_join(task.into(), TaskKey::default()).map(drop)
        });
        assert!(sim.pass().len() > 100);
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn tasks_that_end_before_they_begin_cost_memory_until_the_next_pass() {
    let mut sim = small();
    for _ in 0..3 {
        until_refused(&mut sim, |sim, _| {
            let task = sim.instance().spawn(None, 0, false)?;
            sim.cancel(task);
            sim.exit(task);
            Ok(())
        });
        sim.expect_empty();
    }
}

#[test]
fn timeout_blocks_cost_memory() {
    let mut sim = small();
    let task = sim.task();
    until_refused(&mut sim, |sim, n| {
        sim.try_open(task.into(), ms(n)).map(drop)
    });
}

#[test]
fn labels_and_queues_and_their_texts_cost_memory() {
    let text = "x".repeat(200);
    let mut sim = small();
    until_refused(&mut sim, |sim, _| {
        Ok(sim.instance().make_queue(&text).map(drop)?)
    });
    assert!(sim.instance().queues.len() < 100);
    let mut sim = small();
    until_refused(&mut sim, |sim, _| {
        Ok(sim.instance().label(&text, &text, 1).map(drop)?)
    });
    let mut sim = small();
    let queue = sim.instance().make_queue(&text).expect("there is room");
    sim.instance().drop_queue(queue);
    sim.expect_empty();
}

#[test]
fn a_label_too_many_is_the_label_of_nobody() {
    let mut sim = Sim::new();
    for n in 1..65_536 {
        assert_eq!(sim.instance().label("", "", 0), Ok(n));
    }
    assert_eq!(sim.instance().label("", "", 0), Ok(0));
    assert_eq!(sim.instance().label("", "", 0), Ok(0));
}

#[test]
fn who_has_no_memory_left_can_still_be_told_and_end() {
    let mut sim = small();
    let (task, queue) = (sim.task(), sim.queue());
    let scope = sim.open(task, ms(5));
    until_refused(&mut sim, |sim, _| {
        sim.try_suspend((task, scope).into(), queue).map(drop)
    });
    sim.instance().wake(task);
    sim.instance().wake_queue(queue, 1, 0);
    sim.advance(5);
    let ready = sim.pass();
    assert_eq!(ready[0], woken(task));
    assert!(matches!(ready[1].outcome, Outcome::Done(0)));
    assert!(matches!(ready[2].outcome, Outcome::TimedOut(_)));
    assert!(sim.instance().budget().memory() < 1_000);
    sim.close(scope);
    sim.exit(task);
    sim.instance().drop_queue(queue);
    sim.expect_empty();
}

#[test]
fn interruptions_given_back_for_ever_do_not_pile_up() {
    let mut sim = Sim::new();
    let task = sim.task();
    let doomed = sim.task();
    let sleep = sim.sleep(doomed, ms(1));
    sim.cancel(doomed);
    sim.expect(&[cancelled(doomed, sleep)]);
    let outer = sim.open(task, ms(0));
    for _ in 0..1_000 {
        let inner = sim.open((task, outer), ms(0));
        sim.sleep((task, inner), ms(1));
        sim.close(inner);
        sim.sleep(doomed, ms(1));
        sim.instance().redeliver_cancel(doomed);
        sim.instance().wake(task);
        if sim.instance().ready.len() > 50 {
            sim.pass();
        }
        assert!(sim.instance().undelivered.len() < 10);
    }
}

#[test]
fn timeout_blocks_can_be_nested_deeply_but_not_without_end() {
    let mut sim = Sim::new();
    let task = sim.task();
    let mut scopes = vec![sim.open(task, ms(9))];
    for _ in 1..100 {
        let innermost = scopes[scopes.len() - 1];
        scopes.push(sim.open((task, innermost), ms(9)));
    }
    let innermost = scopes[scopes.len() - 1];
    let refused = sim.try_open((task, innermost).into(), ms(9));
    assert!(matches!(refused, Err(Fault::Depth)));
    while let Some(scope) = scopes.pop() {
        sim.close(scope);
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn handles_are_counted() {
    let mut sim = Sim::with_limits(Limits::default().with_handles(1));
    let budget = sim.instance().budget();
    assert_eq!(budget.take_handle(), Ok(()));
    let refused = Err(LimitExceeded::Handles { limit: 1 });
    assert_eq!(budget.take_handle(), refused);
    budget.give_handle();
    assert_eq!(budget.take_handle(), Ok(()));
}

#[test]
fn memory_that_does_not_fit_is_not_taken() {
    let mut sim = small();
    let budget = sim.instance().budget();
    let refused = Err(LimitExceeded::Memory { limit: 20_000 });
    assert_eq!(budget.take_memory(20_001), refused);
    assert_eq!(budget.take_memory(20_000), Ok(()));
    assert_eq!(budget.take_memory(u64::MAX), refused);
    budget.give_memory(u64::MAX);
    assert_eq!(budget.memory(), 0);
}

#[test]
fn a_task_with_many_blocks_and_traps_is_told_of_all_before_long() {
    let mut sim = Sim::new();
    let task = sim.task();
    let count = 20_000;
    for n in 0..count {
        let scope = sim.open(task, ms(5));
        sim.sleep((task, scope), ms(50 + n));
        // These have no trap in them.
        sim.open(task, ms(5));
    }
    sim.advance(5);
    assert_eq!(sim.pass().len() as u64, count);
}
