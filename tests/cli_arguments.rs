//! Which words are ours, which are the guest's, and what the help says.

use nix::sys::signal::Signal;

use crate::harness::Run;
use crate::harness::components::{Folder, LOOP, echo, program};

#[test]
fn words_behind_the_component_are_the_guest_s() {
    let folder = Folder::new();
    let app = folder.app(&echo("i32.const 0"));
    let words = [
        "--max-time=1ns",
        "-A",
        "--",
        "--help",
        "run",
        "-V",
        "",
        "ü",
        "a b",
    ];
    let run = Run::new().flag("--no-cache").component(&app).args(words);
    let expected = format!("app.wasm\n{}\n", words.join("\n"));
    run.output().code(0).stdout(&expected).quiet();
}

#[test]
fn the_word_run_may_stand_before_or_among_the_options() {
    let folder = Folder::new();
    let app = folder.app(&echo("i32.const 0"));
    folder.file("run", std::fs::read(&app).unwrap());
    for (words, expected) in [
        ("run --no-cache app.wasm run", "app.wasm\nrun\n"),
        ("--no-cache run app.wasm -A", "app.wasm\n-A\n"),
        ("--env run --no-cache run app.wasm", "app.wasm\n"),
        ("--no-cache ./run x", "run\nx\n"),
        ("--no-cache run run compile", "run\ncompile\n"),
        ("--no-cache -- app.wasm -- x", "app.wasm\n--\nx\n"),
    ] {
        let run = Run::new().directory(folder.path());
        let output = run.args(words.split_whitespace()).output();
        output.code(0).stdout(expected).quiet();
    }
}

#[test]
fn help_is_short_or_long_and_both_go_to_standard_output() {
    let short = Run::new().flag("-h").output();
    short.code(0).quiet();
    let long = Run::new().flag("--help").output();
    long.code(0).quiet();
    for text in [
        "Permissions:",
        "Limits:",
        "Other:",
        "--allow-net",
        "--max-cpu-time",
        "compile",
    ] {
        assert!(short.stdout.contains(text), "{text}: {}", short.stdout);
        assert!(long.stdout.contains(text), "{text}: {}", long.stdout);
    }
    for text in ["Examples:", "Exit codes:", "124", "134", "130"] {
        assert!(long.stdout.contains(text), "{text}: {}", long.stdout);
    }
    assert!(short.stdout.lines().count() < 40, "{}", short.stdout);
    for words in [&["help"][..], &["run", "--help"], &["--no-cache", "help"]] {
        Run::new().args(words).output().code(0).stdout(&long.stdout);
    }
    let compile = Run::new().args(["compile", "--help"]).output();
    compile.code(0).quiet();
    assert!(
        compile.stdout.contains("--output <OUT>"),
        "{}",
        compile.stdout
    );
    let help = Run::new().args(["help", "compile"]).output();
    help.code(0).stdout(&compile.stdout);
}

#[test]
fn the_version_is_told() {
    let version = concat!("curio-host ", env!("CARGO_PKG_VERSION"), "\n");
    for words in [&["--version"][..], &["-V"], &["run", "-V"]] {
        Run::new().args(words).output().code(0).stdout(version);
    }
}

#[test]
fn a_permissions_file_and_options_add_up() {
    let folder = Folder::new();
    let app = folder.app(&program("i32.const 0"));
    let file = folder.file("app.toml", "allow-net = ['example.com']\nenv = ['A=1']\n");
    let run = Run::new()
        .flag("--no-cache")
        .flag("--permissions")
        .flag(&file);
    let run = run.flag("--dir").flag(folder.path()).flag("--env=B=2");
    run.component(&app).output().code(0).quiet();
}

#[test]
fn output_comes_while_the_guest_runs_and_ends_with_the_pipe() {
    let folder = Folder::new();
    let app = folder.app(&echo(LOOP));
    let mut running = Run::new().flag("--no-cache").component(&app).spawn();
    assert_eq!(running.line(), "app.wasm");
    running.write("nobody reads this\n");
    running.signal(Signal::SIGTERM);
    running.wait().code(143).stdout("app.wasm\n").quiet();
}
