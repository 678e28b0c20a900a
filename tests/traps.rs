//! The traps that programs make, as the log tells of them; and what makes none.

use crate::harness::Run;
use crate::harness::guests::has_cases;

/// The names of the traps in a log, in their order.
fn names(log: &str) -> Vec<&str> {
    let traps = log.lines().map(|line| line.strip_prefix("TRACE trap: "));
    let traps = traps.map(|trap| trap.unwrap_or_else(|| panic!("something else is in it: {log}")));
    traps
        .filter_map(|trap| trap.split_whitespace().next())
        .collect()
}

/// Asserts which traps a case makes between the last two times that it asks for the time.
#[track_caller]
fn makes(case: &str, expected: &[&str]) {
    let run = Run::guest("trap_count").flag("--log=trap=trace");
    let output = run.args([case]).output();
    output.code(0).stdout("");
    let names = names(&output.stderr);
    let counted = names.rsplit(|name| *name == "now").nth(1);
    assert_eq!(counted, Some(expected), "{}", output.stderr);
}

/// Makes a test of each case, which makes no traps. Those that make some stand behind `and`.
macro_rules! none {
    ($($case:ident)*; and $($other:ident)*) => {
        $(
            #[test]
            fn $case() {
                makes(stringify!($case), &[]);
            }
        )*

        #[test]
        fn every_case_is_tested() {
            has_cases("trap_count", &[$(stringify!($case),)* $(stringify!($other),)*]);
        }
    };
}

none! {
    a_free_lock
    a_free_rlock
    a_semaphore_with_room
    an_event_that_is_set
    a_result_that_is_set
    a_condition_that_holds
    a_queue_with_room
    queues_of_other_orders
    a_queue_s_stream
    a_join_of_an_ended_task
    a_group_whose_members_have_ended
    what_is_known_of_a_task
    values_of_a_task
    a_check_for_a_cancellation
    a_lock_that_is_handed_over
    items_that_are_waited_for
    a_yield
    a_wake_up;
    and a_spawn a_sleep
}

#[test]
fn a_spawn() {
    // Its name is told once.
    makes("a_spawn", &["label", "spawn"]);
}

#[test]
fn a_sleep() {
    makes("a_sleep", &["sleep", "wait"]);
}

#[test]
fn the_log_tells_of_every_trap() {
    let output = Run::guest("hello").flag("--log=trap=trace").output();
    output.code(0).stdout("Hello from task 1.\n").stderr_has(&[
        "TRACE trap: label label=1 name=\"main\" file=",
        "TRACE trap: spawn task=1 parent=0 label=1 daemon=false\n",
    ]);
    let run = Run::guest("echo").flag("--log=trap=trace");
    let output = run.args(["127.0.0.1:0"]).output();
    // One that is refused was made, too.
    let expected = "TRACE trap: socket.bind socket=0 address=127.0.0.1:0\n";
    output.code(1).stderr_has(&[expected]);
}
