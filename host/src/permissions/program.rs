//! Finding a program as a shell does: by its path, or by its name in the directories of a `PATH`. The one file of this
//! folder that looks at a disk: when a program is granted, or everything is.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::DEFAULT_PATH;

/// The absolute path of the program that a word stands for, without following links.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator names the program, or allows everything"
)]
pub(crate) fn find_program(word: &str, path: Option<OsString>) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let found = if word.contains('/') {
        Some(PathBuf::from(word)).filter(is_program)
    } else if word.is_empty() {
        None
    } else {
        let directories = path.unwrap_or_else(|| DEFAULT_PATH.into());
        let mut places = std::env::split_paths(&directories).map(|directory| directory.join(word));
        places.find(is_program)
    };
    // It makes no system call but for the working directory.
    std::path::absolute(found?).ok()
}
