//! Workers: jobs on other threads and in other processes.

/// Makes two tests of each case of a test guest: one for threads, one for processes.
macro_rules! in_both_places {
    ($name:ident $guest:literal: $($case:ident)*) => {
        mod $name {
            mod on_threads {
                crate::harness::guests::cases! { $guest: $($case)* }
            }

            mod in_processes {
                use crate::harness::Run;

                $(
                    #[test]
                    fn $case() {
                        // So that no worker is replaced by a faster one in the middle of it.
                        let run = Run::guest($guest).flag("--max-cpu-time=1h");
                        let output = run.args([stringify!($case), "process"]).output();
                        output.code(0).stdout("").quiet();
                    }
                )*
            }
        }
    };
}

in_both_places! {
    jobs "worker_jobs":
    a_function_is_called_with_its_argument
    a_closure_that_captures_nothing_may_be_a_job
    several_arguments_are_a_tuple
    types_of_the_program_s_own_pass
    a_result_comes_out_as_one
    an_error_keeps_its_causes
    an_error_type_of_the_program_s_own_is_a_value
    an_async_function_may_be_a_job
    a_job_may_spawn_tasks
    tasks_that_a_job_leaves_are_cancelled
    a_job_may_have_jobs_done
    a_job_sees_nothing_of_the_program_s_memory
    an_idle_worker_is_used_again
    the_last_one_that_was_busy_is_used_first
}

in_both_places! {
    ends "worker_ends":
    a_panic_is_an_error_and_the_next_job_works
    an_exit_is_an_error_and_the_next_job_works
    an_overflow_is_an_error_and_the_next_job_works
    what_is_too_big_is_an_error
    what_can_t_be_serialised_is_an_error
    a_mebibyte_passes_both_ways
    jobs_wait_in_line
    a_timeout_ends_an_endless_job
    a_cancellation_ends_an_endless_job
    a_job_that_sleeps_is_ended
    a_job_in_line_that_is_cancelled_is_never_done
    a_pending_cancellation_comes_before_the_job
    other_tasks_go_on_meanwhile
    many_jobs_at_once
    the_pools_may_be_replaced
}

mod async_threads {
    crate::harness::guests::cases! {
        "worker_threads":
        a_function_may_await
        what_is_awaited_may_be_borrowed
        it_is_a_task_that_can_be_joined
        its_error_is_told_to_who_joins
        tasks_that_it_spawns_go_on_while_it_awaits
        a_group_in_it_is_waited_for
        timeouts_work_in_it
        it_is_cancelled_where_it_awaits
        it_is_cancelled_at_its_next_await
        it_may_clean_up
        a_cancellation_is_told_once
        a_value_in_spite_of_a_cancellation_counts
        a_timeout_around_it_is_told_to_it
        what_was_told_to_one_is_not_told_to_the_next
        a_future_of_another_crate_ends_it
        async_thread_returns_what_the_function_returns
        it_has_no_place_in_the_pool
        it_is_named_after_its_function
        synchronous_code_knows_what_it_is
        a_job_may_await_too
        an_async_function_may_be_one
        it_may_be_spawned_in_a_group
        awaiting_in_a_task_is_a_panic;
        and it_may_open_files
    }

    #[test]
    fn it_may_open_files() {
        let folder = crate::harness::components::Folder::new();
        folder.file("file", "one\ntwo\n");
        let data = format!("--dir={}::data::ro", folder.path().display());
        let run = crate::harness::Run::guest("worker_threads").flag(data);
        run.args(["it_may_open_files"]).output().code(0).quiet();
    }
}
