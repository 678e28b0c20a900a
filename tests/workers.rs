//! Workers: jobs on other threads and in other processes.

mod jobs_on_threads {
    crate::harness::guests::cases! {
        "worker_jobs":
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
}
