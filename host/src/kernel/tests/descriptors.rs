//! Waiting for descriptors, with a selector whose events are posted by the test.

use std::io::stdin;
use std::os::fd::AsFd;

use slotmap::Key;

use super::*;

use Direction::{Read, Write};

impl Sim {
    /// Watches a descriptor, any one will do, and knows that it would block.
    fn watch(&mut self) -> (SourceKey, Arc<Readiness>) {
        let watched = self.kernel.watch(Some(self.key), stdin().as_fd());
        let (source, readiness) = watched.expect("a simulated selector takes anything");
        readiness.clear(Read);
        readiness.clear(Write);
        (source, readiness)
    }

    fn unwatch(&mut self, source: SourceKey) {
        self.kernel.unwatch(source, stdin().as_fd());
    }

    fn try_io(
        &mut self,
        by: Caller,
        source: SourceKey,
        direction: Direction,
    ) -> Result<Made, Fault> {
        self.stole_turn = !self.in_turn;
        let token = self
            .kernel
            .wait_for_source(self.key, by, source, direction)?;
        let cookie = by.cookie;
        Ok(Made { token, cookie })
    }

    fn io(&mut self, task: TaskKey, source: SourceKey, direction: Direction) -> Made {
        let by = self.caller(task);
        self.try_io(by, source, direction).expect("it may wait")
    }

    fn post(&self, source: SourceKey, readable: bool, writable: bool) {
        self.selector.post(Event {
            token: source.data().as_ffi(),
            readable,
            writable,
            closed: false,
        });
    }
}

fn busy(trap: Made) -> Resumption {
    Resumption {
        cookie: trap.cookie,
        outcome: Outcome::Busy,
    }
}

fn closed(trap: Made) -> Resumption {
    Resumption {
        cookie: trap.cookie,
        outcome: Outcome::Closed,
    }
}

#[test]
fn an_event_resumes_who_waits_in_its_direction() {
    let mut sim = Sim::new();
    let (reader, writer) = (sim.task(), sim.task());
    let (source, _) = sim.watch();
    let read = sim.io(reader, source, Read);
    let write = sim.io(writer, source, Write);
    assert_eq!(sim.info(reader).waits_for, "read-wait");
    assert_eq!(sim.info(writer).waits_for, "write-wait");
    sim.expect(&[]);
    sim.post(source, false, true);
    sim.expect(&[done(write, 0)]);
    sim.post(source, true, false);
    sim.expect(&[done(read, 0)]);
    sim.post(source, true, true);
    sim.expect(&[]);
}

#[test]
fn the_reader_is_resumed_before_the_writer_and_descriptors_in_order_of_events() {
    let mut sim = Sim::new();
    let tasks = [sim.task(), sim.task(), sim.task()];
    let (first, _) = sim.watch();
    let (second, _) = sim.watch();
    let write = sim.io(tasks[0], first, Write);
    let read = sim.io(tasks[1], first, Read);
    let other = sim.io(tasks[2], second, Read);
    sim.post(second, true, true);
    sim.post(first, true, true);
    sim.expect(&[done(other, 0), done(read, 0), done(write, 0)]);
}

#[test]
fn a_new_descriptor_is_worth_an_attempt_in_both_directions() {
    let mut sim = Sim::new();
    let task = sim.task();
    let watched = sim.kernel.watch(Some(sim.key), stdin().as_fd());
    let (source, readiness) = watched.expect("a simulated selector takes anything");
    assert!(readiness.get(Read) && readiness.get(Write));
    let trap = sim.io(task, source, Read);
    sim.expect(&[done(trap, 0)]);
}

#[test]
fn an_event_between_an_attempt_and_the_wait_is_not_lost() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (source, readiness) = sim.watch();
    sim.post(source, true, false);
    sim.expect(&[]);
    assert!(readiness.get(Read) && !readiness.get(Write));
    for _ in 0..2 {
        let trap = sim.io(task, source, Read);
        sim.expect(&[done(trap, 0)]);
    }
    readiness.clear(Read);
    sim.io(task, source, Read);
    sim.expect(&[]);
}

#[test]
fn a_second_waiter_is_told_that_the_descriptor_is_busy_in_its_direction() {
    let mut sim = Sim::new();
    let (first, second) = (sim.task(), sim.task());
    let (source, _) = sim.watch();
    let read = sim.io(first, source, Read);
    let refused = sim.io(second, source, Read);
    sim.expect(&[busy(refused)]);
    let write = sim.io(second, source, Write);
    sim.expect(&[]);
    sim.post(source, true, true);
    sim.expect(&[done(read, 0), done(write, 0)]);
}

#[test]
fn a_descriptor_is_free_again_when_its_waiter_is_gone() {
    let mut sim = Sim::new();
    let tasks = [sim.task(), sim.task(), sim.task()];
    let (source, _) = sim.watch();
    let withdrawn = sim.io(tasks[0], source, Read);
    assert!(sim.withdraw(withdrawn));
    assert!(!sim.withdraw(withdrawn), "only once");
    sim.io(tasks[1], source, Read);
    sim.exit(tasks[1]);
    let last = sim.io(tasks[2], source, Read);
    sim.expect(&[]);
    sim.post(source, true, false);
    sim.expect(&[done(last, 0)]);
}

