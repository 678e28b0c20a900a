//! `curio::file` in directories that were granted: what is in them, and no way out. `permissions_dirs` is the same
//! for the standard library's files.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::Run;
use crate::harness::components::Folder;
use crate::permissions::check;
use crate::permissions_dirs::{folder, grant};

const DENIED: &str = "PermissionDenied: ";
const REFUSED: &str = "refused: no permission to use ";
const READ_ONLY: &str = "refused: no permission to change ";

fn probe(flags: &[&str]) -> Run {
    let run = Run::guest("file_probe");
    flags.iter().fold(run, Run::flag)
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
            ("mkdirs=/data/dir/a/b", "ok"),
            ("rename=/data/new>/data/dir/newer", "ok"),
            ("list=/data/dir", "ok a newer"),
            ("remove=/data/dir/newer", "ok"),
            ("rmdir=/data/dir/a/b", "ok"),
            ("readlink=/data/good", "ok text"),
            ("lstat=/data/good", "ok true"),
            ("lstat=/data/text", "ok false"),
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
            ("mkdirs=/data/../out/new/newer", DENIED),
            ("remove=/data/../out/secret", DENIED),
            ("rename=/data/text>/data/../out/text", DENIED),
            ("rename=/data/../out/secret>/data/secret", DENIED),
            ("read=/data//etc/passwd", "NotFound: "),
            (&format!("read={host}/in/text"), REFUSED),
            (&format!("read={host}/out/secret"), REFUSED),
            ("read=/etc/passwd", REFUSED),
            ("write=/etc/new", REFUSED),
            ("rename=/data/text>/etc/text", REFUSED),
            ("rename=/etc/passwd>/data/passwd", REFUSED),
            ("list=/", REFUSED),
            ("read=/proc/self/environ", REFUSED),
            ("read=/proc/self/root/etc/passwd", REFUSED),
            ("read=/dev/../data/text", REFUSED),
            ("read=text", REFUSED),
            ("read=", REFUSED),
        ],
    );
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
    assert_eq!(
        fs::read_to_string(folder.path().join("in/text")).unwrap(),
        "content"
    );
}

#[test]
fn nothing_is_granted_by_itself() {
    let folder = folder();
    let text = "refused: no permission to use \"/data/text\"; add --dir=HOST::GUEST for a directory \
                that holds it";
    check(
        probe(&[]).directory(folder.path()),
        &[
            ("read=/data/text", text),
            ("read=in/text", REFUSED),
            ("list=.", REFUSED),
            ("stat=/", REFUSED),
            ("mkdir=new", REFUSED),
        ],
    );
}

#[test]
fn no_link_leads_out_of_a_directory() {
    let folder = folder();
    // A chain whose parts are harmless one by one.
    symlink("sub/step", folder.path().join("in/chain")).unwrap();
    symlink("../relative", folder.path().join("in/sub/step")).unwrap();
    symlink("/proc/self/root", folder.path().join("in/proc-root")).unwrap();
    for link in ["absolute", "relative", "slash", "winding", "chain"] {
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
                (&format!("readlink={path}/secret"), DENIED),
                (&format!("write={path}/new"), DENIED),
                (&format!("create={path}/new"), DENIED),
                (&format!("mkdir={path}/new"), DENIED),
                (&format!("mkdirs={path}/new/newer"), DENIED),
                (&format!("remove={path}/secret"), DENIED),
                (&format!("rename=/data/text>{path}/text"), DENIED),
                (&format!("rename={path}/secret>/data/secret"), DENIED),
            ],
        );
    }
    check(
        probe(&[&grant(&folder, "::/data")]),
        &[
            ("read=/data/file", DENIED),
            ("read=/data/absolute-file", DENIED),
            ("append=/data/file", DENIED),
            ("truncate=/data/file", DENIED),
            ("write=/data/dangling", DENIED),
            ("read=/data/root/etc/passwd", DENIED),
            ("list=/data/root", DENIED),
            ("read=/data/proc/environ", DENIED),
            ("list=/data/proc/fd", DENIED),
            ("read=/data/proc-root/etc/passwd", DENIED),
            ("readlink=/data/proc-root", ""),
            ("read=/data/loop", ""),
            ("read=/data/text", "ok content"),
        ],
    );
    let out = folder.path().join("out");
    assert_eq!(fs::read_to_string(out.join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(out).unwrap().count(), 1);
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
            ("write=/data/text", READ_ONLY),
            ("write=/data/new", READ_ONLY),
            ("create=/data/new", READ_ONLY),
            ("append=/data/text", READ_ONLY),
            ("overwrite=/data/text", READ_ONLY),
            ("truncate=/data/text", READ_ONLY),
            ("set-len=/data/text", "InvalidInput: "),
            ("remove=/data/text", READ_ONLY),
            ("mkdir=/data/new", READ_ONLY),
            ("mkdirs=/data/new/newer", READ_ONLY),
            ("rmdir=/data/sub", READ_ONLY),
            ("rename=/data/text>/data/new", READ_ONLY),
            ("write=/data/sub/text", READ_ONLY),
            ("read=/data/text", "ok content"),
            ("read=/data/sub/text", "ok deeper"),
        ],
    );
    let out = format!("--dir={}::/out", folder.path().join("out").display());
    check(
        probe(&[&grant(&folder, "::/data::ro"), &out]),
        &[
            ("write=/out/new", "ok"),
            ("rename=/data/text>/out/text", READ_ONLY),
            ("rename=/out/new>/data/new", READ_ONLY),
            ("rename=/out/new>/out/newer", "ok"),
            ("read=/data/relative/secret", DENIED),
        ],
    );
    assert!(!folder.path().join("in/new").exists());
}

