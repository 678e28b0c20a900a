//! Builds the guests, for the end-to-end tests and for those of the host that run a guest.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder with all guests, which are built when a test first wants one; or what cargo has to say.
pub(crate) fn guests() -> Result<PathBuf, String> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOLDER.get_or_init(build).clone()
}

/// The folder that this program was built in: it stands there as `debug/deps/curio_host-…`.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    let target = program.ancestors().nth(3);
    target.expect("cargo has put it there").to_owned()
}

fn build() -> Result<PathBuf, String> {
    let target = target();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--profile", "guests", "--target", "wasm32-wasip2"])
        .args(["-p", "curio-examples", "-p", "test-guests"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(ROOT)
        // They are for the host.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs the tests, so it is there");
    if output.status.success() {
        Ok(target.join("wasm32-wasip2/guests"))
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("the guests can't be built\n{stderr}"))
    }
}
