//! TLS: what programs can do with it among themselves.

use crate::harness::certificates::Certificates;
use crate::harness::{Output, Run, guests};

/// All identities there are.
const IDENTITIES: [&str; 7] = [
    "site",
    "elsewhere",
    "expired",
    "future",
    "self-signed",
    "stranger",
    "client",
];

/// Runs a case of a test guest that may connect to itself, and use keys that it can't read.
fn run(guest: &str, flags: &[&str], case: &str) -> Output {
    let certificates = Certificates::new();
    let mut run = Run::guest(guest)
        .flag("--allow-listen=127.0.0.1:0")
        .flag("--allow-net=127.0.0.1");
    run = certificates.allow(run, &IDENTITIES);
    run = certificates.publish(run);
    let key = certificates.path("site.key");
    run = run.flag(format!("--env=KEY={}", key.display()));
    for flag in flags {
        run = run.flag(flag);
    }
    run.args([case]).output()
}

/// As `guests::cases`, with the rights that TLS needs.
macro_rules! cases {
    ($guest:literal => $($case:ident)* $(; with $($flag:literal $limited:ident)*)?) => {
        $(
            #[test]
            fn $case() {
                super::run($guest, &[], stringify!($case)).code(0).stdout("").quiet();
            }
        )*
        $($(
            #[test]
            fn $limited() {
                super::run($guest, &[$flag], stringify!($limited)).code(0).stdout("").quiet();
            }
        )*)?

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $($(stringify!($limited),)*)?];
            super::guests::has_cases($guest, &cases);
        }
    };
}

mod stream {
    cases! { "ssl_stream" =>
        data_goes_both_ways
        one_task_may_read_while_another_writes
        the_first_operation_makes_the_handshake
        both_may_begin_the_handshake
        the_end_of_a_stream_is_told
        a_dropped_stream_ends
        a_closed_stream_takes_no_more
        a_second_reader_is_told_that_it_is_one
        a_cancelled_recv_loses_nothing
        a_cancelled_send_leaves_the_connection_whole
        what_was_chosen_is_known
        a_silent_client_is_given_up
        a_silent_server_is_given_up
        a_client_that_speaks_no_tls_is_told_of
        a_server_that_speaks_no_tls_is_told_of
        a_bad_client_fails_alone
        the_certificate_of_a_server
        a_thousand_connections
    }
}

mod polled {
    cases! { "ssl_polled" =>
        lines_go_both_ways
        two_tasks_have_a_stream_each
        a_stream_makes_the_handshake
        what_was_written_arrives_without_more
        interrupted_reads_lose_nothing
        polling_makes_the_handshake
        both_directions_may_poll_at_once
        two_tasks_may_poll_at_once
        a_poll_that_was_given_up_is_in_nobody_s_way
        a_silent_client_that_is_polled_is_given_up
        a_failed_handshake_is_told_to_all_who_poll
        a_cancellation_comes_out_of_a_polled_handshake
        web_sockets_talk_over_tls
    }
}

mod trust {
    cases! { "ssl_trust" =>
        a_certificate_must_be_good
        what_is_not_to_be_checked_is_not
        a_name_is_needed_to_check_it
        an_address_is_a_name
        protocols_are_chosen
        old_versions_can_be_refused
        clients_can_be_asked_who_they_are
        clients_may_stay_unknown
        texts_must_make_sense
        identities_are_refused_by_name
        a_key_that_stays_in_the_host_can_t_be_read
        an_identity_can_be_the_program_s_own
        ; with
        "--max-memory=16MiB" the_limit_of_memory_is_told
        "--max-handles=20" the_limit_of_handles_is_told
    }
}

#[test]
fn an_identity_that_can_t_be_used_is_told_before_the_start() {
    let certificates = Certificates::new();
    let path = |name: &str| certificates.path(name).display().to_string();
    let nothing = path("authority.pem");
    for (files, texts) in [
        (
            format!("{},{}", path("missing.pem"), path("site.key")),
            ["missing.pem: no such file or directory", "check the path"],
        ),
        (
            format!("{},{}", path("site.pem"), path("client.key")),
            ["client.key: ", "the key is not that of the certificate"],
        ),
        (
            format!("{},{nothing}", path("site.pem")),
            [&nothing, "the key is no PEM of a private key"],
        ),
        (
            format!("{},{}", path("site.key"), path("site.key")),
            ["site.key: ", "the certificate chain has no PEM"],
        ),
    ] {
        let run = Run::guest("hello").flag(format!("--tls-identity=site={files}"));
        let texts = [&["--tls-identity site: "], &texts[..]].concat();
        run.output().complains(1, &texts);
    }
    let output = Run::guest("hello").flag("--tls-identity=site").output();
    output.complains(2, &["--tls-identity: \"site\" names no files"]);
}

#[test]
fn a_permissions_file_grants_identities() {
    let certificates = Certificates::new();
    let folder = certificates.path("site.pem");
    let folder = folder.parent().unwrap();
    let text = "tls-identity = ['site=site.pem,site.key']\nallow-listen = ['127.0.0.1']";
    std::fs::write(folder.join("app.toml"), text).unwrap();
    let run = Run::guest("tls_echo").directory(folder);
    let run = run.flag("--permissions=app.toml");
    let mut server = run.args(["127.0.0.1:0", "site"]).spawn();
    assert!(server.line().starts_with("listening on "));
}

#[test]
fn the_echo_examples_talk_to_each_other() {
    let certificates = Certificates::new();
    // Its certificate and key are in files that it may read.
    let run = Run::guest("tls_echo").flag("--allow-listen=127.0.0.1:0");
    let folder = certificates.path("").display().to_string();
    let run = run.flag(format!("--dir={folder}::/keys::ro"));
    let mut server = run
        .args(["127.0.0.1:0", "/keys/site.pem", "/keys/site.key"])
        .spawn();
    let line = server.line();
    let address = line.strip_prefix("listening on ").unwrap();
    let client = |name: &str| {
        let run = Run::guest("tls_echo_client").flag(format!("--allow-net={address}"));
        let run = certificates.publish(run);
        run.args([address, name, "/tls/authority.pem"]).output()
    };
    let expected = "connected with TLS_AES_256_GCM_SHA384\n\
                    Hello, world 1!\nHello, world 2!\nHello, world 3!\n";
    client("localhost").code(0).stdout(expected).quiet();
    let wrong = client("example.com");
    wrong.code(1).stderr_has(&[
        "Error: the peer's certificate was refused: ",
        "not valid for name \"example.com\"",
    ]);
    server.signal(nix::sys::signal::Signal::SIGTERM);
    server.wait().code(0).quiet();
}
