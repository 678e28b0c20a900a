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
        a_trap_that_nobody_looks_at_is_none
    }
}

/// Shields, and what is pending.
mod shields {
    crate::harness::guests::cases! {
        "cancel_shield":
        a_shielded_task_finishes_its_sleep_and_is_told_afterwards
        a_request_that_is_deferred_is_told_by_the_check_after_the_shield
        checking_in_a_shield_leaves_it_pending
        taking_in_a_shield_clears_it
        taking_outside_of_a_shield_gives_it_too
        taking_what_is_not_wanted_leaves_it
        a_shield_in_a_shield_is_no_end_of_the_first
        an_error_that_the_program_makes_goes_out_of_a_shield
        a_timeout_in_a_shield_waits_for_its_end
        a_timeout_block_left_in_a_shield_is_forgotten
        a_timeout_that_came_in_a_shield_is_seen_there
        a_shield_in_one_branch_leaves_the_other_open
        a_foreign_future_in_a_shield_is_not_dropped
        a_foreign_future_after_a_shield_is_dropped
        a_foreign_future_in_a_shield_in_a_block_is_not_dropped
        what_never_blocks_is_never_told
        set_is_told_at_the_next_wait
        set_is_told_before_anything_is_looked_at
        set_gives_what_was_pending
        set_to_nothing_is_as_if_nothing_had_come
        leaving_a_block_never_fails
        a_shield_moves_to_another_task
        a_shield_that_is_dropped_is_closed
    }
}

/// With another error.
mod errors {
    crate::harness::guests::cases! {
        "cancel_with":
        the_task_gets_the_error_that_was_given
        an_error_of_another_family_is_an_ordinary_one
        the_first_request_counts
        a_task_that_has_not_begun_gets_it
        a_shielded_task_gets_it_afterwards
        one_branch_gets_it
        a_branch_that_is_dropped_leaves_it_to_the_next_wait
        a_task_that_has_ended_is_not_cancelled
    }
}
