//! How the host asks a program to end: its guest is told to cancel the main task.

use super::*;

impl Sim {
    fn request_end(&mut self) -> bool {
        self.kernel.request_end(self.key)
    }
}

#[test]
fn a_program_is_asked_to_end_behind_what_else_it_is_told() {
    let mut sim = Sim::new();
    let main = sim.task();
    let before = sim.nap(main);
    assert!(sim.request_end());
    let after = sim.nap(main);
    sim.expect(&[slept(before, ms(0)), END_REQUESTED, slept(after, ms(0))]);
    sim.expect(&[]);
}

#[test]
fn no_trap_of_the_main_task_ends_by_that() {
    let mut sim = Sim::new();
    let main = sim.task();
    let trap = sim.sleep(main, ms(9));
    assert!(sim.request_end());
    assert_eq!(sim.idle(), [END_REQUESTED]);
    assert_eq!(sim.idle(), [slept(trap, ms(9))]);
}

#[test]
fn who_is_suspended_in_wait_is_told_at_once() {
    let mut sim = Sim::new();
    sim.task();
    assert_eq!(sim.wait(ms(50), false), None);
    assert!(sim.request_end());
    assert_eq!(sim.idle(), [END_REQUESTED]);
    assert_eq!(sim.clock.now(), ms(0));
}

#[test]
fn requests_before_the_guest_is_told_are_one() {
    let mut sim = Sim::new();
    let main = sim.task();
    for _ in 0..3 {
        assert!(sim.request_end());
        let memory = sim.instance().budget().memory();
        for _ in 0..100 {
            assert!(sim.request_end());
        }
        assert_eq!(sim.instance().budget().memory(), memory);
        sim.expect(&[END_REQUESTED]);
    }
    sim.exit(main);
    sim.expect_empty();
}

#[test]
fn an_instance_without_tasks_is_not_asked() {
    let mut sim = Sim::new();
    assert!(!sim.request_end());
    assert!(!sim.kernel.request_end(InstanceKey::default()));
    sim.expect_empty();
}

#[test]
fn a_program_whose_main_task_has_ended_is_not_asked() {
    let mut sim = Sim::new();
    let main = sim.task();
    let other = sim.instance().spawn(Some(main), 0, false).unwrap();
    sim.exit(main);
    assert!(!sim.request_end(), "another one is not the main task");
    sim.exit(other);
    // It runs another one.
    let next = sim.task();
    assert_ne!(main, next);
    assert!(sim.request_end());
    sim.expect(&[END_REQUESTED]);
}

#[test]
fn an_interruption_waits_for_a_main_task() {
    let mut sim = Sim::new();
    let key = sim.key;
    sim.kernel.interrupt(key);
    sim.expect(&[]);
    let main = sim.task();
    sim.expect(&[END_REQUESTED]);
    sim.exit(main);
    // One that is over is not told to the next.
    sim.kernel.interrupt(key);
    sim.instance().end_interruption();
    let main = sim.task();
    sim.expect(&[]);
    sim.kernel.interrupt(key);
    sim.instance().end_interruption();
    sim.expect(&[]);
    sim.exit(main);
    sim.expect_empty();
}

#[test]
fn a_main_task_that_ends_after_the_request_has_been_asked() {
    let mut sim = Sim::new();
    let main = sim.task();
    assert!(sim.request_end());
    sim.exit(main);
    sim.expect(&[END_REQUESTED]);
    sim.expect_empty();
}
