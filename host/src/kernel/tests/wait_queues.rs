//! Wait queues: first come, first served, and nobody is woken twice or for nothing.

use super::*;

#[test]
fn the_first_come_are_woken_first_with_the_waker_s_value() {
    let mut sim = Sim::new();
    let queue = sim.queue();
    let tasks = [sim.task(), sim.task(), sim.task()];
    let traps = tasks.map(|task| sim.suspend(task, queue));
    assert_eq!(sim.instance().queue_len(queue), 3);
    assert_eq!(sim.instance().wake_queue(queue, 2, 42), 2);
    assert_eq!(sim.instance().queue_len(queue), 1);
    sim.expect(&[done(tasks[0], traps[0], 42), done(tasks[1], traps[1], 42)]);
    assert_eq!(sim.instance().wake_queue(queue, 1, 43), 1);
    sim.expect(&[done(tasks[2], traps[2], 43)]);
}

#[test]
fn waking_more_than_there_are_wakes_all() {
    let mut sim = Sim::new();
    let (queue, task) = (sim.queue(), sim.task());
    assert_eq!(sim.instance().wake_queue(queue, u32::MAX, 0), 0);
    let trap = sim.suspend(task, queue);
    assert_eq!(sim.instance().wake_queue(queue, 0, 0), 0);
    assert_eq!(sim.instance().wake_queue(queue, u32::MAX, 1), 1);
    assert_eq!(sim.instance().wake_queue(queue, 1, 2), 0);
    sim.expect(&[done(task, trap, 1)]);
}

#[test]
fn who_is_woken_and_waits_again_goes_to_the_end() {
    let mut sim = Sim::new();
    let (queue, first, second) = (sim.queue(), sim.task(), sim.task());
    let woke = sim.suspend(first, queue);
    let waits = sim.suspend(second, queue);
    sim.instance().wake_queue(queue, 1, 0);
    sim.expect(&[done(first, woke, 0)]);
    let again = sim.suspend(first, queue);
    sim.instance().wake_queue(queue, 2, 0);
    sim.expect(&[done(second, waits, 0), done(first, again, 0)]);
}

#[test]
fn a_withdrawn_waiter_s_turn_goes_to_the_next_wherever_it_stood() {
    for gone in 0..3 {
        let mut sim = Sim::new();
        let queue = sim.queue();
        let tasks = [sim.task(), sim.task(), sim.task()];
        let traps = tasks.map(|task| sim.suspend(task, queue));
        assert!(sim.withdraw(traps[gone]));
        assert_eq!(sim.instance().queue_len(queue), 2);
        assert_eq!(sim.instance().wake_queue(queue, 3, 5), 2);
        let left: Vec<_> = (0..3)
            .filter(|n| *n != gone)
            .map(|n| done(tasks[n], traps[n], 5))
            .collect();
        sim.expect(&left);
    }
}

#[test]
fn a_cancelled_or_timed_out_or_ended_waiter_leaves_the_queue() {
    let mut sim = Sim::new();
    let queue = sim.queue();
    let tasks = [sim.task(), sim.task(), sim.task(), sim.task()];
    let scope = sim.open(tasks[1], ms(5));
    let traps = [
        sim.suspend(tasks[0], queue),
        sim.suspend((tasks[1], scope), queue),
        sim.suspend(tasks[2], queue),
        sim.suspend(tasks[3], queue),
    ];
    sim.cancel(tasks[0]);
    sim.exit(tasks[2]);
    sim.advance(5);
    sim.expect(&[
        cancelled(tasks[0], traps[0]),
        timed_out(tasks[1], traps[1], ms(5)),
    ]);
    assert_eq!(sim.instance().queue_len(queue), 1);
    assert_eq!(sim.instance().wake_queue(queue, 9, 0), 1);
    sim.expect(&[done(tasks[3], traps[3], 0)]);
}

#[test]
fn one_task_may_wait_in_several_queues() {
    let mut sim = Sim::new();
    let (left, right, task) = (sim.queue(), sim.queue(), sim.task());
    let traps = [sim.suspend(task, left), sim.suspend(task, right)];
    sim.instance().wake_queue(right, 1, 2);
    sim.expect(&[done(task, traps[1], 2)]);
    sim.instance().wake_queue(left, 1, 1);
    sim.expect(&[done(task, traps[0], 1)]);
}

#[test]
fn who_waits_in_a_dropped_queue_is_told() {
    let mut sim = Sim::new();
    let (queue, first, second) = (sim.queue(), sim.task(), sim.task());
    let traps = [sim.suspend(first, queue), sim.suspend(second, queue)];
    sim.instance().drop_queue(queue);
    sim.expect(&[
        resumption(first, Some(traps[0]), Outcome::Closed),
        resumption(second, Some(traps[1]), Outcome::Closed),
    ]);
    sim.exit(first);
    sim.exit(second);
    sim.expect_empty();
}

#[test]
fn an_unknown_queue_has_no_waiters_and_waiting_there_is_a_fault() {
    let mut sim = Sim::new();
    let (queue, task) = (sim.queue(), sim.task());
    sim.instance().drop_queue(queue);
    assert_eq!(sim.instance().queue_len(queue), 0);
    assert_eq!(sim.instance().wake_queue(queue, 1, 0), 0);
    sim.instance().drop_queue(queue);
    assert!(matches!(
        sim.try_suspend(task.into(), queue),
        Err(Fault::Queue)
    ));
    sim.exit(task);
    sim.expect_empty();
}
