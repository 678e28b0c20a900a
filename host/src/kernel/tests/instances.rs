//! Several instances on one kernel: taking turns, and leaving.

use std::io;

use super::*;

impl Sim {
    /// Adds an instance with one task, which waits.
    fn other(&mut self) -> (InstanceKey, TaskKey) {
        let key = self.kernel.add_instance(Limits::default());
        let task = self.kernel.instance(key).spawn(None, 0, false);
        self.select();
        while let Some(next) = self.kernel.next_instance() {
            while self.poll(next).is_ready() {}
        }
        (key, task.expect("there is room"))
    }

    fn select(&mut self) {
        self.kernel
            .select(false)
            .expect("a simulated selector never fails");
    }

    /// An instance calls `wait`.
    fn poll(&mut self, key: InstanceKey) -> Poll<Pass> {
        self.kernel.poll_wait(key, 0, Instant::NEVER)
    }

    /// The instances that get the thread, in order, if none of them comes to its `wait`.
    fn turns(&mut self) -> Vec<InstanceKey> {
        std::iter::from_fn(|| self.kernel.next_instance()).collect()
    }

    /// Lets the task of another instance sleep.
    fn sleep_other(&mut self, (key, task): (InstanceKey, TaskKey), until: u64) -> Made {
        let by = self.caller(task);
        let (instance, timers, now) = self.kernel.with_timers(key);
        let token = instance.sleep(timers, by, ms(until), now);
        let (token, cookie) = (token.expect("it may sleep"), by.cookie);
        Made { token, cookie }
    }
}

/// What a `wait` brings that returns with one trap.
fn ready(trap: Made, now: u64) -> Poll<Pass> {
    Poll::Ready(Pass {
        now: ms(now),
        resumptions: vec![slept(trap, ms(now))],
    })
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
fn an_instance_gets_a_turn_only_when_one_of_its_traps_has_ended() {
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
fn instances_that_always_have_something_to_go_on_with_take_turns() {
    let mut sim = Sim::new();
    let others = [sim.other(), sim.other(), sim.other()];
    for other in others {
        sim.sleep_other(other, 1);
    }
    sim.advance(1);
    let mut order = Vec::new();
    for _ in 0..9 {
        sim.select();
        let key = sim.kernel.next_instance().expect("all may go on");
        let other = others.iter().find(|other| other.0 == key);
        let other = other.expect("the others are not asked for");
        while sim.poll(key).is_ready() {
            order.push(key);
            sim.sleep_other(*other, 0);
        }
    }
    let expected: Vec<_> = others.iter().map(|other| other.0).cycle().take(9).collect();
    assert_eq!(order, expected);
}

#[test]
fn an_instance_that_is_alone_goes_on_without_leaving_its_turn() {
    let mut sim = Sim::new();
    let task = sim.task();
    sim.pass();
    sim.turns();
    for _ in 0..500 {
        let nap = sim.nap(task);
        assert_eq!(sim.poll(sim.key), ready(nap, 0));
    }
}

#[test]
fn what_is_ready_for_an_instance_whose_turn_is_over_waits_for_the_next_one() {
    let mut sim = Sim::new();
    let (first, second) = (sim.other(), sim.other());
    sim.sleep_other(first, 1);
    sim.sleep_other(second, 1);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.kernel.next_instance(), Some(first.0));
    assert!(sim.poll(first.0).is_ready());
    let nap = sim.sleep_other(first, 0);
    assert!(sim.poll(first.0).is_pending(), "others wait");
    assert_eq!(sim.turns(), [second.0, first.0]);
    assert_eq!(sim.poll(first.0), ready(nap, 1));
}

#[test]
fn who_was_preempted_is_kept_apart_from_who_was_woken() {
    let mut sim = Sim::new();
    let (hog, other) = (sim.other(), sim.other());
    sim.sleep_other(hog, 1);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.kernel.next_instance(), Some(hog.0));
    assert!(sim.poll(hog.0).is_ready());
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
    assert_eq!(sim.turns(), [sim.key]);
    let nap = sim.nap(task);
    sim.kernel.door().send(Message::Poll(sim.key));
    sim.advance(1);
    assert!(sim.poll(sim.key).is_pending());
    assert_eq!(sim.turns(), [sim.key]);
    let told = Pass {
        now: ms(1),
        resumptions: vec![slept(nap, ms(0))],
    };
    assert_eq!(sim.poll(sim.key), Poll::Ready(told));
}

#[test]
fn a_waiting_instance_that_is_polled_for_nothing_goes_on_waiting() {
    let mut sim = Sim::new();
    let other = sim.other();
    sim.kernel.door().send(Message::Poll(other.0));
    sim.select();
    assert_eq!(sim.turns(), [other.0]);
    assert!(sim.poll(other.0).is_pending());
    sim.select();
    assert_eq!(sim.turns(), []);
}

