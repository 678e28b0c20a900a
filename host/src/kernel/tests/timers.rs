//! Sleeping: when it ends, in which order, and what becomes of the timers.

use super::*;

#[test]
fn a_sleep_ends_when_its_time_has_come_with_the_time() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    sim.advance(9);
    sim.expect(&[]);
    sim.advance(1);
    sim.expect(&[slept(trap, ms(10))]);
    sim.expect(&[]);
}

#[test]
fn a_sleep_that_is_late_tells_the_time_of_waking() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    sim.advance(25);
    sim.expect(&[slept(trap, ms(25))]);
}

#[test]
fn sleeps_end_by_time_then_by_order_of_calling() {
    let mut sim = Sim::new();
    let task = sim.task();
    let traps = [30, 10, 20, 10].map(|time| sim.sleep(task, ms(time)));
    sim.advance(30);
    sim.expect(&[1, 3, 2, 0].map(|n| slept(traps[n], ms(30))));
}

#[test]
fn a_sleep_until_the_past_is_done_at_once_and_told_in_its_turn() {
    let mut sim = Sim::new();
    let task = sim.task();
    let before = sim.sleep(task, ms(5));
    sim.advance(5);
    sim.kernel.select(false).expect("it never fails");
    let past = sim.sleep(task, ms(0));
    let present = sim.sleep(task, ms(5));
    sim.expect(&[before, past, present].map(|trap| slept(trap, ms(5))));
}

#[test]
fn a_sleep_to_the_end_of_time_does_not_end() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, Instant::NEVER);
    sim.advance(1_000_000_000);
    sim.expect(&[]);
    assert!(sim.withdraw(trap));
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn an_idle_kernel_waits_until_the_next_timer_exactly() {
    let mut sim = Sim::new();
    let task = sim.task();
    let later = sim.sleep(task, ms(70));
    let sooner = sim.sleep(task, ms(30));
    assert_eq!(sim.idle(), [slept(sooner, ms(30))]);
    assert_eq!(sim.clock.now(), ms(30));
    assert_eq!(sim.idle(), [slept(later, ms(70))]);
    assert_eq!(sim.clock.now(), ms(70));
}

#[test]
fn a_kernel_that_has_something_to_tell_does_not_wait() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.sleep(task, ms(30));
    let trap = sim.nap(task);
    assert_eq!(sim.idle(), [slept(trap, ms(0))]);
    assert_eq!(sim.clock.now(), ms(0));
}

#[test]
fn timers_expire_between_two_calls_of_wait_even_if_there_is_always_something_to_tell() {
    let mut sim = Sim::new();
    let (busy, sleeper) = (sim.task(), sim.task());
    let sleep = sim.sleep(sleeper, ms(1));
    let nap = sim.nap(busy);
    sim.expect(&[slept(nap, ms(0))]);
    let nap = sim.nap(busy);
    sim.advance(1);
    sim.expect(&[slept(nap, ms(0)), slept(sleep, ms(1))]);
}

#[test]
fn a_dead_timer_does_not_wake_anybody() {
    let mut sim = Sim::new();
    let task = sim.task();
    let dead = sim.sleep(task, ms(10));
    assert!(sim.withdraw(dead));
    let alive = sim.sleep(task, ms(20));
    assert_eq!(sim.idle(), [slept(alive, ms(20))]);
    assert_eq!(sim.kernel.timers(), 0);
}

#[test]
fn timers_that_are_set_and_dropped_for_ever_do_not_pile_up() {
    let mut sim = Sim::new();
    let task = sim.task();
    let kept = sim.sleep(task, ms(50));
    for n in 0..20_000 {
        let sleep = sim.sleep(task, ms(1_000 + n));
        assert!(sim.withdraw(sleep));
        assert!(sim.kernel.timers() < 3_000, "no call of wait is needed");
    }
    assert_eq!(sim.idle(), [slept(kept, ms(50))]);
}

#[test]
fn timers_of_removed_instances_do_not_pile_up() {
    let mut sim = Sim::new();
    for _ in 0..200 {
        let limits = Limits::default().with_time(Duration::from_secs(9));
        let key = sim.kernel.add_instance(limits);
        for n in 0..100 {
            let (instance, timers, now) = sim.kernel.with_timers(key);
            let task = instance.spawn(None, 0, false).expect("there is room");
            let by = Caller { task, cookie: 1 };
            assert!(instance.sleep(timers, by, ms(10 + n), now).is_ok());
        }
        assert!(sim.kernel.poll_wait(key, 0, ms(5)).is_pending());
        sim.kernel.remove_instance(key);
    }
    assert!(sim.kernel.timers() < 3_000, "{}", sim.kernel.timers());
    sim.advance(10_000);
    sim.expect_empty();
    assert_eq!(sim.kernel.timers(), 0);
    assert!(sim.kernel.take_overdue().is_empty());
}
