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
fn tasks_cost_memory() {
    let mut sim = small();
    until_refused(&mut sim, |sim, _| {
        Ok(sim.instance().spawn(None, 0, false).map(drop)?)
    });
    sim.expect(&[]);
}

#[test]
fn pending_traps_cost_memory() {
    let mut sim = small();
    let task = sim.task();
    until_refused(&mut sim, |sim, n| {
        let by = sim.caller(task);
        sim.try_sleep(by, ms(n + 1)).map(drop)
    });
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn traps_that_end_at_once_cost_memory_until_they_are_handed_over() {
    let mut sim = small();
    let task = sim.task();
    for _ in 0..3 {
        until_refused(&mut sim, |sim, _| {
            let by = sim.caller(task);
            sim.try_sleep(by, ms(0)).map(drop)
        });
        assert!(sim.pass().len() > 100);
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn what_tasks_leave_when_they_end_costs_memory_until_it_is_handed_over() {
    let mut sim = small();
    for _ in 0..3 {
        until_refused(&mut sim, |sim, _| {
            let task = sim.instance().spawn(None, 0, false)?;
            let by = sim.caller(task);
            let slept = sim.try_sleep(by, ms(0)).map(drop);
            sim.exit(task);
            slept
        });
        assert!(sim.pass().len() > 100);
        sim.expect_empty();
    }
}

#[test]
fn labels_and_their_texts_cost_memory() {
    let text = "x".repeat(200);
    let mut sim = small();
    let mut labels = 0;
    until_refused(&mut sim, |sim, _| {
        labels = sim.instance().label(&text, &text, 1)?;
        Ok(())
    });
    assert!(labels < 50);
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
    let task = sim.task();
    let mut traps = 0;
    until_refused(&mut sim, |sim, _| {
        let by = sim.caller(task);
        sim.try_sleep(by, ms(5))?;
        traps += 1;
        Ok(())
    });
    assert!(sim.kernel.request_end(sim.key));
    sim.advance(5);
    let ready = sim.pass();
    assert_eq!(ready.len(), traps + 1);
    assert_eq!(ready[0], END_REQUESTED);
    assert!(sim.instance().budget().memory() < 1_000);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn handles_are_counted() {
    let mut sim = Sim::with_limits(Limits::default().with_handles(1));
    let budget = sim.instance().budget();
    assert_eq!(budget.take_handles(1), Ok(()));
    let refused = Err(LimitExceeded::Handles { limit: 1 });
    assert_eq!(budget.take_handles(1), refused);
    budget.give_handle();
    assert_eq!(budget.take_handles(1), Ok(()));
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
fn a_task_with_many_traps_is_told_of_all_before_long() {
    let mut sim = Sim::new();
    let task = sim.task();
    let count = 100_000;
    for n in 0..count {
        sim.sleep(task, ms(5));
        let withdrawn = sim.sleep(task, ms(5 + n));
        sim.withdraw(withdrawn);
    }
    sim.advance(5);
    let mut told = 0;
    while told < count {
        let pass = sim.pass();
        assert!(
            (1..=2 * expiry::MAX_DUE).contains(&pass.len()),
            "{}",
            pass.len()
        );
        told += pass.len() as u64;
    }
    assert_eq!(told, count);
    for n in 0..count {
        sim.sleep(task, ms(10 + n));
    }
    sim.exit(task);
    sim.expect_empty();
}
