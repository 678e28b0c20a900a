//! Cancelling tasks.

/// Where tasks are told, and who waits for what.
mod telling {
    crate::harness::guests::cases! {
        "cancel":
        a_sleeping_task_is_told_where_it_sleeps
        a_joining_task_is_told_where_it_joins
        a_task_on_a_queue_is_told_and_leaves_it
        a_task_in_a_nested_call_is_told
        cancel_tells_whether_the_task_had_ended
        cancel_waits_for_cleanup_that_blocks
        a_request_does_not_wait
        a_task_is_cancelled_once
        two_may_cancel_at_the_same_time
        a_third_task_may_cancel
        a_task_may_end_well_all_the_same
        a_task_that_goes_on_cannot_be_cancelled_again
        an_error_of_the_cleanup_is_the_task_s
        children_are_cancelled_together
    }
}

/// When a cancellation arrives, and whom it does not concern.
mod arriving {
    crate::harness::guests::cases! {
        "cancel_when":
        before_its_first_cycle_a_task_runs_until_it_blocks
        before_its_first_cycle_a_task_that_never_blocks_ends_well
        a_task_that_is_ready_completes_its_sleep_first
        a_task_that_is_woken_completes_its_wait_first
        a_task_may_cancel_itself
        a_task_may_request_its_own_cancellation
        what_does_not_block_is_not_told
        yielding_is_told
        a_cancelled_canceller_leaves_the_target_cancelled
        a_canceller_that_gives_up_may_come_back
        children_are_not_cancelled_with_their_parent
        a_task_may_cancel_its_parent
        a_task_may_cancel_many
        a_task_without_a_trap_is_dropped
        a_task_without_a_trap_goes_on_if_it_can
        a_trap_that_follows_a_future_without_one_is_told
    }
}
