//! Task groups, results without joining, and tasks that nobody joins.

/// Who is in a group, and what it has to say of its members.
mod members {
    crate::harness::guests::cases! {
        "task_group_members":
        members_give_their_results
        results_come_in_the_order_of_completion
        tasks_are_listed_in_the_order_of_spawning
        results_are_given_once
        the_block_s_value_is_returned
        existing_tasks_may_be_added
        a_joined_task_may_be_added_and_leaves_at_once
        a_task_is_in_one_group_only
        a_task_that_left_a_group_may_enter_another
        nothing_enters_a_joined_group
        nothing_is_known_before_the_join
        an_explicitly_joined_member_leaves
        a_member_whose_result_was_read_leaves
        a_member_spawns_into_its_group_while_it_is_joined
        a_member_may_not_join_its_group
        members_are_named_after_their_functions
    }
}

/// Daemons, and members that are left over.
mod rest {
    crate::harness::guests::cases! {
        "task_group_rest":
        a_spawned_daemon_is_cancelled_at_the_end
        an_added_daemon_is_cancelled_at_the_end
        a_failing_daemon_is_no_concern
        an_explicitly_joined_daemon_is_no_result
        a_member_may_cancel_the_others
        cancel_remaining_is_always_legal
        what_cancel_remaining_cancels_leaves
        an_interrupted_cancel_remaining_leaves_nobody_behind
        ten_thousand_members
    }
}

/// What is waited for, and what a failure does.
mod waiting {
    crate::harness::guests::cases! {
        "task_group_wait":
        any_waits_for_the_first
        any_of_several_immediate_finishers_is_the_first
        any_fails_if_the_first_fails
        any_is_well_if_a_later_one_fails
        any_s_winner_may_have_been_consumed
        object_skips_what_is_not_looked_for
        object_waits_for_all_if_none_is_found
        object_fails_with_the_first_failure
        object_s_winner_may_have_been_consumed
        a_winner_from_before_the_join_counts
        none_waits_for_nobody
        none_knows_of_an_earlier_failure
        all_is_completed_by_the_first
        all_fails_with_the_first_failure
        a_member_cancelled_by_somebody_is_a_failure
        a_consumed_failure_does_not_count
        a_joined_failure_does_not_count
        one_who_waits_in_join_comes_before_the_group
        every_join_tells_the_same
        a_block_that_joined_was_told
    }
}

/// Members one by one.
mod next {
    crate::harness::guests::cases! {
        "task_group_next":
        tasks_come_in_the_order_of_completion
        tasks_spawned_meanwhile_come_too
        next_done_ends_if_the_last_member_is_joined
        several_may_wait_for_the_next
        an_interrupted_next_done_loses_nothing
        next_result_gives_the_member_s_own_error
        a_stream_gives_every_member
        an_interrupted_stream_loses_nothing
    }
}

/// Interruptions, failures of the block, and that no child is left behind.
mod ending {
    crate::harness::guests::cases! {
        "task_group_end":
        a_cancelled_owner_cancels_all_members
        a_timeout_around_a_group_cancels_all_members
        an_ignored_timeout_around_a_group_is_ignored
        an_owner_cancelled_in_join_waits_for_slow_members
        a_timeout_in_join_waits_for_slow_members
        an_owner_cancelled_while_it_cancels_waits_on
        a_timeout_does_not_hide_a_cancellation
        an_owner_interrupted_twice_is_cancelled
        a_member_s_error_after_the_end_of_the_wait_is_kept
        the_block_s_error_goes_out
        a_cancelled_owner_s_block_error_is_the_cancellation
        a_member_that_fails_does_not_interrupt_the_block
        members_that_never_ran_are_cancelled_too
        members_may_not_spawn_while_they_end
        an_outer_timeout_while_an_inner_one_is_cleaned_up_counts
    }
}

/// Groups in groups, and what is dropped.
mod nested {
    crate::harness::guests::cases! {
        "task_group_nested":
        nested_groups_end_from_the_inside
        a_failure_passes_through_nested_groups
        a_dropped_group_cancels_its_members
        a_dropped_join_may_be_made_up_for
        a_member_that_drops_the_last_handle_goes_on
        members_of_a_dropped_owner_may_be_dropped_too
    }
}

/// What a task returned, without joining it.
mod results {
    crate::harness::guests::cases! {
        "task_result":
        an_unfinished_task_has_no_result
        a_result_is_given_once
        a_failed_task_s_result_is_its_own_error
        an_exception_may_be_looked_at
        a_cancelled_task_s_exception_is_the_cancellation
        a_result_asked_for_is_a_join
        waiting_is_no_join
        a_clone_is_the_same_task
        a_refused_task_has_its_error
    }
}

/// Tasks that nobody joins are told of in the log.
mod orphans {
    use crate::harness::guests::run_case;

    crate::harness::guests::cases! {
        "task_orphans":
        those_that_are_looked_after_are_not
        daemons_are_not
        cancelled_ones_are_not
        members_of_groups_are_not;
        and a_task_that_nobody_joined_is_told_of
        it_is_told_of_when_the_last_handle_goes
        a_task_that_was_only_waited_for_is_told_of
        a_failed_member_that_nobody_asked_for_is_told_of
        a_member_that_nobody_asked_for_is_told_of_if_it_could_not_be_one
    }

    /// Asserts that a case writes these lines to the log: how each begins, and how it ends.
    #[track_caller]
    fn tells(case: &str, expected: &[(&str, &str)]) {
        let output = run_case("task_orphans", case);
        let lines: Vec<_> = output.stderr.lines().map(str::trim_start).collect();
        assert_eq!(lines.len(), expected.len(), "{}", output.stderr);
        for (line, (start, end)) in lines.iter().zip(expected) {
            assert!(line.starts_with(start) && line.ends_with(end), "{line}");
            assert!(line.contains("task_orphans.rs:"), "{line}");
        }
    }

    const NEVER_JOINED: &str = ", was never joined";
    const VALUE: &str = "WARN guest: task task_orphans::value, spawned at ";

    #[test]
    fn a_task_that_nobody_joined_is_told_of() {
        let cat = "WARN guest: task cat, spawned at ";
        tells(
            "a_task_that_nobody_joined_is_told_of",
            &[(VALUE, NEVER_JOINED), (cat, NEVER_JOINED)],
        );
    }

    #[test]
    fn it_is_told_of_when_the_last_handle_goes() {
        let case = "it_is_told_of_when_the_last_handle_goes";
        tells(case, &[(VALUE, NEVER_JOINED)]);
        run_case("task_orphans", case).stdout("not yet\n");
    }

    #[test]
    fn a_task_that_was_only_waited_for_is_told_of() {
        tells(
            "a_task_that_was_only_waited_for_is_told_of",
            &[(VALUE, NEVER_JOINED)],
        );
    }

    #[test]
    fn a_failed_member_that_nobody_asked_for_is_told_of() {
        // The first one's error is what the join returned.
        tells(
            "a_failed_member_that_nobody_asked_for_is_told_of",
            &[("ERROR guest: task ", ", failed: the dog too")],
        );
    }

    #[test]
    fn a_member_that_nobody_asked_for_is_told_of_if_it_could_not_be_one() {
        let refused = "ERROR guest: task task_orphans::value, spawned at ";
        tells(
            "a_member_that_nobody_asked_for_is_told_of_if_it_could_not_be_one",
            &[
                (refused, ", failed: the task group was joined"),
                (VALUE, NEVER_JOINED),
            ],
        );
    }
}
