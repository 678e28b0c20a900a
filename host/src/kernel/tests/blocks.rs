//! Timeout blocks: those without a trap, those given back, and those that are not the caller's.

use super::timeouts::{expect_none, expect_timeout, nested};
use super::*;

fn scope_expired(task: TaskKey, scope: ScopeKey, at: u64) -> Resumption {
    resumption(task, None, Outcome::ScopeExpired(scope, ms(at)))
}

#[test]
fn opening_and_closing_never_ends_a_trap() {
    let mut sim = Sim::new();
    sim.advance(10);
    let task = sim.task();
    let scope = sim.open(task, ms(0));
    sim.close(scope);
    let trap = sim.sleep(task, ms(10));
    sim.expect(&[slept(task, trap, ms(10))]);
}

#[test]
fn a_block_without_a_trap_is_told_to_give_up_after_its_pass_once() {
    let mut sim = Sim::new();
    let task = sim.task();
    let scope = sim.open(task, ms(5));
    let outside = sim.sleep(task, ms(50));
    assert_eq!(sim.idle(), [scope_expired(task, scope, 5)]);
    sim.expect(&[]);
    sim.close(scope);
    assert_eq!(sim.idle(), [slept(task, outside, ms(50))]);
}

#[test]
fn a_block_is_not_told_to_give_up_while_its_task_may_come_to_a_trap() {
    let mut sim = Sim::new();
    let task = sim.task();
    let scope = sim.open(task, ms(5));
    sim.instance().wake(task);
    sim.advance(5);
    sim.expect(&[woken(task)]);
    expect_timeout(&mut sim, task, scope);
}

#[test]
fn nested_blocks_without_a_trap_give_up_one_after_the_other() {
    let (mut sim, task, outer, inner) = nested(6, 5);
    sim.advance(10);
    sim.expect(&[scope_expired(task, inner, 10)]);
    sim.close(inner);
    sim.expect(&[scope_expired(task, outer, 10)]);
    sim.close(outer);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn a_timeout_given_back_fires_again_in_every_block_it_stood_for() {
    let (mut sim, task, outer, inner) = nested(5, 5);
    sim.advance(5);
    expect_timeout(&mut sim, task, inner);
    sim.instance().redeliver_timeout(inner);
    sim.instance().redeliver_timeout(inner);
    expect_timeout(&mut sim, task, inner);
    sim.instance().redeliver_timeout(inner);
    sim.close(inner);
    expect_timeout(&mut sim, task, outer);
    expect_none(&mut sim, task, outer);
}

#[test]
fn a_timeout_given_back_ends_a_trap_that_was_made_meanwhile() {
    let mut sim = Sim::new();
    let task = sim.task();
    let scope = sim.open(task, ms(5));
    sim.advance(5);
    expect_timeout(&mut sim, task, scope);
    let trap = sim.sleep((task, scope), ms(99));
    sim.instance().redeliver_timeout(scope);
    sim.expect(&[timed_out(task, trap, ms(5))]);
}

#[test]
fn giving_back_what_was_not_told_or_is_closed_is_nothing() {
    let (mut sim, task, outer, inner) = nested(50, 50);
    sim.instance().redeliver_timeout(inner);
    sim.instance().redeliver_timeout(ScopeKey::default());
    expect_none(&mut sim, task, inner);
    sim.close(inner);
    sim.instance().redeliver_timeout(inner);
    expect_none(&mut sim, task, outer);
}

#[test]
fn blocks_of_others_and_unknown_ones_are_faults() {
    let mut sim = Sim::new();
    let (task, other) = (sim.task(), sim.task());
    let theirs = sim.open(other, ms(5));
    let closed = sim.open(task, ms(5));
    sim.close(closed);
    for scope in [theirs, closed, ScopeKey::default()] {
        let by = Caller::from((task, scope));
        assert!(matches!(sim.try_sleep(by, ms(1)), Err(Fault::Scope)));
        assert!(matches!(sim.try_open(by, ms(1)), Err(Fault::Scope)));
    }
    for scope in [closed, ScopeKey::default()] {
        let (instance, timers, _) = sim.with_timers();
        let result = instance.close_scope(timers, scope);
        assert!(matches!(result, Err(Fault::Scope)));
    }
}

#[test]
fn a_block_may_be_closed_after_its_task_has_ended_and_after_the_block_around_it() {
    let (mut sim, task, outer, inner) = nested(5, 6);
    let trap = sim.sleep((task, inner), ms(7));
    sim.close(outer);
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(6))]);
    sim.exit(task);
    sim.advance(5);
    sim.expect(&[]);
    sim.close(inner);
    sim.expect_empty();
}

#[test]
fn a_block_told_in_a_trap_of_its_own_does_not_fire_again_when_an_inner_one_closes() {
    let (mut sim, task, outer, inner) = nested(5, 50);
    let within = sim.sleep((task, inner), ms(99));
    let direct = sim.sleep((task, outer), ms(99));
    let told = [direct, within].map(|trap| timed_out(task, trap, ms(5)));
    assert_eq!(sim.idle(), told);
    sim.close(inner);
    expect_none(&mut sim, task, outer);
}

#[test]
fn blocks_beside_each_other_may_be_closed_in_any_order() {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut sim = Sim::new();
        let task = sim.task();
        let outer = sim.open(task, ms(5));
        let blocks = [9, 9, 9].map(|deadline| sim.open((task, outer), ms(deadline)));
        let traps = blocks.map(|block| sim.sleep((task, block), ms(99)));
        for closed in &order[..2] {
            assert!(sim.withdraw(traps[*closed]));
            sim.close(blocks[*closed]);
        }
        let left = traps[order[2]];
        assert_eq!(sim.idle(), [timed_out(task, left, ms(5))]);
        sim.close(blocks[order[2]]);
        expect_timeout(&mut sim, task, outer);
        sim.close(outer);
        sim.exit(task);
        sim.expect_empty();
    }
}

#[test]
fn traps_of_a_closed_block_end_as_any_others() {
    let mut sim = Sim::new();
    let (task, queue) = (sim.task(), sim.queue());
    let scope = sim.open(task, ms(5));
    let traps = [(); 4].map(|()| sim.suspend((task, scope), queue));
    sim.close(scope);
    assert!(sim.withdraw(traps[1]));
    sim.instance().wake_queue(queue, 1, 0);
    sim.expect(&[done(task, traps[0], 0)]);
    sim.cancel(task);
    sim.expect(&[cancelled(task, traps[2]), cancelled(task, traps[3])]);
}
