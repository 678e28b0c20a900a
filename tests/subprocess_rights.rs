//! Which programs a guest may run, and with what.

use std::fs;
use std::path::Path;

use crate::harness::Run;
use crate::harness::components::Folder;
use crate::subprocess::executable;

/// Has the guest try to run things.
#[track_caller]
fn probe(flags: &[&str], folder: &Path, expected: &[(&str, &str)]) {
    let run = Run::guest("subprocess_probe").directory(folder);
    let run = flags.iter().fold(run, Run::flag);
    let output = run.args(expected.iter().map(|(words, _)| words)).output();
    output.code(0).quiet();
    let lines: Vec<_> = output.stdout.lines().collect();
    let texts: Vec<_> = expected.iter().map(|(_, text)| *text).collect();
    assert_eq!(lines, texts);
}

#[test]
fn only_what_is_granted_is_run() {
    let folder = Folder::new();
    executable(&folder.path().join("echo"), "#!/bin/sh\necho evil", 0o755);
    std::os::unix::fs::symlink("/bin/echo", folder.path().join("link")).unwrap();
    let refused =
        |program: &str| format!("no permission to run {program:?}; add --allow-run={program}");
    let here = folder.path().join("echo");
    let here = here.to_str().unwrap();
    probe(&[], folder.path(), &[("echo x", &refused("echo"))]);
    probe(
        &["--allow-run=echo", "--env=PATH=/usr/bin:/bin"],
        folder.path(),
        &[
            ("echo x", "ok x"),
            ("./echo x", &refused("./echo")),
            ("../echo x", &refused("../echo")),
            ("link x", &refused("link")),
            ("cat x", &refused("cat")),
            ("ECHO x", &refused("ECHO")),
            (&format!("{here} x"), &refused(here)),
            ("/usr/bin/../bin/echo x", &refused("/usr/bin/../bin/echo")),
            (
                "PATH=. echo x",
                "no permission to set \"PATH\" so for a program; add --run-env=PATH",
            ),
            ("LANG=C echo x", "ok x"),
            (
                "HOME=/data echo x",
                "no permission to set \"HOME\" so for a program; add --run-env=HOME",
            ),
            (
                "LD_PRELOAD=/x.so echo x",
                "no permission to set \"LD_PRELOAD\" so for a program; add --run-env=LD_PRELOAD",
            ),
        ],
    );
    // By its path, or by the word that was given.
    let link = folder.path().join("link");
    let link = link.to_str().unwrap();
    probe(
        &[
            "--allow-run=./link,/bin/cat",
            "--env=LD_BIND_NOW=1",
            "--run-env=MODE=fast,HOME",
        ],
        folder.path(),
        &[
            ("./link x", "ok x"),
            (&format!("{link} x"), "ok x"),
            ("link x", &refused("link")),
            ("echo x", &refused("echo")),
            ("/bin/cat", "ok "),
            ("cat", &refused("cat")),
            ("LD_BIND_NOW=1 ./link x", "ok x"),
            ("MODE=fast ./link x", "ok x"),
            (
                "MODE=slow ./link x",
                "no permission to set \"MODE\" so for a program; add --run-env=MODE",
            ),
            ("HOME=/ ./link x", "ok x"),
        ],
    );
    probe(
        &["-A"],
        folder.path(),
        &[
            ("echo x", "ok x"),
            ("./echo x", "ok evil"),
            ("LD_BIND_NOW=1 ./link x", "ok x"),
            ("nosuch", "entity not found"),
        ],
    );
}

#[test]
fn a_program_with_another_name_where_the_guest_writes_is_not_run() {
    let folder = Folder::new();
    for directory in ["bin", "data"] {
        fs::create_dir_all(folder.path().join(directory)).unwrap();
    }
    let tool = folder.path().join("bin/tool");
    executable(&tool, "#!/bin/sh\necho ran", 0o755);
    let flags = ["--allow-run=bin/tool", "--dir=data"];
    let word = tool.to_str().unwrap();
    probe(&flags, folder.path(), &[(word, "ok ran")]);
    fs::hard_link(&tool, folder.path().join("data/link")).unwrap();
    let refused = format!(
        "no permission to run {word:?}, whose file this guest can change; \
         it has other names (hard links), so copy it to a file of its own"
    );
    probe(&flags, folder.path(), &[(word, &refused)]);
    // Nobody writes to it by that name.
    let flags = ["--allow-run=bin/tool", "--dir=data::ro"];
    probe(&flags, folder.path(), &[(word, "ok ran")]);
}

#[test]
fn what_the_guest_can_change_is_not_run() {
    let folder = Folder::new();
    for directory in ["bin", "data/deep"] {
        fs::create_dir_all(folder.path().join(directory)).unwrap();
    }
    let script = "#!/bin/sh\necho ran";
    executable(&folder.path().join("bin/tool"), script, 0o755);
    executable(&folder.path().join("data/deep/own"), script, 0o755);
    std::os::unix::fs::symlink("../data/deep/own", folder.path().join("bin/linked")).unwrap();
    let refused = |program: &str| {
        format!(
            "no permission to run {program:?}, whose file this guest can change; \
             grant the directory that holds it with ::ro"
        )
    };
    let programs = "--allow-run=bin/tool,data/deep/own,bin/linked";
    let (own, linked, tool) = (
        refused("data/deep/own"),
        refused("bin/linked"),
        refused("bin/tool"),
    );
    for (dir, expected) in [
        ("--dir=data::/data", ["ok ran", &own, &linked]),
        ("--dir=data/deep::/data", ["ok ran", &own, &linked]),
        ("--dir=data::/data::ro", ["ok ran"; 3]),
        ("--dir=bin::/bin", [&*tool, "ok ran", &linked]),
        ("--dir=.", [&*tool, &own, &linked]),
    ] {
        let names = ["bin/tool", "data/deep/own", "bin/linked"];
        let expected: Vec<_> = names.into_iter().zip(expected).collect();
        probe(&[programs, dir], folder.path(), &expected);
    }
    let everything = [("bin/tool", "ok ran"), ("data/deep/own", "ok ran")];
    probe(&["-A", programs], folder.path(), &everything);
}

#[test]
fn an_unknown_program_is_a_usage_error() {
    for (flag, text) in [
        (
            "--allow-run=true,nosuch",
            "--allow-run: \"nosuch\" is no program in the directories of PATH",
        ),
        (
            "--allow-run=./nosuch",
            "--allow-run: \"./nosuch\" is no file that can be executed",
        ),
        (
            "--allow-run=/etc/passwd",
            "--allow-run: \"/etc/passwd\" is no file that can be executed",
        ),
        (
            "--allow-run=/bin",
            "--allow-run: \"/bin\" is no file that can be executed",
        ),
        ("--allow-run=true,,cat", "--allow-run: \"\" is no program"),
    ] {
        let output = Run::guest("subprocess_probe").flag(flag).output();
        output.complains(2, &[text]);
    }
}
