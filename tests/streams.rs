//! Streams and channels: what programs can do with them, among themselves and with others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Output, Run, guests};

/// Runs a case of a test guest that may connect to itself.
fn run(guest: &str, case: &str) -> Output {
    let run = Run::guest(guest).flag("--allow-listen=127.0.0.1");
    run.flag("--allow-net=127.0.0.1").args([case]).output()
}

/// As `guests::cases`, with the rights that sockets need.
macro_rules! cases {
    ($guest:literal: $($case:ident)* $(; and $($other:ident)*)?) => {
        $(
            #[test]
            fn $case() {
                super::run($guest, stringify!($case)).code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $($(stringify!($other),)*)?];
            super::guests::has_cases($guest, &cases);
        }
    };
}

mod reading {
    cases! { "stream_read":
        one_burst_is_three_lines
        one_burst_is_three_messages
        after_a_line_read_gives_the_rest_of_what_is_there
        reading_nothing_returns_at_once
        read_all_takes_what_comes_in_parts
        the_last_line_may_have_no_end
        an_end_in_the_middle_tells_how_much_there_is
        read_into_fills_its_target
        lines_are_counted_and_kept_apart
        a_line_may_be_read_into_a_vector
        lines_are_an_iterator_and_a_stream
        a_line_that_is_too_long_stays
        what_was_read_in_advance_is_not_lost
        long_lines_in_small_pieces
    }
}

mod writing {
    cases! { "stream_write":
        a_write_writes_all
        lines_are_written_in_order
        lines_of_any_size_are_written
        a_pair_of_streams_is_for_two_tasks
        the_end_is_told_when_all_are_dropped
        a_transport_of_one_s_own
    }
}

mod interruption {
    cases! { "stream_interrupt":
        a_cancelled_read_line_keeps_what_came
        timeouts_tell_what_was_read
        read_into_tells_how_much_is_filled
        a_cancellation_tells_what_was_read
        lines_survive_any_number_of_timeouts
        lines_survive_any_number_of_cancellations
        lines_survive_being_dropped
        exact_reads_survive_any_number_of_timeouts
        a_write_that_times_out_tells_how_much_the_peer_gets
        a_cancelled_write_tells_how_much_the_peer_gets
        lines_that_time_out_tell_how_much_the_peer_gets
        a_write_that_fails_tells_that_too
        a_second_reader_does_not_disturb_the_first
        a_timeout_of_an_outer_block_tells_it_too
    }
}

mod polled {
    cases! { "stream_polled":
        sockets_are_read_and_written_by_polling
        a_socket_may_be_read_and_written_at_the_same_time
        streams_are_read_and_written_by_polling
        a_cancellation_is_inside_an_error_of_the_system_s
        a_timeout_comes_out_of_an_error_of_the_system_s
        a_poll_that_was_given_up_is_in_nobody_s_way
        a_timeout_that_nobody_looked_at_does_not_come_later
        web_sockets_talk
        a_web_socket_may_time_out_and_go_on
        a_handler_of_web_sockets_can_be_cancelled
    }
}
mod messages {
    cases! { "channel":
        values_go_in_both_directions
        bytes_go_in_both_directions
        parts_of_a_buffer_are_sent
        parts_that_are_not_there_are_refused
        a_message_may_be_received_into_a_buffer
        a_message_that_is_too_long_stays
        a_value_of_another_type_is_told
        a_message_that_lies_about_a_length_takes_no_memory
        large_messages_are_sent_and_received
        a_blocked_recv_can_be_cancelled
        recv_survives_any_number_of_interruptions
        an_interrupted_send_says_so_afterwards
        a_send_that_began_nothing_may_be_tried_again
        an_end_between_messages_and_in_the_middle_of_one
        a_length_that_is_too_large_is_not_believed
        halves_are_for_two_tasks
        two_streams_may_make_a_connection
    }
}

mod keys {
    use super::run;

    cases! { "channel_auth":
        the_same_key_lets_messages_through
        different_keys_fail_on_both_sides
        a_server_without_the_key_is_found_out
        an_empty_key_is_refused
        what_is_no_conversation_is_refused
        a_channel_connects_without_a_key
        a_channel_connects_with_a_key
        a_channel_is_closed_and_bound_again
        a_silent_listener_is_given_up
        an_interrupted_accept_passes_that_on; and
        accepting_goes_on_after_a_wrong_key
        accepting_goes_on_after_strange_peers
        accepting_goes_on_after_an_unwelcome_address
    }

    /// Runs a case that warns so often, each time of a peer that was hung up on, for one of these reasons.
    fn warns(case: &str, reasons: &[&str]) {
        let output = run("channel_auth", case);
        output.code(0).stdout("");
        let lines: Vec<_> = output.stderr.lines().collect();
        assert_eq!(lines.len(), reasons.len(), "{}", output.stderr);
        for (line, reason) in lines.iter().zip(reasons) {
            let warning = " WARN guest: hung up on 127.0.0.1:";
            assert!(line.starts_with(warning), "{line}");
            assert!(line.ends_with(reason), "{line}");
        }
    }

    #[test]
    fn accepting_goes_on_after_a_wrong_key() {
        warns(
            "accepting_goes_on_after_a_wrong_key",
            &["digest received was wrong"],
        );
    }

    #[test]
    fn accepting_goes_on_after_strange_peers() {
        let reasons = [
            "",
            "the peer sent something else",
            "the peer sent something else",
            "it did not show in time that it has the key",
        ];
        warns("accepting_goes_on_after_strange_peers", &reasons);
    }

    #[test]
    fn accepting_goes_on_after_an_unwelcome_address() {
        let reasons = ["its address is not welcome"];
        warns("accepting_goes_on_after_an_unwelcome_address", &reasons);
    }
}

#[test]
fn echo_stream_sends_lines_back_when_they_are_whole() {
    let run = Run::guest("echo_stream").flag("--allow-listen=127.0.0.1");
    let mut server = run.args(["127.0.0.1:0"]).spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let client = TcpStream::connect(address).unwrap();
            let patience = Some(Duration::from_secs(30));
            client.set_read_timeout(patience).unwrap();
            BufReader::new(client)
        })
        .collect();
    for round in 0..3 {
        for (n, client) in clients.iter_mut().enumerate() {
            write!(client.get_mut(), "client {n}, ").unwrap();
        }
        for (n, client) in clients.iter_mut().enumerate() {
            write!(client.get_mut(), "round {round}\nmore\n").unwrap();
            let mut answer = String::new();
            client.read_line(&mut answer).unwrap();
            assert_eq!(answer, format!("client {n}, round {round}\n"));
            answer.clear();
            client.read_line(&mut answer).unwrap();
            assert_eq!(answer, "more\n");
        }
    }
    // The last line may have no end.
    let mut first = clients.remove(0);
    first.get_mut().write_all(b"the end").unwrap();
    first.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    first.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "the end");
    // A line that never ends is no reason to take memory without end.
    let mut endless = clients.remove(0);
    let data = vec![b'x'; 65_536];
    let refused = (0..1000).any(|_| endless.get_mut().write_all(&data).is_err());
    assert!(refused || endless.read(&mut [0]).is_ok_and(|count| count == 0));

    server.signal(Signal::SIGTERM);
    let output = server.wait();
    output.code(0).stderr_has(&["Stream::set_max_line"]);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}
