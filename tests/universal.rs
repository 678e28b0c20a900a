//! What instances share: queues, events, results, locks.

use crate::harness::Run;

/// Queues.
mod queues {
    crate::harness::guests::cases! {
        "universal_queue":
        items_come_in_their_order
        consumers_get_items_in_turn
        a_bounded_put_blocks_when_it_is_full
        sizes_are_known
        a_put_can_be_cancelled
        timed_out_gets_lose_and_reorder_nothing
        a_getter_cancelled_after_it_was_woken_has_its_item
        an_item_promised_to_a_dropped_future_goes_on
        a_place_promised_to_a_dropped_future_goes_on
        join_waits_for_all_items_to_be_done
        all_who_join_go_on
        a_join_can_be_cancelled
        a_queue_is_the_same_by_any_handle
        handles_take_turns
        each_item_comes_once
    }
}

/// What may be in them.
mod items {
    use super::*;

    crate::harness::guests::cases! {
        "universal_items":
        a_handle_that_comes_too_late_says_so
        an_item_of_another_type_is_an_error
        an_item_that_is_too_big_is_an_error
        what_can_t_be_serialised_is_an_error;
        and handles_are_limited memory_is_limited traps
    }

    fn run(flag: &str, case: &str) -> crate::harness::Output {
        Run::guest("universal_items")
            .flag(flag)
            .args([case])
            .output()
    }

    #[test]
    fn handles_are_limited() {
        let output = run("--max-handles=20", "handles_are_limited");
        output.code(0).stdout("").quiet();
    }

    #[test]
    fn memory_is_limited() {
        let output = run("--max-memory=16MiB", "memory_is_limited");
        output.code(0).stdout("").quiet();
    }

    #[test]
    fn what_need_not_wait_is_one_trap() {
        let output = run("--log=trap=trace", "traps");
        output.code(0).stdout("done\n");
        let traps = output.stderr.lines().map(|line| {
            let trap = line.strip_prefix("TRACE trap: ");
            trap.and_then(|trap| trap.split_whitespace().next())
        });
        let traps: Vec<_> = traps.flatten().collect();
        let counted = traps.rsplit(|name| *name == "now").nth(1);
        let expected = ["queue.put", "queue.get"].repeat(3);
        assert_eq!(counted, Some(&expected[..]), "{}", output.stderr);
    }
}

/// Events, results and locks.
mod sync {
    crate::harness::guests::cases! {
        "universal_sync":
        an_event_releases_those_that_wait
        an_event_cleared_at_once_has_been_seen
        who_waits_after_the_clear_waits_for_the_next_set
        an_event_wait_can_be_cancelled
        an_event_wait_can_time_out
        get_returns_what_was_set
        a_value_may_be_set_again
        an_exception_wins_over_any_value
        errors_keep_their_families
        an_error_of_one_s_own_keeps_its_causes
        a_timeout_of_another_is_none_of_one_s_own
        a_get_can_time_out
        lock_contenders_enter_in_order
        a_lock_excludes_those_at_other_handles
        a_lock_acquire_can_be_cancelled
        a_lock_handed_to_a_dropped_future_goes_on
        a_lock_acquire_can_time_out
        a_lock_is_tried
        a_lock_that_went_with_its_handle_is_abandoned
        handles_that_come_too_late_say_so
    }
}

/// With other threads.
mod threads {
    crate::harness::guests::cases! {
        "universal_threads":
        items_of_a_thread_come_in_their_order
        a_thread_gets_what_tasks_put
        a_bounded_queue_holds_a_thread_up
        consumers_everywhere_get_each_item_once
        timed_out_gets_lose_and_reorder_nothing
        a_stopped_getter_is_passed_over
        a_thread_waits_for_an_event
        an_event_is_set_by_a_thread
        who_timed_out_does_not_hinder_a_set
        a_value_goes_from_thread_to_thread
        an_exception_goes_from_thread_to_thread
        one_at_a_time_has_the_lock
        a_stopped_holder_abandons_the_lock
        a_panicking_holder_abandons_the_lock
        a_stopped_waiter_is_passed_over
        an_object_lives_as_long_as_a_thread_has_it
        another_process_finds_nothing
        the_only_handle_may_be_given_to_a_thread
    }
}
