//! Real guests: the examples and the programs in `guests`, built when a test first wants one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Output, Run};

/// The workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The component of an example or a test guest.
pub(crate) fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = match FOLDER.get_or_init(build) {
        Ok(folder) => folder,
        Err(stderr) => panic!("the guests can't be built\n{stderr}"),
    };
    let path = folder.join(name).with_extension("wasm");
    assert!(path.is_file(), "there is no guest {name}");
    path
}

/// Where compiled guests are kept: not in the user's cache.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Builds all guests, and says where they are, or what cargo has to say.
fn build() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let target = target.expect("the temporary folder is in the target folder");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--target", "wasm32-wasip2"])
        .args(["-p", "curio-examples", "-p", "test-guests"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(ROOT)
        // They are for the host.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs the tests, so it is there");
    if output.status.success() {
        Ok(target.join("wasm32-wasip2/release"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
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
