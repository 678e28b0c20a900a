//! Tasks: their start, their end, waking and joining them, and what is said of them.

use slotmap::Key;

use super::*;

#[test]
fn a_spawned_task_starts_in_the_next_pass_in_order_of_spawning() {
    let mut sim = Sim::new();
    let tasks = [sim.spawn(), sim.spawn(), sim.spawn()];
    let starts = tasks.map(|task| resumption(task, None, Outcome::Start));
    sim.expect(&starts);
    sim.expect(&[]);
}

#[test]
fn spawning_goes_behind_who_is_ready_already() {
    let mut sim = Sim::new();
    let old = sim.task();
    sim.instance().wake(old);
    let new = sim.spawn();
    sim.expect(&[woken(old), resumption(new, None, Outcome::Start)]);
}

#[test]
fn the_first_task_is_the_main_one_even_after_its_end() {
    let mut sim = Sim::new();
    assert_eq!(sim.instance().main(), None);
    let main = sim.task();
    sim.exit(main);
    let next = sim.task();
    assert_ne!(main, next);
    assert_eq!(sim.instance().main(), Some(main));
    assert!(!sim.kernel.cancel_main(sim.key));
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
fn joiners_are_resumed_in_the_order_in_which_they_came() {
    let mut sim = Sim::new();
    let target = sim.task();
    let joiners = [sim.task(), sim.task(), sim.task()];
    let traps = joiners.map(|joiner| sim.join(joiner, target));
    sim.expect(&[]);
    sim.exit(target);
    sim.expect(&[
        done(joiners[0], traps[0], 0),
        done(joiners[1], traps[1], 0),
        done(joiners[2], traps[2], 0),
    ]);
}

#[test]
fn joining_who_has_ended_or_never_was_is_done_at_once() {
    let mut sim = Sim::new();
    let (joiner, ended) = (sim.task(), sim.task());
    sim.exit(ended);
    for target in [ended, TaskKey::default()] {
        let trap = sim.join(joiner, target);
        sim.expect(&[done(joiner, trap, 0)]);
    }
    assert!(matches!(
        sim.try_join(TaskKey::default().into(), ended),
        Err(Fault::Task)
    ));
}

#[test]
fn a_task_that_joins_itself_waits_but_may_be_cancelled_or_end() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.join(task, task);
    sim.expect(&[]);
    sim.cancel(task);
    sim.expect(&[cancelled(task, trap)]);
    sim.join(task, task);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn a_woken_task_is_resumed_once_and_can_be_woken_again() {
    let mut sim = Sim::new();
    let task = sim.task();
    for _ in 0..2 {
        sim.instance().wake(task);
        sim.instance().wake(task);
        sim.expect(&[woken(task)]);
        sim.expect(&[]);
    }
}

#[test]
fn waking_who_is_ready_or_has_ended_does_nothing() {
    let mut sim = Sim::new();
    let new = sim.spawn();
    sim.instance().wake(new);
    sim.expect(&[resumption(new, None, Outcome::Start)]);
    let trap = sim.sleep(new, ms(0));
    sim.instance().wake(new);
    sim.expect(&[slept(new, trap, ms(0))]);
    sim.exit(new);
    sim.instance().wake(new);
    sim.instance().wake(TaskKey::default());
    sim.expect_empty();
}

#[test]
fn waking_does_not_end_a_trap() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(5));
    sim.instance().wake(task);
    sim.expect(&[woken(task)]);
    sim.advance(5);
    sim.expect(&[slept(task, trap, ms(5))]);
}

#[test]
fn each_of_several_pending_traps_is_resumed_with_its_own_token_once() {
    let mut sim = Sim::new();
    let (task, target, queue) = (sim.task(), sim.task(), sim.queue());
    let sleep = sim.sleep(task, ms(1));
    let join = sim.join(task, target);
    let suspend = sim.suspend(task, queue);
    sim.exit(target);
    sim.expect(&[done(task, join, 0)]);
    sim.instance().wake_queue(queue, 1, 7);
    sim.expect(&[done(task, suspend, 7)]);
    sim.expect(&[]);
    sim.advance(1);
    sim.expect(&[slept(task, sleep, ms(1))]);
}

