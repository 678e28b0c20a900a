//! Programs that misuse workers, and what they share with them: each goes on, and so does the kernel.

use crate::harness::Run;

const PLACES: [&str; 2] = ["thread", "process"];

fn shared(flag: &str, cases: &[&str]) {
    for case in cases {
        let run = Run::guest("hostile_shared").flag(flag).args([case]);
        run.output().code(0).stdout("").quiet();
    }
}

fn jobs(flags: &[&str], case: &str) {
    for place in PLACES {
        let run = Run::guest("hostile_jobs");
        let run = flags.iter().fold(run, Run::flag);
        run.args([case, place]).output().code(0).stdout("").quiet();
    }
}

#[test]
fn odd_requests_of_shared_things_do_no_harm() {
    shared(
        "--max-handles=20",
        &[
            "nothing-of-one-s-own",
            "wrong-keys",
            "dropped-while-waiting",
            "odd-numbers",
            "at-random",
        ],
    );
}

#[test]
fn what_is_shared_is_limited() {
    shared("--max-memory=64MiB", &["too-big"]);
    shared("--max-handles=1000", &["many-handles"]);
}

#[test]
fn a_component_without_jobs_has_none_done() {
    shared("--max-threads=1", &["no-jobs"]);
}

#[test]
fn an_outcome_is_told_once() {
    jobs(&[], "told-once");
}

#[test]
fn one_task_at_a_time_waits_for_a_job() {
    jobs(&[], "second-wait");
}

#[test]
fn who_polls_while_it_waits_is_told_twice() {
    jobs(&[], "polled-while-waiting");
}

#[test]
fn jobs_may_be_dropped_at_any_time() {
    jobs(&[], "dropped");
}

#[test]
fn what_passes_is_limited() {
    jobs(&[], "big");
}

#[test]
fn thousands_of_jobs_come_and_go() {
    jobs(&["--max-threads=4", "--max-processes=4"], "many");
}

#[test]
fn a_worker_is_interrupted_when_it_has_a_task() {
    let run = Run::guest("hostile_jobs").args(["interrupted", "thread"]);
    run.output().code(0).stdout("").quiet();
}

#[test]
fn a_number_that_stands_for_no_job_harms_nobody_else() {
    for place in PLACES {
        let output = Run::guest("hostile_entries").args([place]).output();
        output.code(0);
        // What is called by chance may write something.
        assert!(output.stdout.ends_with("done\n"), "{output:?}");
    }
}
