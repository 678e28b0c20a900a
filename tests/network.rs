//! High-level networking: connecting to hosts with several addresses, and servers.

use crate::harness::{Output, Run, guests};

fn run(guest: &str, flags: &[&str], case: &str) -> Output {
    let run = flags.iter().fold(Run::guest(guest), Run::flag);
    run.args([case]).output()
}

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

mod connect {
    cases! { "network_connect", [
        "--allow-listen=127.0.0.1:0,[::1]:0",
        "--allow-net=localhost",
        "--max-handles=20",
    ] =>
        a_name_is_connected_to
        one_that_is_refused_makes_way_at_once
        one_that_is_slow_gets_company
        one_by_one_none_gets_company
        the_losers_are_closed
        an_interrupted_attempt_is_closed
        all_failures_are_told
        all_refusals_are_told
        the_source_address_is_used
        one_family_alone_is_tried
        nowhere_is_an_error
        endpoints_are_read
    }
}

mod server {
    const FLAGS: [&str; 2] = [
        "--allow-listen=0.0.0.0,[::],127.0.0.1,[::1]",
        "--allow-net=127.0.0.1,[::1]",
    ];

    cases! { "network_server", FLAGS =>
        server_and_client_take_turns
        a_server_has_a_name
        options_are_used
        the_backlog_is_used
        sockets_at_one_address_share_connections
        an_address_may_be_taken_again
        the_address_must_be_of_the_family
        a_listener_that_fails_is_an_error
        a_server_that_is_dropped_cancels_its_handlers
        a_server_serves_until_it_is_closed
        a_server_is_closed_from_a_handler
        a_cancelled_server_is_closed
        a_server_that_times_out_is_closed
        a_server_serves_once; and
        a_server_needs_a_right
        a_failed_handler_is_told_with_the_server_s_place
    }

    #[test]
    fn a_server_needs_a_right() {
        let flags = ["--allow-listen=127.0.0.1"];
        let output = super::run("network_server", &flags, "a_server_needs_a_right");
        output.code(0).stdout("").quiet();
    }

    #[test]
    fn a_failed_handler_is_told_with_the_server_s_place() {
        let case = "a_failed_handler_is_told_with_the_server_s_place";
        let output = super::run("network_server", &FLAGS, case);
        let line = output.stdout.trim();
        let place = format!("network_server.rs:{line}");
        output
            .code(0)
            .stderr_has(&[&place, "failed: this handler had enough"]);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}
