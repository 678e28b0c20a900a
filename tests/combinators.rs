//! Futures of other crates inside tasks, and primitives made of the traps.

/// Combinators: several traps at once.
mod join {
    crate::harness::guests::cases! {
        "futures_join":
        join_waits_for_both_at_once
        join_of_many_kinds_of_traps
        try_join_ends_with_the_first_error
        a_cancellation_reaches_every_branch_of_join
        a_timeout_reaches_every_branch_of_join
        each_branch_has_timeouts_of_its_own
        select_takes_the_first
        a_branch_that_select_drops_is_withdrawn
        a_cancellation_of_a_dropped_branch_is_not_lost
        a_timeout_of_a_dropped_branch_is_not_lost
        a_timeout_that_a_branch_was_told_of_is_not_told_again
        a_wait_that_is_dropped_leaves_its_queue
        unordered_gives_what_is_done_first
        unordered_dropped_half_way_is_withdrawn
        unordered_may_hold_what_it_is_given_meanwhile
    }
}

/// Pending traps that move, and what is left of those that are dropped.
mod moved {
    use crate::harness::Run;

    crate::harness::guests::cases! {
        "futures_moved":
        a_pending_trap_may_move_behind_another_waker
        a_pending_trap_may_move_back
        a_pending_trap_may_move_to_another_task
        a_pending_trap_may_outlive_its_task
        a_yield_may_move_and_outlive_its_task
        what_moves_is_interrupted_with_its_new_task
        a_block_may_borrow_a_pending_trap
        a_begun_block_may_move_to_another_task;
        and ended_tasks_leave_nothing
        dropped_sleeps_leave_nothing
        dropped_timeouts_leave_nothing
        dropped_sleeps_that_ended_leave_nothing
    }

    /// Runs a case that would need more memory than this if it left anything behind.
    fn in_little_memory(case: &str) {
        let run = Run::guest("futures_moved").flag("--max-memory=2MiB");
        run.args([case]).output().code(0).quiet();
    }

    #[test]
    fn ended_tasks_leave_nothing() {
        in_little_memory("ended_tasks_leave_nothing");
    }

    #[test]
    fn dropped_sleeps_leave_nothing() {
        in_little_memory("dropped_sleeps_leave_nothing");
    }

    #[test]
    fn dropped_timeouts_leave_nothing() {
        in_little_memory("dropped_timeouts_leave_nothing");
    }

    #[test]
    fn dropped_sleeps_that_ended_leave_nothing() {
        in_little_memory("dropped_sleeps_that_ended_leave_nothing");
    }
}

/// Channels: futures that make no trap.
mod channels {
    crate::harness::guests::cases! {
        "futures_channels":
        oneshot_carries_a_value
        oneshot_tells_of_a_lost_sender
        oneshot_between_tasks_that_sleep
        mpsc_keeps_the_order
        mpsc_holds_senders_back
        many_may_send
        a_woken_task_runs_in_the_next_pass
        a_task_may_wake_itself
        a_task_on_a_channel_is_dropped_when_cancelled
        a_timeout_around_a_channel_expires
        a_timeout_around_a_channel_that_is_served_does_not
        a_channel_and_a_sleep_in_turn
    }
}

/// Lines of waiting tasks, and a mutex made of one.
mod mutex {
    crate::harness::guests::cases! {
        "traps_mutex":
        contenders_get_the_mutex_in_turn
        a_free_mutex_is_got_without_a_trap
        a_cancelled_contender_is_skipped
        a_contender_that_times_out_is_skipped
        a_contender_that_was_handed_the_mutex_has_it
        a_queue_wakes_as_many_as_it_is_told
        a_thousand_contend
    }
}
