//! Directories that were granted: what is in them, and no way out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::harness::Run;
use crate::harness::components::Folder;
use crate::permissions::{check, probe};

const DENIED: &str = "PermissionDenied: ";
const MISSING: &str = "NotFound: ";

/// `in`, which is granted, and `out`, which is not, with links from one to the other.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir_all(inside.join("sub")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(inside.join("text"), "content").unwrap();
    fs::write(inside.join("sub/text"), "deeper").unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    for (target, name) in [
        (outside.as_path(), "absolute"),
        (Path::new("../out"), "relative"),
        (Path::new("../out/"), "slash"),
        (Path::new("sub/../../out"), "winding"),
        (Path::new("/"), "root"),
        (Path::new("/proc/self"), "proc"),
        (Path::new("../out/secret"), "file"),
        (&outside.join("secret"), "absolute-file"),
        (Path::new("../out/none"), "dangling"),
        (Path::new("text"), "good"),
        (Path::new("sub"), "good-folder"),
        (Path::new("loop"), "loop"),
    ] {
        symlink(target, inside.join(name)).unwrap();
    }
    folder
}

pub(crate) fn grant(folder: &Folder, rest: &str) -> String {
    format!("--dir={}{rest}", folder.path().join("in").display())
}

#[test]
fn what_is_in_a_directory_can_be_used() {
    let folder = folder();
    check(
        probe(&[&grant(&folder, "::/data")]),
        &[
            ("read=/data/text", "ok content"),
            ("read=/data/sub/../text", "ok content"),
            ("read=/data/good", "ok content"),
            ("read=/data/good-folder/text", "ok deeper"),
            ("list=/data/sub", "ok text"),
            ("write=/data/new", "ok"),
            ("append=/data/new", "ok"),
            ("overwrite=/data/new", "ok"),
            ("read=/data/new", "ok Xrittenappended"),
            ("truncate=/data/new", "ok"),
            ("stat=/data/new", "ok 0"),
            ("mkdir=/data/dir", "ok"),
            ("rename=/data/new>/data/dir/newer", "ok"),
            ("list=/data/dir", "ok newer"),
            ("remove=/data/dir/newer", "ok"),
            ("rmdir=/data/dir", "ok"),
            ("readlink=/data/good", "ok text"),
        ],
    );
}

#[test]
fn no_path_leads_out_of_a_directory() {
    let folder = folder();
    let host = folder.path().display();
    check(
        probe(&[&grant(&folder, "::/data")]),
        &[
            ("read=/data/../out/secret", DENIED),
            ("read=/data/sub/../../out/secret", DENIED),
            ("list=/data/..", DENIED),
            ("stat=/data/../out", DENIED),
            ("write=/data/../out/new", DENIED),
            ("mkdir=/data/../out/new", DENIED),
            ("remove=/data/../out/secret", DENIED),
            ("rename=/data/text>/data/../out/text", DENIED),
            ("rename=/data/../out/secret>/data/secret", DENIED),
            ("link=/data/../out/secret>/data/secret", DENIED),
            ("read=/data//etc/passwd", MISSING),
            // The host's own names for all that are nothing to the guest.
            (&format!("read={host}/in/text"), MISSING),
            (&format!("read={host}/out/secret"), MISSING),
            ("read=/etc/passwd", MISSING),
            ("list=/", MISSING),
            ("list=/proc/self", MISSING),
            ("read=/proc/self/environ", MISSING),
            ("read=/dev/../data/text", MISSING),
        ],
    );
    let names = fs::read_dir(folder.path().join("out")).unwrap();
    assert_eq!(names.count(), 1);
}

#[test]
fn no_link_leads_out_of_a_directory() {
    let folder = folder();
    for link in ["absolute", "relative", "slash", "winding"] {
        let path = format!("/data/{link}");
        check(
            probe(&[&grant(&folder, "::/data")]),
            &[
                (&format!("read={path}/secret"), DENIED),
                (&format!("list={path}"), DENIED),
                (&format!("list={path}/"), DENIED),
                (&format!("list={path}//."), DENIED),
                (&format!("stat={path}"), DENIED),
                (&format!("stat={path}/"), DENIED),
                (&format!("stat={path}/secret"), DENIED),
                (&format!("lstat={path}/secret"), DENIED),
                (&format!("write={path}/new"), DENIED),
                (&format!("create={path}/new"), DENIED),
                (&format!("mkdir={path}/new"), DENIED),
                (&format!("remove={path}/secret"), DENIED),
                (&format!("rmdir={path}/"), ""),
                (&format!("rename=/data/text>{path}/text"), DENIED),
                (&format!("link=/data/text>{path}/text"), DENIED),
                (&format!("link={path}/secret>/data/stolen"), DENIED),
            ],
        );
    }
    check(
        probe(&[&grant(&folder, "::/data")]),
        &[
            ("read=/data/file", DENIED),
            ("read=/data/file/", DENIED),
            ("read=/data/absolute-file", DENIED),
            ("append=/data/file", DENIED),
            ("truncate=/data/file", DENIED),
            ("write=/data/dangling", DENIED),
            ("read=/data/root/etc/passwd", DENIED),
            ("list=/data/root", DENIED),
            ("read=/data/proc/environ", DENIED),
            ("list=/data/proc/", DENIED),
            ("list=/data/proc/fd", DENIED),
            ("read=/data/proc/root/etc/passwd", DENIED),
            ("list=/data/proc/cwd", DENIED),
            // A link's copy is a link, and leads nowhere either.
            ("link=/data/file>/data/copy", "ok"),
            ("read=/data/copy", DENIED),
            ("rename=/data/file>/data/sub/file", "ok"),
            ("read=/data/sub/file", MISSING),
            ("read=/data/loop", ""),
            ("read=/data/text", "ok content"),
        ],
    );
    let secret = fs::read_to_string(folder.path().join("out/secret")).unwrap();
    assert_eq!(secret, "secret");
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
}

