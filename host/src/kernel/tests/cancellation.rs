//! Cancellation: what it ends, what it leaves, and what it waits for.

use super::*;

/// A task's resumption that says that it can only be dropped.
fn to_drop(task: TaskKey) -> Resumption {
    resumption(task, None, Outcome::Cancelled)
}

impl Sim {
    fn redeliver(&mut self, task: TaskKey) {
        self.instance().redeliver_cancel(task);
    }

    /// A task with a cancellation that will end its next trap.
    fn cancelled_task(&mut self) -> TaskKey {
        let task = self.spawn();
        assert!(self.cancel(task));
        self.expect(&[resumption(task, None, Outcome::Start)]);
        task
    }
}

#[test]
fn a_blocked_task_is_cancelled_where_it_is_blocked() {
    let mut sim = Sim::new();
    let (other, queue) = (sim.task(), sim.queue());
    let tasks = [sim.task(), sim.task(), sim.task()];
    let traps = [
        sim.sleep(tasks[0], ms(5)),
        sim.join(tasks[1], other),
        sim.suspend(tasks[2], queue),
    ];
    for task in tasks {
        assert!(sim.cancel(task));
        assert!(sim.info(task).cancelled);
    }
    sim.expect(&[0, 1, 2].map(|n| cancelled(tasks[n], traps[n])));
    sim.exit(other);
    sim.advance(5);
    sim.expect(&[]);
}

#[test]
fn all_traps_of_a_task_are_cancelled() {
    let mut sim = Sim::new();
    let (task, queue) = (sim.task(), sim.queue());
    let traps = [sim.sleep(task, ms(5)), sim.suspend(task, queue)];
    sim.cancel(task);
    sim.expect(&traps.map(|trap| cancelled(task, trap)));
    let next = sim.sleep(task, ms(6));
    sim.advance(6);
    sim.expect(&[slept(task, next, ms(6))]);
}

#[test]
fn who_has_ended_is_not_cancelled() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.exit(task);
    assert!(!sim.cancel(task));
    assert!(!sim.cancel(TaskKey::default()));
    sim.expect_empty();
}

#[test]
fn a_task_that_has_not_begun_runs_to_its_first_trap() {
    let mut sim = Sim::new();
    let task = sim.cancelled_task();
    let trap = sim.sleep(task, ms(5));
    sim.expect(&[cancelled(task, trap)]);
}

#[test]
fn every_kind_of_trap_is_ended_by_a_pending_cancellation() {
    let mut sim = Sim::new();
    let (other, queue) = (sim.task(), sim.queue());
    let task = sim.cancelled_task();
    let trap = sim.suspend(task, queue);
    sim.expect(&[cancelled(task, trap)]);
    assert_eq!(sim.instance().queue_len(queue), 0);
    let task = sim.cancelled_task();
    let trap = sim.join(task, other);
    sim.expect(&[cancelled(task, trap)]);
    let task = sim.cancelled_task();
    let trap = sim.sleep(task, ms(0));
    sim.expect(&[cancelled(task, trap)]);
}

#[test]
fn joining_who_has_ended_is_no_point_of_cancellation() {
    let mut sim = Sim::new();
    let ended = sim.task();
    sim.exit(ended);
    let task = sim.cancelled_task();
    let trap = sim.join(task, ended);
    sim.expect(&[done(task, trap, 0)]);
    let trap = sim.sleep(task, ms(5));
    sim.expect(&[cancelled(task, trap)]);
}

#[test]
fn a_result_that_was_there_first_is_kept_and_the_cancellation_stays_pending() {
    let mut sim = Sim::new();
    let (task, queue) = (sim.task(), sim.queue());
    let woke = sim.suspend(task, queue);
    sim.instance().wake_queue(queue, 1, 7);
    assert!(sim.cancel(task));
    sim.expect(&[done(task, woke, 7)]);
    let next = sim.suspend(task, queue);
    sim.expect(&[cancelled(task, next)]);
}

#[test]
fn a_task_that_cancels_itself_learns_of_it_at_its_next_trap() {
    let mut sim = Sim::new();
    let task = sim.task();
    assert!(sim.cancel(task));
    let trap = sim.sleep(task, ms(0));
    sim.expect(&[cancelled(task, trap)]);
}

#[test]
fn a_task_is_cancelled_once() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(5));
    assert!(sim.cancel(task));
    assert!(sim.cancel(task), "it has not ended");
    sim.expect(&[cancelled(task, trap)]);
    let cleanup = sim.sleep(task, ms(5));
    assert!(sim.cancel(task));
    sim.expect(&[]);
    sim.advance(5);
    sim.expect(&[slept(task, cleanup, ms(5))]);
}

#[test]
fn a_task_blocked_without_a_trap_is_to_be_dropped() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.expect(&[]);
    sim.cancel(task);
    sim.expect(&[to_drop(task)]);
    sim.expect(&[]);
}

#[test]
fn a_task_is_not_to_be_dropped_while_it_may_still_come_to_a_trap() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.expect(&[]);
    sim.instance().wake(task);
    sim.cancel(task);
    sim.expect(&[woken(task)]);
    sim.instance().wake(task);
    sim.expect(&[woken(task)]);
    let trap = sim.sleep(task, ms(5));
    sim.expect(&[cancelled(task, trap)]);
}

