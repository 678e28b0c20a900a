//! Several instances on one kernel: taking turns, and leaving.

use super::*;

impl Sim {
    /// Adds an instance with one task, which has begun, and which waits.
    fn other(&mut self) -> (InstanceKey, TaskKey) {
        let key = self.kernel.add_instance(Limits::default());
        let task = self.kernel.instance(key).spawn(None, 0, false);
        self.select();
        while let Some(next) = self.kernel.next_instance() {
            while self.kernel.poll_wait(next, 0).is_ready() {}
        }
        (key, task.expect("there is room"))
    }

    fn select(&mut self) {
        self.kernel
            .select(false)
            .expect("a simulated selector never fails");
    }

    fn wake_other(&mut self, (key, task): (InstanceKey, TaskKey)) {
        self.kernel.instance(key).wake(task);
    }

    /// The instances that get the thread, in order, if none of them comes to its `wait`.
    fn turns(&mut self) -> Vec<InstanceKey> {
        std::iter::from_fn(|| self.kernel.next_instance()).collect()
    }

    /// Wakes the task of an instance that waits, by a timer.
    fn sleep_other(&mut self, (key, task): (InstanceKey, TaskKey), until: u64) -> TrapKey {
        let (instance, timers, now) = self.kernel.with_timers(key);
        instance
            .sleep(timers, task.into(), ms(until), now)
            .expect("it may sleep")
    }
}

#[test]
fn a_new_instance_gets_a_turn() {
    let mut sim = Sim::new();
    let other = sim.kernel.add_instance(Limits::default());
    assert_eq!(sim.kernel.runnable(), 2);
    assert_eq!(sim.turns(), [sim.key, other]);
    assert_eq!(sim.kernel.runnable(), 0);
}

#[test]
fn an_instance_gets_a_turn_only_when_one_of_its_tasks_is_ready() {
    let mut sim = Sim::new();
    let (first, second) = (sim.other(), sim.other());
    sim.sleep_other(first, 20);
    sim.sleep_other(second, 10);
    sim.advance(10);
    sim.select();
    assert_eq!(sim.turns(), [second.0]);
    sim.advance(10);
    sim.select();
    assert_eq!(sim.turns(), [first.0]);
}

#[test]
fn instances_that_always_have_ready_tasks_take_turns() {
    let mut sim = Sim::new();
    let others = [sim.other(), sim.other(), sim.other()];
    for other in others {
        sim.sleep_other(other, 1);
    }
    sim.advance(1);
    let mut order = Vec::new();
    for _ in 0..9 {
        sim.select();
        let key = sim.kernel.next_instance().expect("all have ready tasks");
        while let Poll::Ready(ready) = sim.kernel.poll_wait(key, 0) {
            order.push(key);
            for resumption in ready {
                sim.kernel.instance(key).wake(resumption.task);
            }
        }
    }
    let expected: Vec<_> = others.iter().map(|other| other.0).cycle().take(9).collect();
    assert_eq!(order, expected);
}

#[test]
fn an_instance_that_is_alone_goes_on_without_leaving_its_turn() {
    let mut sim = Sim::new();
    let task = sim.task();
    for _ in 0..500 {
        sim.instance().wake(task);
        let polled = sim.kernel.poll_wait(sim.key, 0);
        assert_eq!(polled, Poll::Ready(vec![woken(task)]));
    }
}

#[test]
fn the_ready_tasks_of_an_instance_whose_turn_is_over_wait_for_the_next_one() {
    let mut sim = Sim::new();
    let (first, second) = (sim.other(), sim.other());
    sim.sleep_other(first, 1);
    sim.sleep_other(second, 1);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.kernel.next_instance(), Some(first.0));
    assert!(sim.kernel.poll_wait(first.0, 0).is_ready());
    sim.wake_other(first);
    assert!(sim.kernel.poll_wait(first.0, 0).is_pending(), "others wait");
    assert_eq!(sim.turns(), [second.0, first.0]);
    let ready = Poll::Ready(vec![woken(first.1)]);
    assert_eq!(sim.kernel.poll_wait(first.0, 0), ready);
}

#[test]
fn who_was_preempted_is_kept_apart_from_who_was_woken() {
    let mut sim = Sim::new();
    let (hog, other) = (sim.other(), sim.other());
    sim.sleep_other(hog, 1);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.kernel.next_instance(), Some(hog.0));
    assert!(sim.kernel.poll_wait(hog.0, 0).is_ready());
    sim.kernel.preempt(hog.0);
    assert_eq!(sim.kernel.runnable(), 0);
    sim.sleep_other(other, 2);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.turns(), [other.0]);
    assert_eq!(sim.kernel.next_preempted(), Some(hog.0));
    assert_eq!(sim.kernel.next_preempted(), None);
}

#[test]
fn preempted_instances_take_turns() {
    let mut sim = Sim::new();
    let hogs = [sim.other().0, sim.other().0];
    for hog in hogs {
        sim.kernel.door().send(Message::Poll(hog));
    }
    sim.select();
    for hog in sim.turns() {
        sim.kernel.preempt(hog);
    }
    for hog in [hogs[0], hogs[1], hogs[0], hogs[1]] {
        assert_eq!(sim.kernel.next_preempted(), Some(hog));
        sim.kernel.preempt(hog);
    }
}

