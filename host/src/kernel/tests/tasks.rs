//! Tasks: their numbers, their end, their traps, and what is said of them.

use slotmap::Key;

use super::*;

#[test]
fn a_new_task_is_resumed_with_nothing() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.expect(&[]);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn the_number_of_a_task_has_a_small_low_half_and_a_new_high_half() {
    let mut sim = Sim::new();
    let first = sim.task();
    sim.exit(first);
    let second = sim.task();
    let [first_number, second_number] = [first, second].map(|task| task.data().as_ffi());
    let low = |number: u64| number & 0xFFFF_FFFF;
    assert!(low(first_number) < 10);
    assert_eq!(low(first_number), low(second_number), "used again");
    assert_ne!(first_number >> 32, second_number >> 32);
    assert!(sim.instance().info(first).is_none());
}

#[test]
fn each_of_several_pending_traps_is_resumed_with_its_own_cookie_once() {
    let mut sim = Sim::new();
    let task = sim.task();
    let first = sim.sleep(task, ms(3));
    let second = sim.sleep(task, ms(1));
    let third = sim.sleep(task, ms(2));
    assert_eq!(sim.idle(), [slept(second, ms(1))]);
    assert_eq!(sim.idle(), [slept(third, ms(2))]);
    assert_eq!(sim.idle(), [slept(first, ms(3))]);
    assert_eq!(sim.idle(), []);
}

#[test]
fn any_cookie_comes_back_as_it_was() {
    let mut sim = Sim::new();
    let task = sim.task();
    for cookie in [1, 1, u64::from(u32::MAX) + 1, u64::MAX] {
        let by = Caller { task, cookie };
        let trap = sim.try_sleep(by, ms(0)).expect("it may sleep");
        assert_eq!(trap.cookie, cookie);
        sim.expect(&[slept(trap, ms(0))]);
    }
}

#[test]
fn a_withdrawn_trap_is_never_resumed() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(1));
    assert!(sim.withdraw(trap));
    assert!(!sim.withdraw(trap), "only once");
    sim.advance(1);
    sim.expect(&[]);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn a_trap_is_withdrawn_wherever_it_stands_among_its_task_s() {
    for gone in 0..3 {
        let mut sim = Sim::new();
        let task = sim.task();
        let traps = [1, 2, 3].map(|n| sim.sleep(task, ms(n)));
        assert!(sim.withdraw(traps[gone]));
        let later = sim.sleep(task, ms(4));
        sim.advance(4);
        let kept = (0..3).filter(|n| *n != gone).map(|n| traps[n]);
        let expected: Vec<_> = kept.chain([later]).map(|trap| slept(trap, ms(4))).collect();
        sim.expect(&expected);
        sim.exit(task);
        sim.expect_empty();
    }
}

#[test]
fn a_trap_that_has_ended_is_not_withdrawn_before_or_after_its_resumption() {
    let mut sim = Sim::new();
    let task = sim.task();
    let at_once = sim.nap(task);
    assert!(!sim.withdraw(at_once), "its resumption is on the way");
    sim.expect(&[slept(at_once, ms(0))]);
    assert!(!sim.withdraw(at_once), "its resumption was delivered");
    let pending = sim.sleep(task, ms(1));
    sim.advance(1);
    sim.kernel.select(false).expect("it never fails");
    assert!(!sim.withdraw(pending), "its resumption is on the way");
    sim.expect(&[slept(pending, ms(1))]);
    assert!(!sim.withdraw(pending), "its resumption was delivered");
}

#[test]
fn withdrawing_what_never_was_or_whose_task_has_ended_does_nothing() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(1));
    assert!(!sim.withdraw_token(TrapKey::default()));
    sim.exit(task);
    assert!(!sim.withdraw(trap));
    sim.expect_empty();
}

#[test]
fn a_task_that_ends_takes_its_pending_traps_along() {
    let mut sim = Sim::new();
    let (task, other) = (sim.task(), sim.task());
    sim.sleep(task, ms(3));
    let stays = sim.sleep(other, ms(3));
    sim.sleep(task, ms(4));
    sim.exit(task);
    assert_eq!(sim.idle(), [slept(stays, ms(3))]);
    assert_eq!(sim.idle(), []);
    sim.exit(other);
    sim.expect_empty();
}

#[test]
fn what_has_ended_before_its_task_is_handed_over() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.nap(task);
    sim.exit(task);
    sim.expect(&[slept(trap, ms(0))]);
    sim.expect_empty();
}

#[test]
fn ending_unknown_tasks_is_a_fault() {
    let mut sim = Sim::new();
    let ended = sim.task();
    sim.exit(ended);
    for task in [ended, TaskKey::default()] {
        let exited = sim.kernel.exit_task(sim.key, task);
        assert!(matches!(exited, Err(Fault::Task)));
    }
    sim.expect_empty();
}

#[test]
fn a_blocking_trap_of_an_unknown_caller_is_a_fault() {
    let mut sim = Sim::new();
    let ended = sim.task();
    sim.exit(ended);
    for task in [ended, TaskKey::default()] {
        for until in [ms(0), ms(1)] {
            let by = sim.caller(task);
            assert!(matches!(sim.try_sleep(by, until), Err(Fault::Task)));
        }
    }
    sim.expect_empty();
}

#[test]
fn a_blocking_trap_without_a_cookie_is_a_fault() {
    let mut sim = Sim::new();
    let task = sim.task();
    for until in [ms(0), ms(1)] {
        let by = Caller { task, cookie: 0 };
        assert!(matches!(sim.try_sleep(by, until), Err(Fault::Cookie)));
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn what_is_said_of_a_task() {
    let mut sim = Sim::new();
    let parent = sim.task();
    let label = sim.instance().label("fib", "src/fib.rs", 12);
    let label = label.expect("there is room");
    let child = sim.instance().spawn(Some(parent), label, true);
    let child = child.expect("there is room");
    let info = sim.info(child);
    assert_eq!(info.serial, 2);
    assert_eq!((&*info.name, &*info.spawned_at), ("fib", "src/fib.rs:12"));
    assert_eq!((info.parent, info.daemon), (Some(parent), true));
    assert_eq!(info.waits_for, "");
    sim.exit(parent);
    assert_eq!(sim.info(child).parent, None);
    let nobody = sim.instance().spawn(None, 99, false);
    let info = sim.info(nobody.expect("there is room"));
    assert_eq!((&*info.name, &*info.spawned_at), ("", ""));
    assert_eq!((info.parent, info.daemon), (None, false));
}

#[test]
fn names_are_kept_to_two_hundred_characters() {
    let mut sim = Sim::new();
    let long = "ä".repeat(1_000);
    let label = sim.instance().label(&long, &long, 1);
    let label = label.expect("there is room");
    let task = sim.instance().spawn(None, label, false);
    let info = sim.info(task.expect("there is room"));
    assert_eq!(info.name.chars().count(), 200);
    assert_eq!(info.spawned_at.chars().count(), 202);
}