#[test]
fn a_task_that_does_not_come_to_a_trap_is_to_be_dropped_after_its_pass() {
    let mut sim = Sim::new();
    let task = sim.cancelled_task();
    sim.expect(&[to_drop(task)]);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn the_host_s_cancelling_of_the_main_task_readies_a_waiting_instance() {
    let mut sim = Sim::new();
    assert!(!sim.kernel.cancel_main(sim.key), "there is none yet");
    let main = sim.task();
    let trap = sim.sleep(main, ms(5));
    sim.expect(&[]);
    assert!(sim.kernel.cancel_main(sim.key));
    assert_eq!(sim.kernel.runnable(), 1);
    sim.expect(&[cancelled(main, trap)]);
    sim.expect(&[]);
    assert!(sim.kernel.cancel_main(sim.key));
    assert_eq!(sim.kernel.runnable(), 0, "a task is cancelled once");
}

#[test]
fn a_waiting_instance_whose_main_task_has_no_trap_is_told_to_drop_it() {
    let mut sim = Sim::new();
    let main = sim.task();
    sim.expect(&[]);
    assert!(sim.kernel.cancel_main(sim.key));
    sim.expect(&[to_drop(main)]);
}

#[test]
fn a_cancellation_given_back_ends_the_next_trap() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(5));
    sim.cancel(task);
    sim.expect(&[cancelled(task, trap)]);
    sim.redeliver(task);
    sim.redeliver(task);
    let next = sim.sleep(task, ms(5));
    sim.expect(&[cancelled(task, next)]);
    let last = sim.sleep(task, ms(5));
    sim.advance(5);
    sim.expect(&[slept(task, last, ms(5))]);
}

#[test]
fn a_cancellation_given_back_to_who_was_not_cancelled_is_nothing() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.redeliver(task);
    sim.redeliver(TaskKey::default());
    let trap = sim.sleep(task, ms(0));
    sim.expect(&[slept(task, trap, ms(0))]);
    sim.cancel(task);
    sim.exit(task);
    sim.redeliver(task);
    sim.expect_empty();
}

#[test]
fn a_cancellation_given_back_to_a_blocked_task_ends_its_trap_and_not_the_task() {
    let mut sim = Sim::new();
    let task = sim.task();
    let dropped = sim.sleep(task, ms(5));
    sim.cancel(task);
    sim.expect(&[cancelled(task, dropped)]);
    // Another branch of the task has blocked before this one's resumption found nobody.
    let other = sim.sleep(task, ms(9));
    sim.redeliver(task);
    sim.expect(&[cancelled(task, other)]);
}

#[test]
fn a_cancellation_given_back_and_no_trap_after_it_means_to_drop() {
    let mut sim = Sim::new();
    let task = sim.task();
    let trap = sim.sleep(task, ms(5));
    sim.cancel(task);
    sim.expect(&[cancelled(task, trap)]);
    sim.redeliver(task);
    sim.expect(&[to_drop(task)]);
}

#[test]
fn cancelling_disarms_the_timeouts_that_are_open_but_no_later_ones() {
    let mut sim = Sim::new();
    let task = sim.task();
    let open = sim.open(task, ms(5));
    let trap = sim.sleep((task, open), ms(9));
    sim.cancel(task);
    sim.expect(&[cancelled(task, trap)]);
    let cleanup = sim.sleep((task, open), ms(20));
    sim.advance(10);
    sim.expect(&[]);
    let later = sim.open((task, open), ms(15));
    let timed = sim.sleep((task, later), ms(20));
    sim.advance(5);
    sim.expect(&[timed_out(task, timed, ms(15))]);
    sim.close(later);
    sim.advance(5);
    sim.expect(&[slept(task, cleanup, ms(20))]);
    sim.close(open);
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn cancelling_disarms_a_timeout_that_has_expired_but_was_not_told() {
    let mut sim = Sim::new();
    let (task, queue) = (sim.task(), sim.queue());
    let open = sim.open(task, ms(5));
    let woke = sim.suspend((task, open), queue);
    sim.instance().wake_queue(queue, 1, 0);
    sim.advance(5);
    sim.expect(&[done(task, woke, 0)]);
    sim.cancel(task);
    let trap = sim.suspend((task, open), queue);
    sim.expect(&[cancelled(task, trap)]);
    let cleanup = sim.sleep((task, open), ms(9));
    assert_eq!(sim.idle(), [slept(task, cleanup, ms(9))]);
}

#[test]
fn cancelling_the_joiner_leaves_the_joined_running() {
    let mut sim = Sim::new();
    let (joiner, target) = (sim.task(), sim.task());
    let join = sim.join(joiner, target);
    let sleep = sim.sleep(target, ms(5));
    sim.cancel(joiner);
    assert_eq!(sim.idle(), [cancelled(joiner, join)]);
    assert_eq!(sim.idle(), [slept(target, sleep, ms(5))]);
    assert!(!sim.info(target).cancelled);
}
