//! Real guests: the examples and the programs in `guests`, built when a test first wants one.

use std::path::{Path, PathBuf};

use super::{Output, Run, build};

/// The component of an example or a test guest.
pub(crate) fn path(name: &str) -> PathBuf {
    let folder = build::guests().unwrap_or_else(|stderr| panic!("{stderr}"));
    let path = folder.join(name).with_extension("wasm");
    assert!(path.is_file(), "there is no guest {name}");
    path
}

/// Where compiled guests are kept: not in the user's cache.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Runs one case of a test guest: an argument names it.
#[track_caller]
pub(crate) fn run_case(guest: &str, case: &str) -> Output {
    let output = Run::guest(guest).args([case]).output();
    output.code(0);
    output
}

/// Asserts that a test guest has these cases and no others.
pub(crate) fn has_cases(guest: &str, cases: &[&str]) {
    let output = run_case(guest, "cases");
    let mut known: Vec<_> = output.stdout.lines().collect();
    let mut tested = cases.to_vec();
    known.sort_unstable();
    tested.sort_unstable();
    assert_eq!(known, tested, "the cases of {guest}, and those tested");
}

/// Makes a test of each case of a test guest: a case asserts by itself, writes nothing and ends well.
/// Cases that are more than that stand behind `and`; their tests are written out.
macro_rules! cases {
    ($guest:literal: $($case:ident)* $(; and $($other:ident)*)?) => {
        $(
            #[test]
            fn $case() {
                crate::harness::guests::run_case($guest, stringify!($case)).stdout("").quiet();
            }
        )*

        #[test]
        fn every_case_is_tested() {
            let cases = [$(stringify!($case),)* $($(stringify!($other),)*)?];
            crate::harness::guests::has_cases($guest, &cases);
        }
    };
}

pub(crate) use cases;
