//! Timeout blocks: who is told of an expiry, and when a block fires again.
//!
//! `O` is the outer block, `I` the inner one, as in curio's table of worked outcomes. What an
//! error turns into on its way out is the guest's; the kernel says which traps time out.

use super::*;

/// Checks that a trap in the block, which would sleep until 99 ms, times out now.
#[track_caller]
pub(super) fn expect_timeout(sim: &mut Sim, task: TaskKey, scope: ScopeKey) {
    let now = sim.clock.now();
    let trap = sim.sleep((task, scope), ms(99));
    sim.expect(&[timed_out(task, trap, now)]);
}

/// Checks that a trap in the block goes on waiting.
#[track_caller]
pub(super) fn expect_none(sim: &mut Sim, task: TaskKey, scope: ScopeKey) {
    let trap = sim.sleep((task, scope), ms(99));
    sim.expect(&[]);
    assert!(sim.withdraw(trap));
}

/// A task in `O`, which ends at the first time, and in `I`, which ends at the second.
pub(super) fn nested(outer: u64, inner: u64) -> (Sim, TaskKey, ScopeKey, ScopeKey) {
    let mut sim = Sim::new();
    let task = sim.task();
    let outer = sim.open(task, ms(outer));
    let inner = sim.open((task, outer), ms(inner));
    (sim, task, outer, inner)
}

#[test]
fn i_expires_and_is_caught_between() {
    let (mut sim, task, outer, inner) = nested(20, 5);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    expect_none(&mut sim, task, inner);
    sim.close(inner);
    expect_none(&mut sim, task, outer);
    sim.close(outer);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn i_expires_and_is_not_caught() {
    let (mut sim, task, outer, inner) = nested(20, 5);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    sim.close(inner);
    sim.close(outer);
    let trap = sim.sleep(task, ms(30));
    assert_eq!(sim.idle(), [slept(task, trap, ms(30))], "O is closed");
}

#[test]
fn o_expires_first() {
    let (mut sim, task, outer, inner) = nested(5, 20);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    expect_none(&mut sim, task, inner);
    sim.close(inner);
    sim.close(outer);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn o_expires_first_and_the_timeout_is_handled_in_i_then_o_fires_again() {
    let (mut sim, task, outer, inner) = nested(5, 20);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    sim.close(inner);
    expect_timeout(&mut sim, task, outer);
    expect_none(&mut sim, task, outer);
}

#[test]
fn i_still_expires_after_o_was_told_inside_it() {
    let (mut sim, task, _, inner) = nested(5, 20);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(20))]);
}

#[test]
fn both_have_expired_before_delivery_and_one_interruption_tells_both() {
    for (o, i) in [(5, 7), (7, 5), (5, 5)] {
        let (mut sim, task, outer, inner) = nested(o, i);
        let trap = sim.sleep((task, inner), ms(99));
        sim.advance(10);
        sim.expect(&[timed_out(task, trap, ms(10))]);
        expect_none(&mut sim, task, inner);
        sim.close(inner);
        expect_timeout(&mut sim, task, outer);
        sim.close(outer);
        sim.exit(task);
        sim.expect_empty();
    }
}

#[test]
fn i_is_caught_between_and_o_expires_at_a_later_operation() {
    let (mut sim, task, outer, inner) = nested(20, 5);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    sim.close(inner);
    let trap = sim.sleep((task, outer), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(20))]);
}

#[test]
fn o_s_time_passes_while_i_runs_without_blocking() {
    // The same if I is left with an error of its own: the kernel sees no difference.
    for closes_before_the_pass_ends in [true, false] {
        let (mut sim, task, outer, inner) = nested(5, 20);
        sim.advance(10);
        if !closes_before_the_pass_ends {
            sim.instance().wake(task);
            sim.expect(&[woken(task)]);
        }
        sim.close(inner);
        expect_timeout(&mut sim, task, outer);
        expect_none(&mut sim, task, outer);
    }
}