#[test]
fn an_instance_that_has_come_to_its_wait_is_not_preempted() {
    let mut sim = Sim::new();
    let (waits, queued) = (sim.other(), sim.other());
    sim.kernel.preempt(waits.0);
    sim.sleep_other(queued, 1);
    sim.advance(1);
    sim.select();
    sim.kernel.preempt(queued.0);
    assert_eq!(sim.kernel.next_preempted(), None);
    assert_eq!(sim.turns(), [queued.0]);
}

#[test]
fn the_kernel_does_not_wait_while_somebody_was_preempted() {
    let mut sim = Sim::new();
    let hog = sim.other();
    sim.sleep_other(hog, 500);
    sim.kernel.door().send(Message::Poll(hog.0));
    sim.select();
    assert_eq!(sim.turns(), [hog.0]);
    sim.kernel.preempt(hog.0);
    sim.kernel.select(true).expect("it never fails");
    assert_eq!(sim.clock.now(), ms(0));
}

#[test]
fn a_message_gives_an_instance_one_turn_and_not_two() {
    let mut sim = Sim::new();
    let other = sim.other();
    let door = sim.kernel.door();
    door.send(Message::Poll(other.0));
    door.send(Message::Poll(other.0));
    door.send(Message::Poll(InstanceKey::default()));
    sim.select();
    assert_eq!(sim.turns(), [other.0]);
    sim.kernel.preempt(other.0);
    door.send(Message::Poll(other.0));
    sim.select();
    assert_eq!(sim.turns(), [], "it has a turn coming as it is");
    assert_eq!(sim.kernel.next_preempted(), Some(other.0));
    assert_eq!(sim.kernel.next_preempted(), None);
}

#[test]
fn a_message_to_the_instance_that_has_the_thread_does_not_queue_it_twice() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.instance().wake(task);
    sim.kernel.door().send(Message::Poll(sim.key));
    sim.advance(1);
    assert!(sim.kernel.poll_wait(sim.key, 0).is_pending());
    assert_eq!(sim.turns(), [sim.key]);
    let ready = Poll::Ready(vec![woken(task)]);
    assert_eq!(sim.kernel.poll_wait(sim.key, 0), ready);
}

#[test]
fn a_waiting_instance_that_is_polled_for_nothing_goes_on_waiting() {
    let mut sim = Sim::new();
    let other = sim.other();
    sim.kernel.door().send(Message::Poll(other.0));
    sim.select();
    assert_eq!(sim.turns(), [other.0]);
    assert!(sim.kernel.poll_wait(other.0, 0).is_pending());
    sim.select();
    assert_eq!(sim.turns(), []);
}

#[test]
fn an_instance_removed_takes_everything_along() {
    let mut sim = Sim::new();
    let (gone, stays) = (sim.other(), sim.other());
    sim.sleep_other(gone, 1);
    sim.sleep_other(stays, 2);
    let stdin = io::stdin();
    let fd = std::os::fd::AsFd::as_fd(&stdin);
    assert!(sim.kernel.watch(Some(gone.0), fd).is_ok());
    sim.kernel.door().send(Message::Poll(gone.0));
    sim.select();
    sim.kernel.remove_instance(gone.0);
    sim.kernel.remove_instance(gone.0);
    assert_eq!(sim.kernel.sources.len(), 0);
    sim.kernel.door().send(Message::Poll(gone.0));
    sim.advance(1);
    sim.select();
    assert!(!sim.kernel.cancel_main(gone.0));
    assert_eq!(sim.turns(), []);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.turns(), [stays.0]);
    assert_eq!(sim.kernel.timers.len(), 0);
}

#[test]
fn a_preempted_instance_can_be_removed() {
    let mut sim = Sim::new();
    let hog = sim.other();
    sim.kernel.door().send(Message::Poll(hog.0));
    sim.select();
    sim.turns();
    sim.kernel.preempt(hog.0);
    sim.kernel.remove_instance(hog.0);
    sim.kernel.preempt(hog.0);
    assert_eq!(sim.kernel.next_preempted(), None);
}

#[test]
fn an_instance_whose_time_is_over_is_reported_once() {
    let mut sim = Sim::new();
    let limit = Duration::from_millis(5);
    sim.advance(10);
    let key = sim.kernel.add_instance(Limits::default().with_time(limit));
    sim.turns();
    sim.advance(4);
    sim.select();
    assert_eq!(sim.kernel.take_overdue(), []);
    sim.kernel.select(true).expect("it never fails");
    assert_eq!(sim.clock.now(), ms(15));
    assert_eq!(sim.kernel.take_overdue(), [(key, limit)]);
    sim.advance(100);
    sim.select();
    assert_eq!(sim.kernel.take_overdue(), []);
    sim.kernel.remove_instance(key);
    assert!(sim.kernel.instances.contains_key(sim.key));
}

#[test]
fn the_same_number_means_another_task_to_another_instance() {
    let mut sim = Sim::new();
    let (mine, other) = (sim.task(), sim.other());
    assert_eq!(mine, other.1);
    sim.cancel(mine);
    sim.exit(mine);
    let theirs = sim.kernel.instance(other.0).info(other.1);
    assert!(theirs.is_some_and(|task| !task.cancelled));
}
