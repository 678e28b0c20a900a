//! Functions and locks of whatever sort.

crate::harness::guests::cases! {
    "abiding":
    a_function_is_called_on_another_thread
    a_function_s_error_is_that_of_a_job
    an_async_function_is_called_in_the_task
    an_async_function_s_error_comes_as_it_is
    an_async_function_may_be_given_anything
    an_async_function_is_told_where_it_blocks
    callers_of_a_function_wait_in_line
    each_function_has_a_line_of_its_own
    a_function_that_blocks_takes_one_thread
    a_cancelled_function_is_stopped_and_the_next_one_goes_on
    a_caller_cancelled_in_line_is_passed_over
    a_pending_cancellation_comes_before_the_call
    any_lock_can_be_taken
    a_condition_s_lock_is_the_one_it_is_about
    a_task_and_a_thread_take_turns
    a_wait_that_times_out_leaves_the_lock_alone
    interrupted_waits_leave_a_shared_lock_free
    interrupted_callers_leave_the_line_free
}
