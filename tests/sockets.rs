//! Sockets: what programs can do with them, among themselves.

use crate::harness::{Output, Run, guests};

/// Runs a case of a test guest that may connect to itself.
fn run(guest: &str, flags: &[&str], case: &str) -> Output {
    let mut run = Run::guest(guest)
        .flag("--allow-listen=127.0.0.1:0,[::1]:0")
        .flag("--allow-net=127.0.0.1,[::1]");
    for flag in flags {
        run = run.flag(flag);
    }
    run.args([case]).output()
}

/// As `guests::cases`, with the rights that sockets need.
macro_rules! cases {
    ($guest:literal, $flags:expr => $($case:ident)* $(; and $($other:ident)*)?) => {
        $(
            #[test]
            fn $case() {
                super::run($guest, &$flags, stringify!($case)).code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $($(stringify!($other),)*)?];
            super::guests::has_cases($guest, &cases);
        }
    };
}

mod stream {
    cases! { "socket_stream", [] =>
        what_is_not_read_stays
        the_end_comes_after_the_data
        one_direction_can_be_shut_down
        a_reset_is_told_once
        sending_to_nobody_fails
        recv_takes_any_maximum
        sending_nothing_is_nothing
        a_connection_nobody_wants_is_refused
        connections_wait_to_be_accepted
        those_that_yield_starve_no_socket
    }
}

mod interruption {
    cases! { "socket_interrupt", [] =>
        a_cancelled_recv_loses_nothing
        a_recv_that_times_out_loses_nothing
        data_and_timeouts_may_race
        an_interrupted_accept_loses_nothing
        an_interrupted_send_has_sent_nothing
        connecting_can_time_out
        one_task_may_read_while_another_writes
        a_second_reader_is_told_that_it_is_one
        a_second_writer_is_told_that_it_is_one
        a_dropped_reader_is_in_nobody_s_way
    }
}

mod states {
    // The address that is not this machine's is one for documentation.
    cases! { "socket_states", ["--allow-listen=127.0.0.1,203.0.113.77"] =>
        options_are_read_as_they_were_set
        both_ends_know_both_addresses
        an_address_can_t_be_used_twice
        an_unbound_socket
        a_bound_socket
        a_listening_socket
        a_connected_socket
        addresses_of_the_other_family
    }
}

mod server {
    use super::run;

    cases! { "socket_server", ["--allow-listen=127.0.0.1"] =>
        a_cancelled_server_waits_for_its_handlers
        a_server_needs_a_free_address; and
        a_failed_handler_is_alone_with_it
        the_limit_of_handles_is_told
    }

    #[test]
    fn a_failed_handler_is_alone_with_it() {
        let output = run("socket_server", &[], "a_failed_handler_is_alone_with_it");
        output.code(0).stderr_has(&[
            "ERROR guest: task socket_server::a_failed_handler_is_alone_with_it, spawned at ",
            // Where the program has started the server.
            "socket_server.rs:",
            "failed: this handler had enough",
        ]);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }

    #[test]
    fn the_limit_of_handles_is_told() {
        let flags = ["--max-handles=5"];
        let output = run("socket_server", &flags, "the_limit_of_handles_is_told");
        output.code(0).quiet();
    }
}