#[test]
fn what_would_never_end_is_not_opened() {
    let folder = folder();
    let pipe = folder.path().join("in/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let socket = folder.path().join("in/socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    check(
        probe(&[&grant(&folder, "::/data"), "--dir=/dev"]),
        &[
            (
                "read=/data/pipe",
                "Unsupported: it is a pipe, socket or terminal",
            ),
            ("append=/data/pipe", ""),
            ("read=/data/socket", ""),
            ("stat=/data/pipe", "ok 0"),
            ("remove=/data/pipe", "ok"),
            ("read=/dev/null", "ok"),
            ("append=/dev/null", "ok"),
        ],
    );
}

#[test]
fn everything_is_found_by_absolute_and_relative_paths() {
    let folder = folder();
    let host = folder.path().display();
    let attempts = [
        ("read=text".to_owned(), "ok content"),
        ("read=./sub/text".to_owned(), "ok deeper"),
        ("read=../out/secret".to_owned(), "ok secret"),
        ("read=relative/secret".to_owned(), "ok secret"),
        (format!("read={host}/in/text"), "ok content"),
        (format!("read={host}/out/../in/text"), "ok content"),
        ("stat=/etc/passwd".to_owned(), "ok "),
        ("write=new".to_owned(), "ok"),
        (format!("read={host}/in/new"), "ok written"),
        ("read=etc/passwd".to_owned(), "NotFound: "),
        ("remove=new".to_owned(), "ok"),
    ];
    let attempts: Vec<_> = attempts.iter().map(|(a, e)| (a.as_str(), *e)).collect();
    for guest in ["file_probe", "permission_probe"] {
        let run = Run::guest(guest).flag("-A");
        check(run.directory(folder.path().join("in")), &attempts);
    }
    // A grant of its own for what relative paths begin in, or for the root, stands.
    for guest in ["file_probe", "permission_probe"] {
        let jail = format!("--dir={host}/out::/");
        let run = Run::guest(guest).flag("-A").flag(jail);
        check(
            run.directory(folder.path().join("in")),
            &[
                ("read=text", "ok content"),
                ("read=/secret", "ok secret"),
                ("read=/text", "NotFound: "),
                ("read=../out/secret", DENIED),
            ],
        );
    }
}

/// Says so when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Directories that others rename all the time lead nowhere else.
#[test]
fn renaming_opens_no_way_out() {
    let folder = Folder::new();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
    fs::create_dir_all(inside.join("a/b")).unwrap();
    fs::create_dir_all(inside.join("real")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(inside.join("real/file"), "inside").unwrap();
    fs::write(inside.join("file"), "inside").unwrap();
    fs::write(outside.join("file"), "secret").unwrap();
    fs::write(folder.path().join("file"), "secret").unwrap();
    symlink("../out", inside.join("link")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also if the guest fails.
        let _end = Ended(&over);
        scope.spawn(|| {
            // `swing` is now a directory, now a link out; `a/b` is now inside, now outside.
            let swing = inside.join("swing");
            while !over.load(Ordering::Relaxed) {
                for name in ["real", "link"] {
                    fs::rename(inside.join(name), &swing).unwrap();
                    fs::rename(&swing, inside.join(name)).unwrap();
                }
                fs::rename(inside.join("a/b"), outside.join("b")).unwrap();
                fs::rename(outside.join("b"), inside.join("a/b")).unwrap();
            }
        });
        let run = probe(&[&grant(&folder, "::/data")]);
        let attempt = "race=/data/swing/file,/data/a/b/../../file,/data/swing/../file";
        let output = run.args([attempt]).output();
        output.code(0).stdout("ok inside\n").quiet();
    });
}
