//! Files and the limits of an instance.

use crate::harness::Run;
use crate::harness::components::Folder;
use crate::permissions::check;

fn probe(folder: &Folder, flag: &str) -> Run {
    let grant = format!("--dir={}::/data", folder.path().display());
    Run::guest("file_probe").flag(grant).flag(flag)
}

#[test]
fn open_files_are_handles() {
    let folder = Folder::new();
    folder.file("text", "content");
    check(
        probe(&folder, "--max-handles=10"),
        &[
            ("open-many=/data/text", "ok 10"),
            // All were given back.
            ("open-many=/data/text", "ok 10"),
            ("open-many=/data/none", "NotFound: "),
            ("open-many=/data/text", "ok 10"),
            ("list=/data", "ok text"),
        ],
    );
}
