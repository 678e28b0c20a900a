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
    sim.expect(&[slept(task, trap, ms(10))]);
    sim.expect(&[]);
}

#[test]
fn a_sleep_that_is_late_tells_the_time_of_waking() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(10));
    sim.advance(25);
    sim.expect(&[slept(task, trap, ms(25))]);
}

#[test]
fn sleeps_end_by_time_then_by_order_of_calling() {
    let mut sim = Sim::new();
    let tasks = [sim.task(), sim.task(), sim.task(), sim.task()];
    let times = [30, 10, 20, 10];
    let mut traps = Vec::new();
    for (task, time) in tasks.into_iter().zip(times) {
        traps.push(sim.sleep(task, ms(time)));
    }
    sim.advance(30);
    sim.expect(&[1, 3, 2, 0].map(|n| slept(tasks[n], traps[n], ms(30))));
}

#[test]
fn a_sleep_until_the_past_goes_to_the_end_of_the_ready_queue() {
    let mut sim = Sim::new();
    sim.advance(5);
    let (first, second) = (sim.task(), sim.task());
    sim.instance().wake(second);
    let trap = sim.sleep(first, ms(0));
    sim.expect(&[woken(second), slept(first, trap, ms(5))]);
    let trap = sim.sleep(first, ms(5));
    sim.expect(&[slept(first, trap, ms(5))]);
}

#[test]
fn a_sleep_to_the_end_of_time_does_not_end() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, Instant::from_nanos(u64::MAX));
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
    assert_eq!(sim.idle(), [slept(task, sooner, ms(30))]);
    assert_eq!(sim.clock.now(), ms(30));
    assert_eq!(sim.idle(), [slept(task, later, ms(70))]);
    assert_eq!(sim.clock.now(), ms(70));
}

#[test]
fn a_kernel_with_ready_tasks_does_not_wait() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.sleep(task, ms(30));
    sim.instance().wake(task);
    assert_eq!(sim.idle(), [woken(task)]);
    assert_eq!(sim.clock.now(), ms(0));
}

#[test]
fn timers_expire_between_two_calls_of_wait_even_if_there_is_always_somebody_ready() {
    let mut sim = Sim::new();
    let (busy, sleeper) = (sim.task(), sim.task());
    let sleep = sim.sleep(sleeper, ms(1));
    sim.instance().wake(busy);
    sim.expect(&[woken(busy)]);
    sim.instance().wake(busy);
    sim.advance(1);
    sim.expect(&[woken(busy), slept(sleeper, sleep, ms(1))]);
}

#[test]
fn what_became_ready_before_a_timer_goes_first() {
    let mut sim = Sim::new();
    let (sleeper, woke) = (sim.task(), sim.task());
    let sleep = sim.sleep(sleeper, ms(1));
    sim.instance().wake(woke);
    sim.advance(1);
    sim.expect(&[woken(woke), slept(sleeper, sleep, ms(1))]);
}

#[test]
fn a_dead_timer_does_not_wake_anybody() {
    let mut sim = Sim::new();
    let task = sim.task();
    let dead = sim.sleep(task, ms(10));
    let scope = sim.open(task, ms(15));
    sim.close(scope);
    assert!(sim.withdraw(dead));
    let alive = sim.sleep(task, ms(20));
    assert_eq!(sim.idle(), [slept(task, alive, ms(20))]);
    assert_eq!(sim.kernel.timers.len(), 0);
}

#[test]
fn timers_that_are_set_and_dropped_for_ever_do_not_pile_up() {
    let mut sim = Sim::new();
    let task = sim.task();
    let kept = sim.sleep(task, ms(50));
    for n in 0..20_000 {
        let sleep = sim.sleep(task, ms(1_000 + n));
        assert!(sim.withdraw(sleep));
        let scope = sim.open(task, ms(1_000 + n));
        sim.close(scope);
        assert!(sim.kernel.timers.len() < 3_000, "no call of wait is needed");
    }
    assert_eq!(sim.idle(), [slept(task, kept, ms(50))]);
}

#[test]
fn timers_of_removed_instances_do_not_pile_up() {
    let mut sim = Sim::new();
    for _ in 0..200 {
        let key = sim
            .kernel
            .add_instance(Limits::default().with_time(Duration::from_secs(9)));
        for n in 0..100 {
            let (instance, timers, now) = sim.kernel.with_timers(key);
            let task = instance.spawn(None, 0, false).expect("there is room");
            let trap = instance.sleep(timers, task.into(), ms(10 + n), now);
            assert!(trap.is_ok());
        }
        sim.kernel.remove_instance(key);
    }
    assert!(
        sim.kernel.timers.len() < 3_000,
        "{}",
        sim.kernel.timers.len()
    );
    sim.advance(10_000);
    sim.expect_empty();
    assert_eq!(sim.kernel.timers.len(), 0);
    assert!(sim.kernel.take_overdue().is_empty());
}