#[test]
fn a_withdrawn_waiter_leaves_the_event_to_the_next_one() {
    let mut sim = Sim::new();
    let (first, second) = (sim.task(), sim.task());
    let (source, _) = sim.watch();
    let withdrawn = sim.io(first, source, Read);
    sim.withdraw(withdrawn);
    sim.post(source, true, false);
    sim.expect(&[]);
    let trap = sim.io(second, source, Read);
    sim.expect(&[done(trap, 0)]);
}

#[test]
fn who_waits_for_a_descriptor_that_is_closed_is_told() {
    let mut sim = Sim::new();
    let (reader, writer) = (sim.task(), sim.task());
    let (source, _) = sim.watch();
    let read = sim.io(reader, source, Read);
    let write = sim.io(writer, source, Write);
    sim.unwatch(source);
    sim.expect(&[closed(read), closed(write)]);
    let by = sim.caller(reader);
    assert!(matches!(sim.try_io(by, source, Read), Err(Fault::Source)));
    sim.unwatch(source);
    sim.exit(reader);
    sim.exit(writer);
    sim.expect_empty();
}

#[test]
fn an_event_for_a_closed_descriptor_goes_to_nobody() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (old, _) = sim.watch();
    sim.unwatch(old);
    let (new, readiness) = sim.watch();
    let trap = sim.io(task, new, Read);
    sim.post(old, true, true);
    sim.selector.post(Event {
        token: u64::MAX,
        readable: true,
        writable: true,
        closed: true,
    });
    sim.expect(&[]);
    assert!(!readiness.get(Read));
    sim.post(new, true, false);
    sim.expect(&[done(trap, 0)]);
}

#[test]
fn the_end_is_still_worth_an_attempt_when_all_data_was_read() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (source, readiness) = sim.watch();
    sim.post(source, true, false);
    sim.expect(&[]);
    readiness.clear_drained();
    assert!(!readiness.get(Read));
    // One event for the last data and for the end: there is no other to come.
    sim.selector.post(Event {
        token: source.data().as_ffi(),
        readable: true,
        writable: false,
        closed: true,
    });
    sim.expect(&[]);
    readiness.clear_drained();
    assert!(readiness.get(Read));
    let trap = sim.io(task, source, Read);
    sim.expect(&[done(trap, 0)]);
    // The system has the last word.
    readiness.clear(Read);
    assert!(!readiness.get(Read));
}

#[test]
fn a_wait_that_ends_at_once_can_not_be_withdrawn() {
    let mut sim = Sim::new();
    let (holder, task) = (sim.task(), sim.task());
    let (source, readiness) = sim.watch();
    sim.io(holder, source, Read);
    readiness.set(Write);
    let refused = sim.io(task, source, Read);
    let ready = sim.io(task, source, Write);
    assert!(!sim.withdraw(refused) && !sim.withdraw(ready));
    sim.expect(&[busy(refused), done(ready, 0)]);
}

#[test]
fn what_a_task_waits_for_is_what_it_has_waited_for_for_longest() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (source, _) = sim.watch();
    let traps = [
        sim.sleep(task, ms(1)),
        sim.io(task, source, Read),
        sim.io(task, source, Write),
    ];
    for (trap, name) in traps.into_iter().zip(["sleep", "read-wait", "write-wait"]) {
        assert_eq!(sim.info(task).waits_for, name);
        assert!(sim.withdraw(trap));
    }
    assert_eq!(sim.info(task).waits_for, "");
}

#[test]
fn an_event_beats_a_timer_of_the_same_pass() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (source, _) = sim.watch();
    let sleep = sim.sleep(task, ms(5));
    let read = sim.io(task, source, Read);
    sim.advance(5);
    sim.post(source, true, false);
    sim.expect(&[done(read, 0), slept(sleep, ms(5))]);
}

#[test]
fn waiting_for_an_unknown_descriptor_or_as_nobody_is_a_fault() {
    let mut sim = Sim::new();
    let task = sim.task();
    let (source, readiness) = sim.watch();
    let by = sim.caller(task);
    assert!(matches!(
        sim.try_io(by, SourceKey::default(), Read),
        Err(Fault::Source)
    ));
    for _ in 0..2 {
        let nobody = sim.caller(TaskKey::default());
        assert!(matches!(sim.try_io(nobody, source, Read), Err(Fault::Task)));
        let without = Caller { task, cookie: 0 };
        assert!(matches!(
            sim.try_io(without, source, Read),
            Err(Fault::Cookie)
        ));
        readiness.set(Read);
    }
    sim.exit(task);
    sim.expect_empty();
}

#[test]
fn the_host_s_own_descriptors_are_reported_to_the_host() {
    let mut sim = Sim::new();
    let watched = sim.kernel.watch(None, stdin().as_fd());
    let (source, _) = watched.expect("a simulated selector takes anything");
    sim.post(source, true, false);
    sim.expect(&[]);
    assert_eq!(sim.kernel.take_host_events(), [source]);
    assert!(sim.kernel.take_host_events().is_empty());
}
