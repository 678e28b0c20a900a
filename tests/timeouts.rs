//! Sleep and timeouts.

/// Sleep, and the clock.
mod sleep {
    crate::harness::guests::cases! {
        "time_sleep":
        sleep_returns_the_time_of_waking
        the_clock_goes_forward
        sleepers_wake_by_deadline
        sleepers_with_one_deadline_wake_in_order
        a_sleep_of_zero_yields
        a_sleep_until_the_past_yields
        ten_thousand_may_sleep
        a_timer_is_not_starved_by_those_that_yield
    }
}

/// One block by itself.
mod blocks {
    crate::harness::guests::cases! {
        "timeout_blocks":
        a_timeout_tells_when_it_came
        what_is_quick_is_not_timed_out
        no_time_is_no_limit
        ignore_gives_the_value_or_none
        a_timeout_of_zero_strikes_where_the_task_blocks
        a_deadline_in_the_past_strikes_where_the_task_blocks
        a_time_beyond_the_end_of_time_is_no_limit
        a_timeout_around_join_leaves_the_task_running
        cleanup_after_a_timeout_may_block
        a_timeout_strikes_once
        a_deadline_does_not_matter_after_its_block
        a_result_that_was_there_first_counts
        a_timeout_that_comes_too_late_is_forgotten
        a_task_does_not_inherit_timeouts
        timeouts_of_tasks_are_their_own
        cancellation_stops_timeouts_during_cleanup
        cancellation_stops_timeouts_between_blocks
        a_block_opened_during_cleanup_is_timed
        a_cancellation_is_not_a_timeout
        a_timeout_then_a_cancellation
        a_future_without_a_trap_is_dropped
        a_block_of_yields_is_timed_out
        blocks_may_follow_each_other_many_times
    }
}

/// Blocks that are about to drop their futures.
mod drops {
    crate::harness::guests::cases! {
        "timeout_drops":
        what_goes_on_at_last_is_told_and_may_clean_up
        what_goes_on_at_last_is_whole_behind_a_shield
        what_goes_on_at_last_and_is_cancelled_may_clean_up
        what_blocks_there_once_more_is_dropped
    }
}

/// Nested blocks: what a timeout leaves each as.
mod outcomes {
    crate::harness::guests::cases! {
        "timeout_outcomes":
        i_expires_and_is_caught_between
        i_expires_and_is_not_caught
        i_expires_and_is_not_caught_by_an_ignoring_o
        o_expires_first
        both_expire_before_delivery
        both_expire_at_the_same_time
        both_ignore_and_have_expired
        i_is_caught_and_then_o_expires
        o_s_timeout_is_swallowed_and_comes_again
        o_s_time_passes_while_nothing_blocks_in_i
        o_s_time_passes_and_o_ends_before_anything_blocks
        another_error_leaves_i_after_o_s_time
        a_third_block_between_does_not_matter
        the_middle_one_of_three_expires
        an_outer_timeout_reaches_the_cleanup_of_an_inner_one
        an_inner_block_cannot_extend_an_outer_one
        an_outer_block_that_was_told_is_not_told_of_an_inner_one_again
    }
}