#[test]
fn a_withdrawn_trap_is_never_resumed() {
    let mut sim = Sim::new();
    let (task, target, queue) = (sim.task(), sim.task(), sim.queue());
    let traps = [
        sim.sleep(task, ms(1)),
        sim.join(task, target),
        sim.suspend(task, queue),
    ];
    for trap in traps {
        assert!(sim.withdraw(trap));
        assert!(!sim.withdraw(trap), "only once");
    }
    sim.exit(target);
    assert_eq!(sim.instance().queue_len(queue), 0);
    assert_eq!(sim.instance().wake_queue(queue, 1, 0), 0);
    sim.advance(1);
    sim.expect(&[]);
    sim.exit(task);
    sim.instance().drop_queue(queue);
    sim.expect_empty();
}

#[test]
fn a_trap_that_has_ended_is_not_withdrawn_before_or_after_its_resumption() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(0));
    assert!(!sim.withdraw(trap));
    sim.expect(&[slept(task, trap, ms(0))]);
    assert!(!sim.withdraw(trap));
    assert!(!sim.withdraw(TrapKey::default()));
}

#[test]
fn a_task_that_ends_takes_its_traps_and_resumptions_along() {
    let mut sim = Sim::new();
    let (task, other, queue) = (sim.task(), sim.task(), sim.queue());
    sim.sleep(task, ms(0));
    sim.sleep(task, ms(3));
    sim.suspend(task, queue);
    sim.join(task, other);
    sim.exit(task);
    assert_eq!(sim.instance().queue_len(queue), 0);
    let unborn = sim.spawn();
    sim.exit(unborn);
    sim.exit(other);
    sim.instance().drop_queue(queue);
    sim.advance(3);
    sim.expect_empty();
}

#[test]
fn ending_unknown_tasks_is_a_fault() {
    let mut sim = Sim::new();
    let ended = sim.task();
    sim.exit(ended);
    for task in [ended, TaskKey::default()] {
        let (instance, timers, _) = sim.with_timers();
        assert!(matches!(instance.exit(timers, task), Err(Fault::Task)));
    }
}

#[test]
fn a_blocking_trap_of_an_unknown_caller_is_a_fault() {
    let mut sim = Sim::new();
    let (ended, other, queue) = (sim.task(), sim.task(), sim.queue());
    let scope = sim.open(other, ms(9));
    sim.exit(ended);
    let callers: [Caller; 3] = [
        ended.into(),
        TaskKey::default().into(),
        (ended, scope).into(),
    ];
    for by in callers {
        assert!(matches!(sim.try_sleep(by, ms(1)), Err(Fault::Task)));
        assert!(matches!(sim.try_join(by, other), Err(Fault::Task)));
        assert!(matches!(sim.try_suspend(by, queue), Err(Fault::Task)));
        assert!(matches!(sim.try_open(by, ms(1)), Err(Fault::Task)));
    }
    assert_eq!(sim.instance().traps.len(), 0);
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
    assert_eq!((info.serial, info.cycles), (2, 0));
    assert_eq!((&*info.name, &*info.spawned_at), ("fib", "src/fib.rs:12"));
    assert_eq!((info.parent, info.daemon), (Some(parent), true));
    assert_eq!((&*info.state, info.cancelled), ("initial", false));
    sim.pass();
    sim.cancel(child);
    sim.exit(parent);
    let info = sim.info(child);
    assert_eq!((info.cycles, info.parent), (1, None));
    assert!(info.cancelled);
    let nobody = sim.instance().spawn(None, 99, false);
    let info = sim.info(nobody.expect("there is room"));
    assert_eq!((&*info.name, &*info.spawned_at), ("", ""));
}

#[test]
fn a_task_s_state_is_what_it_does_or_waits_for() {
    let mut sim = Sim::new();
    let (task, other) = (sim.task(), sim.spawn());
    assert_eq!(sim.state(other), "initial");
    sim.pass();
    assert_eq!(sim.state(other), "running");
    assert_eq!(sim.state(task), "waker-wait");
    sim.instance().wake(task);
    assert_eq!(sim.state(task), "ready");
    sim.pass();
    let queue = sim.instance().make_queue("lock-acquire");
    let queue = queue.expect("there is room");
    let traps = [
        sim.sleep(task, ms(1)),
        sim.join(task, other),
        sim.suspend(task, queue),
    ];
    for (trap, state) in traps.into_iter().zip(["sleep", "join", "lock-acquire"]) {
        assert_eq!(sim.state(task), state);
        assert!(sim.withdraw(trap));
    }
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
