//! Names of hosts: what programs learn of them, and what not.

use crate::harness::{Output, Run, guests};

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
