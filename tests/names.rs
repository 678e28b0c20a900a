//! Names of hosts: what programs learn of them, and what not.

use std::net::TcpListener;

use crate::harness::components::Folder;
use crate::harness::{Output, Run, guests};
use crate::permissions::{check, probe};

fn run(flags: &[&str], case: &str) -> Output {
    let run = Run::guest("names");
    let run = flags.iter().fold(run, Run::flag);
    run.args([case]).output()
}

macro_rules! cases {
    ($($case:ident)* ; and $($other:ident)*) => {
        $(
            #[test]
            fn $case() {
                run(&["--allow-net=localhost"], stringify!($case)).code(0).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            guests::has_cases("names", &[$(stringify!($case),)* $(stringify!($other),)*]);
        }
    };
}

cases! {
    localhost_is_found
    addresses_have_names
    what_is_not_there_is_told
    what_is_not_granted_is_refused
    a_thousand_lookups_at_once
    lookups_can_be_cancelled
    lookups_can_time_out; and
    numbers_need_no_lookup
    the_machine_s_name_is_known
}

#[test]
fn numbers_need_no_lookup() {
    let output = run(&[], "numbers_need_no_lookup");
    output.code(0).stdout("").quiet();
}

#[test]
fn the_machine_s_name_is_known() {
    let name = nix::unistd::gethostname().unwrap();
    let name = format!("{}\n", name.to_string_lossy());
    let output = run(&["--allow-net=*"], "the_machine_s_name_is_known");
    output.code(0).stdout(&name).quiet();
}

#[test]
fn lookups_are_limited_by_handles() {
    let flags = ["--allow-net=localhost", "--max-handles=10"];
    let output = run(&flags, "a_thousand_lookups_at_once");
    output.code(1).stderr_has(&["--max-handles"]);
}

/// Whoever answers for a name can't have the guest led to what only a number grants.
#[test]
fn a_name_leads_to_no_special_address() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let folder = Folder::new();
    let hosts = folder.file(
        "hosts",
        "127.0.0.1 loopback.example\n0.0.0.0 any.example\n::1 loopback6.example\n:: any6.example\n\
         ::ffff:127.0.0.1 mapped.example\n10.0.0.1 private.example\n169.254.169.254 link.example\n",
    );
    let names = [
        ("loopback", "127.0.0.1"),
        ("any", "0.0.0.0"),
        ("loopback6", "::1"),
        ("any6", "::"),
        ("mapped", "127.0.0.1"),
        ("private", "10.0.0.1"),
        ("link", "169.254.169.254"),
    ];
    let mut attempts: Vec<_> = names
        .iter()
        .map(|(name, address)| {
            let attempt = format!("connect-name={name}.example:{port}");
            let refused = format!("refused: \"{name}.example\" resolves to {address}, which");
            (attempt, refused)
        })
        .collect();
    attempts.push((format!("connect=127.0.0.1:{port}"), "refused: ".to_owned()));
    let std = format!("std-connect=127.0.0.1:{port}");
    attempts.push((std, "PermissionDenied: ".to_owned()));
    let expected: Vec<_> = attempts.iter().map(|(a, e)| (&**a, &**e)).collect();
    let Some(run) = probe(&["--allow-net=*.example"]).hosts(&hosts) else {
        return;
    };
    check(run, &expected);
    assert!(server.accept().is_err(), "somebody has connected");

    let number = format!("--allow-net=127.0.0.1:{port}");
    let run = probe(&["--allow-net=loopback.example", &number]).hosts(&hosts);
    let attempt = format!("connect-name=loopback.example:{port}");
    check(run.unwrap(), &[(&attempt, "ok")]);
    assert!(server.accept().is_ok());
}
