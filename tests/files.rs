//! Files: what programs can do with them.

use std::fs;
use std::path::Path;

use crate::harness::components::Folder;
use crate::harness::{Output, Run, guests};

/// Runs a case of a test guest that has an empty directory, `/data`.
fn run(guest: &str, case: &str) -> (Output, Folder) {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("data")).unwrap();
    let output = with(guest, folder.path()).args([case]).output();
    (output, folder)
}

fn with(guest: &str, folder: &Path) -> Run {
    let data = folder.join("data");
    Run::guest(guest).flag(format!("--dir={}::/data", data.display()))
}

/// As `guests::cases`, with an empty directory.
macro_rules! cases {
    ($guest:literal => $($case:ident)* $(; and $($other:ident)*)?) => {
        $(
            #[test]
            fn $case() {
                let (output, _folder) = super::run($guest, stringify!($case));
                output.code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $($(stringify!($other),)*)?];
            super::guests::has_cases($guest, &cases);
        }
    };
}

mod handle {
    cases! { "file_handle" =>
        what_was_written_can_be_read
        reading_ends_with_nothing
        a_block_has_a_greatest_size
        the_position_can_be_set
        appending_goes_to_the_end
        a_file_can_be_cut_and_grown
        modes_are_those_of_python
        options_must_go_together
        a_file_for_reading_can_t_be_written
        a_missing_file_is_an_error
        a_directory_is_no_file
        metadata_tells_length_and_kind
        buffers_are_filled
        text_must_be_text
        a_cancelled_read_loses_nothing
        reads_that_time_out_lose_nothing
        a_cancelled_write_is_done_nevertheless
        two_tasks_can_t_use_it_at_once
        a_cancelled_open_is_in_nobody_s_way
        syncing_and_closing_say_nothing
        the_end_may_be_far_away
    }
}

mod stream {
    cases! { "file_stream" =>
        lines_come_one_by_one
        lines_are_whole_wherever_blocks_end
        large_reads_leave_nothing_behind
        the_position_is_behind_what_was_given
        what_is_written_comes_behind_what_was_given
        what_was_written_can_be_read_at_once
        appending_goes_to_the_end
        a_file_can_be_cut_and_grown
        interrupted_reads_lose_nothing
        a_file_and_its_stream_may_take_turns
        text_must_be_text
    }
}

mod stream_write {
    cases! { "file_stream_write" =>
        a_write_is_begun_at_once
        a_write_changes_what_was_to_be_read_next
        a_failed_write_is_told_later_and_once
        what_a_short_write_leaves_is_told
        an_interrupted_write_says_what_was_begun
        files_are_read_and_written_by_polling
        a_poll_that_was_given_up_is_in_nobody_s_way
        two_tasks_can_t_use_it_at_once
    }
}

mod paths {
    cases! { "file_paths" =>
        directories_are_made_and_removed
        what_holds_something_is_not_removed
        things_are_renamed_and_replaced
        a_large_directory_is_listed_whole
        an_empty_directory_lists_nothing
        a_file_can_t_be_listed
        the_standard_library_finds_the_same
        relative_paths_begin_at_the_top
        exists_tells_only_what_it_knows
        a_thousand_files_are_read_at_once
        a_large_file_disturbs_nobody
        a_cancelled_operation_is_in_nobody_s_way
    }
}
