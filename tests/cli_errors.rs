//! What is said of bad input: one line that names the thing and says what to do.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::harness::components::{Folder, program, wasm};
use crate::harness::{Output, Run};

fn run(words: &[&str], folder: &Folder) -> Output {
    let run = Run::new().directory(folder.path()).flag("--no-cache");
    run.args(words).output()
}

#[test]
fn files_that_are_no_components() {
    let folder = Folder::new();
    let good = wasm(&program("i32.const 0"));
    let target = "wasm32-wasip2";
    for (name, content, texts) in [
        ("empty.wasm", Vec::new(), &["empty"][..]),
        (
            "text.wasm",
            b"#!/bin/sh\n".to_vec(),
            &["not WebAssembly", target],
        ),
        ("short.wasm", b"\0asm".to_vec(), &["cut off"]),
        (
            "layer.wasm",
            b"\0asm\x0d\0\x02\0".to_vec(),
            &["no WebAssembly that this host knows"],
        ),
        ("half.wasm", good[..good.len() / 2].to_vec(), &["cut off"]),
        ("module.wasm", wasm("(module)"), &["core module", target]),
        (
            "nothing.wasm",
            wasm("(component)"),
            &["no program", "wasi:cli/run"],
        ),
        (
            "elf.cwasm",
            b"\x7fELF".to_vec(),
            &["compiled code", "--allow-precompiled"],
        ),
    ] {
        folder.file(name, content);
        run(&[name], &folder)
            .complains(1, texts)
            .stderr_has(&[name]);
    }
}

#[test]
fn files_that_can_t_be_read() {
    let folder = Folder::new();
    folder.file("file", "");
    run(&["none.wasm"], &folder).complains(1, &["none.wasm", "no such file"]);
    run(&["file/app.wasm"], &folder).complains(1, &["file/app.wasm", "no directory"]);
    run(&["."], &folder).complains(1, &["curio-host: .: ", "this is a directory"]);
    // A device without an end is not read to the end.
    run(&["/dev/zero"], &folder).complains(1, &["/dev/zero", "not WebAssembly"]);
    run(&["a\nb\u{1b}[2J"], &folder).complains(1, &["a\\nb\\u{1b}[2J"]);
}

#[test]
fn imports_that_nobody_has() {
    let folder = Folder::new();
    for (name, import, texts) in [
        (
            "unknown.wasm",
            r#"(import "acme:things/frob" (instance (export "do" (func))))"#,
            &["unknown.wasm: acme:things/frob is imported", "`do`"][..],
        ),
        (
            "version.wasm",
            r#"(import "curio:kernel/log@9.0.0" (instance (export "write" (func))))"#,
            &[
                "version.wasm: curio:kernel/log@9.0.0 is imported",
                "`write`",
            ],
        ),
        (
            "type.wasm",
            r#"(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "a" s64)))))"#,
            &["type.wasm: wasi:cli/exit@0.2.0 is imported", "`exit`"],
        ),
        (
            "function.wasm",
            r#"(import "frob" (func))"#,
            &["function.wasm: frob is imported"],
        ),
    ] {
        folder.file(name, wasm(&format!("(component {import})")));
        run(&[name], &folder).complains(1, texts);
    }
}

#[test]
fn words_that_make_no_sense() {
    let folder = Folder::new();
    folder.app(&program("i32.const 0"));
    for (words, texts) in [
        (&[][..], &["no component", "curio-host app.wasm"][..]),
        (&["--"], &["no component"]),
        (&["", "x"], &["no component"]),
        (&["run"], &["no component"]),
        (
            &["--allow-nett=x", "app.wasm"],
            &["--allow-nett", "did you mean --allow-net?"],
        ),
        (&["--frobnicate", "app.wasm"], &["--frobnicate", "--help"]),
        (&["-x", "app.wasm"], &["-x", "--help"]),
        (&["--max-time"], &["--max-time", "value"]),
        (
            &["--allow-all=yes", "app.wasm"],
            &["--allow-all", "no value"],
        ),
        (
            &["--cache-dir=x", "app.wasm"],
            &["--cache-dir", "--no-cache"],
        ),
        (
            &["--max-time=1s", "--max-time=2s", "app.wasm"],
            &["--max-time", "twice"],
        ),
        (
            &["--max-memory=lots", "app.wasm"],
            &["--max-memory: \"lots\"", "64MiB"],
        ),
        (&["--max-memory=-1", "app.wasm"], &["--max-memory: \"-1\""]),
        (
            &["--max-time=soon", "app.wasm"],
            &["--max-time: \"soon\"", "250ms"],
        ),
        (
            &["--max-cpu-time=0", "app.wasm"],
            &["--max-cpu-time: \"0\"", "more than zero"],
        ),
        (
            &["--max-tasks=many", "app.wasm"],
            &["--max-tasks: \"many\"", "1000"],
        ),
        (&["--max-handles=", "app.wasm"], &["--max-handles", "1000"]),
        (
            &["--allow-net=http://x", "app.wasm"],
            &["--allow-net: ", "URL"],
        ),
        (
            &["--allow-listen=x:1", "app.wasm"],
            &["--allow-listen: \"x:1\"", "name"],
        ),
        (
            &["--dir=a::b::rx", "app.wasm"],
            &["--dir: \"a::b::rx\"", "ro"],
        ),
        (&["--env==x", "app.wasm"], &["--env: ", "NAME"]),
        (&["--log=a=b=c", "app.wasm"], &["--log: \"a=b=c\"", "warn"]),
    ] {
        run(words, &folder).complains(2, texts);
    }
    let run = Run::new().component("app.wasm").directory(folder.path());
    let words = [OsStr::from_bytes(b"\xff")];
    run.args(words)
        .output()
        .complains(2, &["argument", "UTF-8"]);
}

#[test]
fn directories_and_permissions_that_are_not_there() {
    let folder = Folder::new();
    folder.app(&program("i32.const 0"));
    folder.file("file", "");
    folder.file("bytes", b"\xff");
    folder.file("key.toml", "allow-nte = []\n");
    folder.file("spec.toml", "\ndir = ['::']\n");
    for (words, code, texts) in [
        (
            &["--dir=none", "app.wasm"][..],
            1,
            &["--dir none: ", "no such"][..],
        ),
        (
            &["--dir=file::/data", "app.wasm"],
            1,
            &["--dir file: ", "directory"],
        ),
        (
            &["--permissions=none.toml", "app.wasm"],
            1,
            &["none.toml: ", "no such file"],
        ),
        (
            &["--permissions=.", "app.wasm"],
            1,
            &["this is a directory"],
        ),
        (
            &["--permissions=bytes", "app.wasm"],
            2,
            &["bytes: ", "not UTF-8", "TOML"],
        ),
        (
            &["--permissions=key.toml", "app.wasm"],
            2,
            &["key.toml: line 1", "`allow-nte`"],
        ),
        (
            &["--permissions=spec.toml", "app.wasm"],
            2,
            &["spec.toml: --dir: \"::\""],
        ),
    ] {
        run(words, &folder).complains(code, texts);
    }
}