#[test]
fn each_instance_is_back_at_its_own_time() {
    let mut sim = Sim::new();
    let others = [
        (sim.other().0, 30),
        (sim.other().0, 10),
        (sim.other().0, 20),
    ];
    for (key, until) in others {
        assert!(sim.kernel.poll_wait(key, 0, ms(until)).is_pending());
    }
    for (key, until) in [others[1], others[2], others[0]] {
        sim.kernel.select(true).expect("it never fails");
        assert_eq!(sim.clock.now(), ms(until));
        assert_eq!(sim.turns(), [key]);
        let back = sim.kernel.poll_wait(key, 0, ms(until));
        let nothing = Pass {
            now: ms(until),
            resumptions: Vec::new(),
        };
        assert_eq!(back, Poll::Ready(nothing));
    }
}

#[test]
fn an_instance_that_never_waits_leaves_the_others_their_turns() {
    let mut sim = Sim::new();
    let (hog, other) = (sim.other().0, sim.other().0);
    assert!(sim.kernel.poll_wait(other, 0, ms(1)).is_pending());
    sim.kernel.door().send(Message::Poll(hog));
    sim.select();
    assert_eq!(sim.turns(), [hog]);
    assert!(sim.kernel.poll_wait(hog, 0, ms(0)).is_ready());
    assert!(
        sim.kernel.poll_wait(hog, 0, ms(0)).is_ready(),
        "it is alone"
    );
    sim.advance(1);
    assert!(sim.kernel.poll_wait(hog, 0, ms(0)).is_pending());
    assert_eq!(sim.turns(), [other, hog]);
}

#[test]
fn an_instance_removed_takes_everything_along() {
    let mut sim = Sim::new();
    let (gone, stays) = (sim.other(), sim.other());
    sim.sleep_other(gone, 1);
    sim.sleep_other(stays, 2);
    assert!(sim.kernel.poll_wait(gone.0, 0, ms(1)).is_pending());
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
    assert!(!sim.kernel.request_end(gone.0));
    assert_eq!(sim.turns(), []);
    sim.advance(1);
    sim.select();
    assert_eq!(sim.turns(), [stays.0]);
    assert_eq!(sim.kernel.timers(), 0);
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
    let theirs = sim.sleep_other(other, 5);
    assert!(!sim.withdraw(theirs));
    sim.exit(mine);
    assert!(sim.kernel.instance(other.0).info(other.1).is_some());
    sim.advance(5);
    sim.select();
    assert_eq!(sim.turns(), [other.0]);
    assert_eq!(sim.poll(other.0), ready(theirs, 5));
}

#[test]
fn what_is_due_of_one_instance_does_not_delay_another() {
    let mut sim = Sim::new();
    let (hostile, victim) = (sim.other(), sim.other());
    let count = 5 * expiry::MAX_DUE;
    for _ in 0..count {
        sim.sleep_other(hostile, 1);
    }
    let trap = sim.sleep_other(victim, 2);
    sim.advance(2);
    sim.select();
    assert_eq!(sim.turns(), [hostile.0, victim.0]);
    assert_eq!(sim.poll(victim.0), ready(trap, 2));
    let mut told = 0;
    while told < count {
        let Poll::Ready(pass) = sim.poll(hostile.0) else {
            sim.select();
            sim.turns();
            continue;
        };
        assert!(pass.resumptions.len() <= instance::MAX_RESUMPTIONS);
        told += pass.resumptions.len();
    }
    assert_eq!(told, count);
}

#[test]
fn sources_of_a_removed_instance_go_step_by_step_and_nobody_waits_meanwhile() {
    let mut sim = Sim::new();
    let gone = sim.other();
    let sources: Vec<_> = (0..10_000)
        .map(|_| sim.kernel.add_source(gone.0).0)
        .collect();
    let kept = sim.kernel.add_source(sim.key).0;
    sim.kernel.remove_source(sources[7]);
    drop(sim.kernel.remove_instance(gone.0));
    assert!(sim.kernel.has_to_clean_up());
    // What still comes for one of them is nobody's.
    sim.kernel.door().send(Message::Ready(sources[0]));
    for _ in 0..10 {
        let before = sim.clock.now();
        sim.kernel.select(true).expect("it never fails");
        assert_eq!(sim.clock.now(), before);
        sim.turns();
    }
    assert!(!sim.kernel.has_to_clean_up());
    assert_eq!(sim.kernel.sources.keys().collect::<Vec<_>>(), [kept]);
}
