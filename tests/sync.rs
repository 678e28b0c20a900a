//! Synchronization primitives and queues.

mod locks {
    crate::harness::guests::cases! {
        "sync_lock":
        lock_contenders_enter_in_order
        a_releaser_continues_before_the_next_owner_runs
        a_releaser_cannot_barge_in
        an_uncontended_lock_takes_no_cycle
        a_lock_acquire_can_be_cancelled
        a_lock_acquire_can_time_out
        a_lock_handed_over_before_the_cancellation_is_held
        a_lock_handed_to_a_dropped_future_goes_on
        a_free_lock_cannot_be_released
        a_forgotten_guard_is_released_by_hand
        an_unblocked_task_in_an_expired_block_is_told_at_the_next_wait
        a_task_woken_over_and_over_can_be_cancelled
        a_task_woken_over_and_over_times_out
        a_join_of_a_lock_and_a_sleep_is_cancelled_in_both
        a_join_of_a_lock_and_a_sleep_times_out_in_both
        a_pending_lock_may_move_to_another_task
        a_pending_lock_may_outlive_a_task_that_sleeps_too
        a_thousand_tasks_contend
    }
}

/// Semaphores and recursive locks.
mod semaphores {
    crate::harness::guests::cases! {
        "sync_semaphore":
        an_rlock_is_entered_again_by_its_owner
        an_rlock_is_released_by_its_owner_only
        other_tasks_wait_for_an_rlock_in_order
        an_rlock_is_locked_while_it_is_handed_over
        a_pending_rlock_belongs_to_the_task_that_gets_it
        a_semaphore_of_one_is_a_lock
        semaphore_contenders_enter_in_order
        a_semaphore_lets_in_as_many_as_it_says
        a_semaphore_acquire_can_be_cancelled
        a_semaphore_acquire_can_time_out
        a_bounded_semaphore_has_a_bound
    }
}

/// Events.
mod events {
    crate::harness::guests::cases! {
        "sync_event":
        an_event_releases_those_that_wait
        those_that_wait_for_an_event_wake_in_order
        an_event_cleared_at_once_has_been_seen
        a_set_event_takes_no_cycle
        an_event_wait_can_be_cancelled
        an_event_wait_can_time_out
        a_hundred_thousand_may_wait_for_an_event
        a_line_wakes_as_many_as_there_are
        a_wait_for_a_line_can_be_dropped
    }
}

/// Conditions, and locks that they share.
mod conditions {
    crate::harness::guests::cases! {
        "sync_condition":
        a_condition_wait_can_be_cancelled
        a_condition_wait_can_time_out
        wait_for_looks_again_at_every_notification
        wait_for_what_holds_does_not_wait
        notify_with_nobody_waiting_does_nothing
        notify_wakes_no_more_than_it_says
        notify_all_goes_on_before_those_it_wakes
        notify_needs_the_lock
        wait_needs_the_guard_of_its_own_lock
        a_notified_task_cancelled_at_the_lock_passes_it_on
        a_notified_task_that_times_out_at_the_lock_leaves_it_alone
        a_condition_may_be_about_a_lock_it_is_given
        several_conditions_share_a_lock
        a_guard_of_the_shared_lock_will_do
    }
}

/// Results that are set later.
mod results {
    crate::harness::guests::cases! {
        "sync_result":
        get_returns_the_value_that_another_task_set
        get_of_what_is_set_takes_no_cycle
        an_exception_is_told_to_all_that_wait
        a_value_may_be_set_again
        an_exception_wins_over_any_value
        what_is_there_when_a_task_goes_on_is_what_it_sees
        those_that_wait_for_a_result_go_on_in_order
        a_get_can_be_cancelled
        a_get_can_time_out
        a_get_that_was_woken_completes_before_the_cancellation
        a_dropped_get_is_in_nobody_s_way
    }
}

/// The lines that all of it is made of.
mod lines {
    use crate::harness::Run;

    crate::harness::guests::cases! {
        "traps_lines":
        a_barrier_wakes_all_in_the_order_they_came
        a_barrier_wakes_some
        a_barrier_wakes_no_more_than_there_are
        who_comes_back_to_a_barrier_waits_for_the_next_time
        a_wait_at_a_barrier_can_be_cancelled
        a_wait_at_a_barrier_can_time_out
        who_was_woken_at_a_barrier_is_cancelled_later
        a_wait_at_a_barrier_can_be_dropped
        a_state_names_the_reason
        interrupted_waits_cost_no_wake_up
        traps_have_the_names_of_all_manuals;
        and interrupted_waits_leave_nothing
    }

    #[test]
    fn interrupted_waits_leave_nothing() {
        let run = Run::guest("traps_lines").flag("--max-memory=2MiB");
        let run = run.args(["interrupted_waits_leave_nothing"]);
        run.output().code(0).stdout("").quiet();
    }
}

mod queues {
    crate::harness::guests::cases! {
        "queue":
        two_consumers_get_items_in_turn
        an_unbounded_put_does_not_block
        a_bounded_put_blocks_when_it_is_full
        a_bounded_put_takes_turns_with_a_slow_consumer
        a_put_can_be_cancelled
        a_get_can_time_out
        an_item_that_was_promised_is_not_taken_by_another
        a_getter_cancelled_after_it_was_woken_has_its_item
        an_item_promised_to_a_dropped_future_goes_on
        a_place_promised_to_a_dropped_future_goes_on
        sizes_are_known
        a_priority_queue_gives_the_smallest_first
        a_lifo_queue_gives_the_newest_first
        a_bounded_lifo_queue_blocks
        join_waits_for_all_items_to_be_done
        task_done_needs_an_item
        puts_and_gets_that_need_not_wait_take_no_cycle
        ping_pong_does_not_starve_a_third
        interrupted_tasks_lose_no_item
    }
}

/// Queues as streams.
mod streams {
    crate::harness::guests::cases! {
        "queue_stream":
        a_stream_gives_items_as_they_come
        each_kind_of_queue_keeps_its_order
        what_is_there_takes_no_cycle
        a_stream_makes_room
        a_stream_stands_in_line
        a_stream_that_is_interrupted_goes_on
        a_next_that_is_dropped_loses_nothing
        a_stream_that_is_dropped_passes_its_item_on
        streams_of_several_queues_are_one
    }
}
