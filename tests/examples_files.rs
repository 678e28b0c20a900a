//! Examples that work with files: as the programs of the same name do it.

use std::path::Path;

use crate::harness::Run;
use crate::harness::components::Folder;

/// What the system's own program of that name writes.
fn real(program: &str, folder: &Path, args: &[&str]) -> String {
    let output = std::process::Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .output()
        .expect("it is part of every system");
    String::from_utf8(output.stdout).expect("the files are text")
}

/// A folder of files of several sizes.
fn texts() -> Folder {
    let folder = Folder::new();
    let poem = "Half a league, half a league,
  Half a league onward,
";
    folder.file("poem", poem);
    folder.file("unfinished", "no line  ends\there\n\x0bbut here");
    folder.file("empty", "");
    folder.file("long", poem.repeat(50_000));
    folder
}

#[test]
fn cat_writes_what_cat_writes() {
    let folder = texts();
    let here = |args: &[&str]| {
        let run = Run::guest("cat").flag("--dir=.::.::ro").args(args);
        run.directory(folder.path())
    };
    let args = ["poem", "empty", "./long", "unfinished", "poem"];
    let expected = real("cat", folder.path(), &args);
    here(&args).output().code(0).stdout(&expected).quiet();

    let mut running = here(&["poem", "-", "empty"]).spawn();
    running.write("from standard input\n");
    let poem = real("cat", folder.path(), &["poem"]);
    let output = running.wait();
    output
        .code(0)
        .stdout(&format!("{poem}from standard input\n"))
        .quiet();

    let output = here(&["none", "poem"]).output();
    output.code(1).stdout(&poem).stderr_has(&["cat: none: "]);
    let output = Run::guest("cat").args(["poem"]).output();
    output
        .code(1)
        .stdout("")
        .stderr_has(&["cat: poem: ", "--dir"]);
}

#[test]
fn wc_counts_what_wc_counts() {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let folder = texts();
    let here = |args: &[&str]| {
        let run = Run::guest("wc").flag("--dir=.::.::ro").args(args);
        run.directory(folder.path())
    };
    for args in [&["poem", "long", "unfinished", "empty"][..], &["long"]] {
        let output = here(args).output();
        output.code(0).quiet();
        assert_eq!(
            words(&output.stdout),
            words(&real("wc", folder.path(), args))
        );
    }
    let mut running = here(&[]).spawn();
    running.write("one two\nthree");
    let output = running.wait();
    output.code(0).quiet();
    assert_eq!(words(&output.stdout), ["1", "3", "13", "-"]);

    let output = here(&["none", "poem"]).output();
    output.code(1).stderr_has(&["wc: none: "]);
    assert_eq!(
        words(&output.stdout)[..3],
        ["2", "10", "54"].map(str::to_owned)
    );
}

#[test]
fn bundle_writes_what_sha256sum_writes() {
    let folder = texts();
    std::fs::create_dir_all(folder.path().join("more/deep")).unwrap();
    folder.file("more/deep/one", "1");
    folder.file("more/two", "2".repeat(700_000));
    std::os::unix::fs::symlink("poem", folder.path().join("link")).unwrap();
    let run = Run::guest("bundle").flag("--dir=.::.::ro").args(["."]);
    let output = run.directory(folder.path()).output();
    let files = [
        "empty",
        "long",
        "more/deep/one",
        "more/two",
        "poem",
        "unfinished",
    ];
    let files = files.map(|file| format!("./{file}"));
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let expected = real("sha256sum", folder.path(), &files);
    output.code(0).stdout(&expected);
    // The bar is full in the end.
    let bar = output.stderr.rsplit('\r').next().unwrap_or_default();
    assert!(bar.starts_with(&format!("[{}]", "#".repeat(40))), "{bar}");

    let refused = Run::guest("bundle")
        .args(["."])
        .directory(folder.path())
        .output();
    refused.code(1).stdout("").stderr_has(&[".: No such file"]);
}
