//! High-level networking by Unix sockets: connections, servers, TLS and channels.

use crate::harness::certificates::Certificates;
use crate::harness::components::Folder;
use crate::harness::{Output, Run, guests};

/// Runs a case that may listen and connect in a folder of its own.
fn run(case: &str) -> Output {
    let (folder, certificates) = (Folder::new(), Certificates::new());
    let at = folder.path().display();
    let run = Run::guest("network_unix")
        .flag(format!("--allow-listen=unix:{at}/"))
        .flag(format!("--allow-net=unix:{at}/"))
        .flag(format!("--env=AT={at}"));
    let run = certificates.publish(certificates.allow(run, &["site"]));
    run.args([case]).output()
}

macro_rules! cases {
    ($($case:ident)* ; and $($other:ident)*) => {
        $(
            #[test]
            fn $case() {
                run(stringify!($case)).code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $(stringify!($other),)*];
            guests::has_cases("network_unix", &cases);
        }
    };
}

cases! {
    servers_and_clients_talk
    a_server_is_a_thing_of_its_own
    a_cancelled_server_hangs_up
    a_path_is_taken_once
    a_path_without_a_server_is_an_error
    a_path_must_make_sense
    a_path_needs_a_right
    a_path_is_of_no_family
    a_full_backlog_is_waited_for
    tls_goes_over_it
    tls_wants_a_name
    a_channel_goes_over_it
    ; and
    a_channel_s_key_is_checked
}

#[test]
fn a_channel_s_key_is_checked() {
    let output = run("a_channel_s_key_is_checked");
    output
        .code(0)
        .stdout("")
        .stderr_has(&["hung up on unnamed"]);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}
