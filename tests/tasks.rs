//! Tasks: spawning, joining, what is known of them, and how a program ends.

mod spawning {
    use crate::harness::Run;

    crate::harness::guests::cases! {
        "task_spawn":
        the_spawner_goes_on
        passes_are_first_in_first_out
        what_is_made_ready_in_a_pass_runs_in_the_next
        a_task_is_named_after_its_function
        a_task_may_be_given_a_name
        a_daemon_is_known_as_one
        serials_count_the_tasks
        each_task_is_the_current_one_while_it_runs
        the_place_of_spawning_is_known
        states_follow_the_task_s_life
        states_name_what_a_task_waits_for
        the_rest_of_a_pass_is_ready
        cycles_count_resumptions
        a_task_whose_handle_is_dropped_goes_on
        a_hundred_thousand_tasks_fit;
        and a_reader_s_state_is_read_wait
    }

    #[test]
    fn a_reader_s_state_is_read_wait() {
        let run = Run::guest("task_spawn").flag("--allow-listen=127.0.0.1");
        run.args(["a_reader_s_state_is_read_wait"])
            .output()
            .code(0)
            .quiet();
    }
}

mod locals {
    crate::harness::guests::cases! {
        "task_local":
        a_task_has_nothing_that_nobody_stored
        a_child_begins_with_its_parent_s_values
        what_is_stored_later_is_a_task_s_own
        two_of_one_type_are_two
    }
}

mod joining {
    crate::harness::guests::cases! {
        "task_join":
        join_returns_the_value
        join_of_a_failed_task_tells_its_error
        an_error_may_be_told_to_many
        a_value_is_given_once
        join_of_a_cancelled_task_fails_with_the_cancellation
        join_of_a_task_that_timed_out_fails_with_the_timeout
        an_error_passes_through_several_tasks
        joiners_go_on_in_the_order_they_came
        a_cancelled_joiner_leaves_its_target_running
        a_joiner_may_come_back
        wait_does_not_tell_how_the_task_ended
        what_has_ended_is_joined_without_blocking
        a_joiner_may_itself_be_joined
    }
}

mod ending {
    use crate::harness::guests::run_case;
    use crate::harness::{Output, Run};

    crate::harness::guests::cases! {
        "run_end":
        main_is_well
        an_error_that_was_joined_is_not_told
        a_cancellation_is_not_told;
        and main_fails
        main_s_task_error_is_shown
        main_exits
        a_task_panics
        run_in_a_task
        the_rest_is_cancelled_newest_first
        the_rest_is_cancelled_if_main_fails
        tasks_spawned_while_ending_are_cancelled_too
        a_task_that_goes_on_is_waited_for
        a_task_without_a_trap_is_dropped_at_the_end
        those_cancelled_at_the_end_know_it
        an_error_that_nobody_joins_is_told
        an_error_at_the_end_is_told
    }

    fn run(case: &str) -> Output {
        Run::guest("run_end").args([case]).output()
    }

    #[test]
    fn run_returns_what_main_returns() {
        let output = Run::guest("run_value").output();
        output.code(0).stdout("").quiet();
    }

    #[test]
    fn main_s_error_is_printed_and_is_status_1() {
        let output = run("main_fails");
        output.code(1).stdout("");
        assert_eq!(output.stderr, "Error: the cat is out\n");
        let output = run("main_s_task_error_is_shown");
        output.code(1).stdout("");
        assert_eq!(output.stderr, "Error: task cat failed: the cat is out\n");
    }

    #[test]
    fn main_may_exit_without_a_word() {
        // All that a guest's standard library can tell is whether it went well.
        run("main_exits").code(1).stdout("").quiet();
    }

    #[test]
    fn a_panic_in_a_task_is_a_fault() {
        let output = run("a_task_panics");
        let texts = ["this is the panic", "run_end.wasm faulted"];
        output.code(134).stdout("").stderr_has(&texts);
    }

    #[test]
    fn run_in_a_task_is_a_fault() {
        let output = run("run_in_a_task");
        let texts = ["curio::run and AWAIT can't be called from within a task"];
        output.code(134).stdout("").stderr_has(&texts);
    }

    #[test]
    fn the_rest_is_cancelled_newest_first() {
        let output = run_case("run_end", "the_rest_is_cancelled_newest_first");
        let ends = |name: &str| format!("{name} is told\n{name} ends\n");
        let [first, second, third] = ["first", "second", "third"].map(ends);
        let expected = format!("main ends\n{third}{second}{first}");
        output.stdout(&expected).quiet();
    }

    #[test]
    fn the_rest_is_cancelled_if_main_fails() {
        let output = run("the_rest_is_cancelled_if_main_fails");
        output.code(1).stdout("child is told\nchild ends\n");
        output.stderr_has(&["the cat is out"]);
    }

    #[test]
    fn tasks_spawned_while_ending_are_cancelled_too() {
        let output = run_case("run_end", "tasks_spawned_while_ending_are_cancelled_too");
        let expected = "early ends\nlate is told\nlate ends\n";
        output.stdout(expected).quiet();
    }

    #[test]
    fn a_task_that_goes_on_is_waited_for() {
        let output = run_case("run_end", "a_task_that_goes_on_is_waited_for");
        let expected = "still here 0\nstill here 1\nstill here 2\n";
        output.stdout(expected).quiet();
    }

    #[test]
    fn a_task_without_a_trap_is_dropped_at_the_end() {
        let output = run_case("run_end", "a_task_without_a_trap_is_dropped_at_the_end");
        output.stdout("main ends\ndropped\n").quiet();
    }

    #[test]
    fn those_cancelled_at_the_end_know_it() {
        let output = run_case("run_end", "those_cancelled_at_the_end_know_it");
        output.stdout("it knows\n").quiet();
    }

    #[test]
    fn an_error_that_nobody_joins_is_told() {
        let output = run_case("run_end", "an_error_that_nobody_joins_is_told");
        output.stdout("").stderr_has(&[
            "task run_end::main_fails, spawned at",
            "run_end.rs:",
            "failed: the cat is out",
            "task waited for, spawned at",
        ]);
        assert_eq!(output.stderr.lines().count(), 2, "{}", output.stderr);
    }

    #[test]
    fn an_error_at_the_end_is_told() {
        let output = run_case("run_end", "an_error_at_the_end_is_told");
        output.stdout("").stderr_has(&["failed: the dog too"]);
    }
}
