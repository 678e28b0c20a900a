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