/// What is in `/proc` leads anywhere, and not by its text.
#[test]
fn no_magic_link_leads_out_of_a_directory() {
    let told = [
        ("permission_probe", "FilesystemLoop: "),
        ("file_probe", "Other: "),
    ];
    for (guest, refused) in told {
        let run = Run::guest(guest).flag("--dir=/proc::/proc::ro");
        check(
            run,
            &[
                ("read=/proc/self/root/etc/passwd", refused),
                ("read=/proc/thread-self/root/etc/passwd", refused),
                ("list=/proc/self/cwd", refused),
                ("list=/proc/self/root/", refused),
                ("read=/proc/self/exe", refused),
                ("read=/proc/self/fd/0", refused),
                ("stat=/proc/sys/kernel/ostype", "ok 0"),
            ],
        );
    }
}

#[test]
fn what_is_read_only_stays_as_it_is() {
    let folder = folder();
    check(
        probe(&[&grant(&folder, "::/data::ro")]),
        &[
            ("read=/data/text", "ok content"),
            ("list=/data/sub", "ok text"),
            ("stat=/data/text", "ok 7"),
            ("write=/data/text", DENIED),
            ("write=/data/new", DENIED),
            ("create=/data/new", DENIED),
            ("append=/data/text", DENIED),
            ("overwrite=/data/text", DENIED),
            ("truncate=/data/text", DENIED),
            ("set-len=/data/text", ""),
            ("remove=/data/text", DENIED),
            ("mkdir=/data/new", DENIED),
            ("rmdir=/data/sub", DENIED),
            ("rename=/data/text>/data/new", DENIED),
            ("link=/data/text>/data/new", DENIED),
            ("copy=/data/text>/data/new", DENIED),
            ("write=/data/sub/text", DENIED),
            ("read=/data/text", "ok content"),
            ("read=/data/sub/text", "ok deeper"),
        ],
    );
    assert!(!folder.path().join("in/new").exists());
}

#[test]
fn a_writable_directory_beside_a_read_only_one_changes_nothing() {
    let folder = folder();
    let out = format!("--dir={}::/out", folder.path().join("out").display());
    check(
        probe(&[&grant(&folder, "::/data::ro"), &out]),
        &[
            ("write=/out/new", "ok"),
            ("rename=/data/text>/out/text", DENIED),
            ("rename=/out/new>/data/new", DENIED),
            ("link=/out/new>/data/new", DENIED),
            ("copy=/data/text>/out/text", "ok"),
            ("read=/out/text", "ok content"),
            // Each is a place of its own, even for what both lead to.
            ("read=/data/relative/secret", DENIED),
        ],
    );
}

#[test]
fn a_directory_without_another_name_keeps_its_own() {
    let folder = folder();
    let path = folder.path().join("in");
    let text = format!("read={}/text", path.display());
    check(probe(&[&grant(&folder, "")]), &[(&text, "ok content")]);
    let run = probe(&["--dir=in::ro", "--dir=in/sub::deep"]).directory(folder.path());
    check(
        run,
        &[
            ("read=in/text", "ok content"),
            ("read=deep/text", "ok deeper"),
            ("write=in/sub/text", DENIED),
            ("write=deep/text", "ok"),
            ("read=text", MISSING),
            ("read=in/../out/secret", DENIED),
        ],
    );
}

#[test]
fn what_is_read_only_lies_in_nothing_that_is_not() {
    let folder = folder();
    symlink("in/sub", folder.path().join("other")).unwrap();
    for flags in [
        ["--dir=in::/data", "--dir=in/sub::/data/sub::ro"],
        ["--dir=in/sub::/ro::ro", "--dir=in::/data"],
        ["--dir=in::/data", "--dir=other::/ro::ro"],
        ["--dir=in::/data", "--dir=in::/ro::ro"],
    ] {
        let output = probe(&flags).directory(folder.path()).output();
        output.complains(1, &["--dir ", "read-only", "grant ", " with ::ro"]);
    }
}