#[test]
fn o_s_time_passes_and_o_ends_before_anything_blocks() {
    let (mut sim, task, outer, inner) = nested(5, 20);
    sim.advance(10);
    sim.close(inner);
    sim.close(outer);
    let trap = sim.sleep(task, ms(12));
    assert_eq!(sim.idle(), [slept(task, trap, ms(12))]);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn a_block_fires_once_and_leaves_the_outer_deadline_in_force() {
    let (mut sim, task, outer, inner) = nested(20, 5);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(5))]);
    let trap = sim.sleep((task, inner), ms(99));
    assert_eq!(sim.idle(), [timed_out(task, trap, ms(20))]);
    expect_none(&mut sim, task, inner);
    sim.close(inner);
    expect_timeout(&mut sim, task, outer);
}

#[test]
fn a_block_that_fired_does_not_fire_in_or_after_a_block_opened_later() {
    let (mut sim, task, outer, inner) = nested(5, 50);
    sim.close(inner);
    sim.advance(5);
    expect_timeout(&mut sim, task, outer);
    let later = sim.open((task, outer), ms(50));
    expect_none(&mut sim, task, later);
    sim.close(later);
    expect_none(&mut sim, task, outer);
}

#[test]
fn three_blocks_fire_again_one_by_one_from_the_inside_out() {
    let (mut sim, task, outer, middle) = nested(5, 5);
    let inner = sim.open((task, middle), ms(5));
    sim.advance(5);
    for block in [inner, middle, outer] {
        expect_timeout(&mut sim, task, block);
        expect_none(&mut sim, task, block);
        sim.close(block);
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn a_deadline_in_the_past_ends_the_first_trap_of_any_kind() {
    let mut sim = Sim::new();
    sim.advance(10);
    let (task, other, queue) = (sim.task(), sim.task(), sim.queue());
    for kind in 0..4 {
        let scope = sim.open(task, ms(kind * 5));
        let by = (task, scope);
        let trap = match kind {
            0 => sim.sleep(by, ms(99)),
            1 => sim.sleep(by, ms(0)),
            2 => sim.suspend(by, queue),
            _ => sim.join(by, other),
        };
        match kind {
            3 => assert_eq!(sim.idle(), [timed_out(task, trap, ms(15))]),
            _ => sim.expect(&[timed_out(task, trap, ms(10))]),
        }
        sim.close(scope);
    }
    assert_eq!(sim.kernel.timers.len(), 0);
}

#[test]
fn a_result_that_was_there_first_is_kept_and_the_timeout_stays_pending() {
    let (mut sim, task, outer, inner) = nested(5, 50);
    let queue = sim.queue();
    let trap = sim.suspend((task, inner), queue);
    sim.instance().wake_queue(queue, 1, 3);
    sim.advance(5);
    sim.expect(&[done(task, trap, 3)]);
    let ended = sim.join((task, inner), TaskKey::default());
    sim.expect(&[done(task, ended, 0)]);
    sim.close(inner);
    expect_timeout(&mut sim, task, outer);
}

#[test]
fn a_sleep_and_a_timeout_due_in_one_pass_go_by_their_times() {
    for (until, deadline) in [(3, 5), (5, 5), (5, 3)] {
        let mut sim = Sim::new();
        let task = sim.task();
        let other = sim.sleep(task, ms(until));
        sim.withdraw(other);
        let scope = sim.open(task, ms(deadline));
        let trap = sim.sleep((task, scope), ms(until));
        sim.advance(9);
        let sleep_is_first = until < deadline;
        sim.expect(&[if sleep_is_first {
            slept(task, trap, ms(9))
        } else {
            timed_out(task, trap, ms(9))
        }]);
    }
}

#[test]
fn all_traps_in_the_block_time_out_and_no_others() {
    let (mut sim, task, outer, inner) = nested(5, 80);
    let (beside, other) = (sim.open(task, ms(50)), sim.task());
    let direct = sim.sleep((task, outer), ms(60));
    let outside = sim.sleep(task, ms(60));
    let within = sim.sleep((task, inner), ms(60));
    let sibling = sim.sleep((task, beside), ms(60));
    let stranger = sim.sleep(other, ms(60));
    let told = [direct, within].map(|trap| timed_out(task, trap, ms(5)));
    assert_eq!(sim.idle(), told);
    assert_eq!(sim.idle(), [timed_out(task, sibling, ms(50))]);
    let late = [slept(task, outside, ms(60)), slept(other, stranger, ms(60))];
    assert_eq!(sim.idle(), late);
}
