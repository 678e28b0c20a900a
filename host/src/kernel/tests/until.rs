//! When a `wait` returns: at the time it was given, or before if there is something to tell.

use super::*;

fn nothing(at: Instant) -> Pass {
    Pass {
        now: at,
        resumptions: Vec::new(),
    }
}

impl Sim {
    /// The guest calls `wait`, and the clock moves on until it returns.
    #[track_caller]
    fn returns(&mut self, until: Instant) -> Pass {
        self.wait(until, true).expect("it returns")
    }

    /// The guest calls `wait` a second time while it is suspended: first the kernel has to let it.
    fn wait_again(&mut self, until: Instant) -> Option<Pass> {
        self.instance();
        self.wait(until, false)
    }

    fn timers(&self) -> usize {
        self.kernel.timers()
    }
}

#[test]
fn a_wait_returns_at_its_time_exactly() {
    let mut sim = Sim::new();
    assert_eq!(sim.returns(ms(10)), nothing(ms(10)));
    assert_eq!(sim.returns(ms(25)), nothing(ms(25)));
    assert_eq!(sim.timers(), 0);
    sim.expect_empty();
}

#[test]
fn a_wait_is_never_early_and_tells_when_it_is_late() {
    let mut sim = Sim::new();
    assert_eq!(sim.wait(ms(10), false), None);
    sim.advance(9);
    assert_eq!(sim.wait(ms(10), false), None);
    sim.advance(16);
    assert_eq!(sim.wait(ms(10), false), Some(nothing(ms(25))));
}

#[test]
fn a_wait_until_the_past_returns_at_once() {
    let mut sim = Sim::new();
    sim.advance(10);
    for until in [0, 9, 10] {
        assert_eq!(sim.wait(ms(until), false), Some(nothing(ms(10))));
    }
    assert_eq!(sim.timers(), 0);
}

#[test]
fn a_wait_of_who_has_other_tasks_to_run_returns_at_once() {
    let mut sim = Sim::new();
    sim.returns(ms(0));
    let pass = sim.kernel.poll_wait(sim.key, 1, ms(10));
    assert_eq!(pass, Poll::Ready(nothing(ms(0))));
    assert_eq!(sim.timers(), 0);
}

#[test]
fn a_wait_to_the_end_of_time_sets_no_timer() {
    let mut sim = Sim::new();
    assert_eq!(sim.wait(Instant::NEVER, false), None);
    assert_eq!(sim.timers(), 0);
    assert_eq!(sim.wait_again(Instant::from_nanos(u64::MAX - 1)), None);
    assert_eq!(sim.timers(), 1);
}

#[test]
fn a_wait_returns_before_its_time_if_there_is_something_to_tell() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    let pass = sim.returns(ms(50));
    assert_eq!(pass.now, ms(10));
    assert_eq!(pass.resumptions, [slept(trap, ms(10))]);
}

#[test]
fn traps_that_end_at_the_time_of_a_wait_are_told_by_it() {
    let mut sim = Sim::new();
    let task = sim.task();
    assert_eq!(sim.wait(ms(10), false), None);
    let trap = sim.sleep(task, ms(10));
    assert_eq!(sim.returns(ms(10)).resumptions, [slept(trap, ms(10))]);
    assert_eq!(sim.wait(ms(11), false), None);
}

#[test]
fn an_earlier_time_replaces_the_timer() {
    let mut sim = Sim::new();
    assert_eq!(sim.wait(ms(50), false), None);
    assert_eq!(sim.wait_again(ms(20)), None);
    assert_eq!(sim.instance().timers_set(), 1);
    assert_eq!(sim.returns(ms(20)), nothing(ms(20)));
    assert_eq!(sim.returns(ms(60)), nothing(ms(60)), "and not at 50");
    sim.expect_empty();
}

#[test]
fn a_later_time_leaves_the_timer_and_is_waited_for_all_the_same() {
    let mut sim = Sim::new();
    assert_eq!(sim.wait(ms(20), false), None);
    for until in 50..1_000 {
        assert_eq!(sim.wait_again(ms(until)), None);
        assert_eq!(sim.timers(), 1);
    }
    sim.advance(20);
    assert_eq!(sim.wait(ms(50), false), None);
    assert_eq!(sim.timers(), 1);
    assert_eq!(sim.returns(ms(50)), nothing(ms(50)));
    sim.expect_empty();
}

#[test]
fn a_timer_that_is_not_needed_any_more_does_no_harm() {
    let mut sim = Sim::new();
    let task = sim.task();
    assert_eq!(sim.wait(ms(20), false), None);
    let trap = sim.sleep(task, ms(90));
    assert_eq!(sim.idle(), [slept(trap, ms(90))]);
    assert_eq!(sim.timers(), 0);
}

#[test]
fn a_timer_that_comes_up_while_the_guest_runs_is_gone() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    assert_eq!(sim.returns(ms(50)).resumptions, [slept(trap, ms(10))]);
    sim.advance(60);
    sim.kernel.select(false).expect("it never fails");
    assert_eq!(sim.kernel.runnable(), 0, "it has the thread");
    assert_eq!(sim.wait(ms(65), false), Some(nothing(ms(70))));
    assert_eq!(sim.returns(ms(75)), nothing(ms(75)));
}

#[test]
fn a_timer_that_comes_up_while_the_guest_is_preempted_gives_it_no_turn() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    assert_eq!(sim.returns(ms(50)).resumptions, [slept(trap, ms(10))]);
    sim.kernel.preempt(sim.key);
    sim.advance(60);
    sim.kernel.select(false).expect("it never fails");
    assert_eq!(sim.kernel.next_instance(), None);
    assert_eq!(sim.kernel.next_preempted(), Some(sim.key));
    assert_eq!(sim.returns(ms(75)), nothing(ms(75)));
}

#[test]
fn times_that_change_for_ever_do_not_pile_up() {
    let mut sim = Sim::new();
    for n in 0..20_000 {
        assert_eq!(sim.wait_again(ms(100_000 - n)), None);
        assert!(sim.timers() < 3_000, "{n} calls");
    }
    assert_eq!(sim.instance().timers_set(), 1);
}

#[test]
fn one_far_time_again_and_again_does_not_pile_up() {
    let mut sim = Sim::new();
    for n in 1..20_000 {
        assert_eq!(sim.wait_again(ms(1_000_000)), None);
        assert_eq!(sim.wait_again(ms(n)), None);
        assert_eq!(sim.returns(ms(n)), nothing(ms(n)));
        assert!(sim.timers() < 3_000, "{n} times");
    }
    assert_eq!(sim.returns(ms(1_000_000)), nothing(ms(1_000_000)));
    assert_eq!(sim.timers(), 0);
}
