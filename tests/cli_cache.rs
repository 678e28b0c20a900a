//! Compiled code: the cache, and files that `compile` writes.

use std::path::Path;

use crate::harness::components::{Folder, program};
use crate::harness::{Output, Run};

fn files_below(path: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

fn compile(words: &[&str], folder: &Folder) -> Output {
    let run = Run::new().directory(folder.path());
    run.flag("compile").args(words).output()
}

#[test]
fn compiled_code_is_kept_where_the_options_say() {
    let folder = Folder::new();
    let app = folder.app(&program("i32.const 0"));
    let home = folder.path().join("home");
    let cache = folder.path().join("cache");
    let run = || Run::new().variable("XDG_CACHE_HOME", &home);

    run()
        .flag("--no-cache")
        .component(&app)
        .output()
        .code(0)
        .quiet();
    assert_eq!(files_below(&home), 0);
    run()
        .flag("--cache-dir")
        .flag(&cache)
        .component(&app)
        .output()
        .code(0)
        .quiet();
    assert_eq!(files_below(&home), 0);
    let kept = files_below(&cache);
    assert_ne!(kept, 0);
    run()
        .flag("--cache-dir")
        .flag(&cache)
        .component(&app)
        .output()
        .code(0)
        .quiet();
    assert!(files_below(&cache) >= kept);
    run().component(&app).output().code(0).quiet();
    assert_ne!(files_below(&home.join("curio-host")), 0);
}

#[test]
fn a_cache_that_can_t_be_used_is_no_obstacle() {
    let folder = Folder::new();
    let app = folder.app(&program("i32.const 1"));
    let cache = folder.file("cache", "a file");
    let run = || Run::new().flag("--cache-dir").flag(&cache);
    run()
        .component(&app)
        .output()
        .code(1)
        .stderr_has(&["WARN", "not cached"]);
    run().flag("-q").component(&app).output().code(1).quiet();
    run()
        .flag("--log=error")
        .component(&app)
        .output()
        .code(1)
        .quiet();
    run()
        .variable("CURIO_LOG", "off")
        .component(&app)
        .output()
        .code(1)
        .quiet();
}

#[test]
fn a_compiled_component_runs_if_that_is_allowed() {
    let folder = Folder::new();
    let app = folder.app(&program("i32.const 1"));
    compile(&["app.wasm"], &folder).code(0).stdout("").quiet();
    compile(&["-o", "other", "app.wasm"], &folder)
        .code(0)
        .stdout("")
        .quiet();
    for name in ["app.cwasm", "other"] {
        let compiled = folder.path().join(name);
        let run = Run::new().component(&compiled);
        run.output()
            .complains(1, &[name, "compiled code", "--allow-precompiled"]);
        let run = Run::new().flag("--allow-precompiled").component(&compiled);
        run.output().code(1).quiet();
    }
    // It is allowed, not demanded.
    let run = Run::new().flag("--no-cache").flag("--allow-precompiled");
    run.component(&app).output().code(1).quiet();
}

#[test]
fn compiled_code_takes_the_place_of_a_file_at_once() {
    let folder = Folder::new();
    folder.app(&program("i32.const 1"));
    let output = folder.path().join("output");
    std::fs::write(&output, "old").unwrap();
    // Whoever has the old file open keeps it.
    let mut old = std::fs::File::open(&output).unwrap();
    std::os::unix::fs::symlink("output", folder.path().join("link")).unwrap();
    compile(&["-o", "link", "app.wasm"], &folder).code(0);
    assert_eq!(std::io::read_to_string(&mut old).unwrap(), "old");
    assert!(std::fs::read(&output).unwrap().starts_with(b"\x7fELF"));
    compile(&["-o", "missing/output", "app.wasm"], &folder).code(1);
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["app.wasm", "link", "output"],
        "nothing is left beside"
    );
    // What is no file is written to.
    let piped = compile(&["-o", "/dev/null", "app.wasm"], &folder);
    piped.code(0).quiet();
}

#[test]
fn compiled_code_of_another_make_is_refused() {
    let folder = Folder::new();
    folder.app(&program("i32.const 0"));
    compile(&["app.wasm"], &folder).code(0);
    let good = std::fs::read(folder.path().join("app.cwasm")).unwrap();
    // wasmtime writes its version where it also says what the code was compiled for.
    let at = good.windows(2).position(|window| window == b"48").unwrap();
    let mut other = good.clone();
    other[at + 1] = b'7';
    let mut flipped = good.clone();
    flipped[40] ^= 0xff;
    for (name, bytes) in [
        ("other.cwasm", &other[..]),
        ("flipped.cwasm", &flipped),
        ("half.cwasm", &good[..good.len() / 2]),
        ("header.cwasm", &good[..64]),
        ("short.cwasm", b"\x7fELF"),
        (
            "garbage.cwasm",
            b"\x7fELF and so on, but not what an ELF file goes on with at all, ever.",
        ),
    ] {
        let path = folder.file(name, bytes);
        let run = Run::new().flag("--allow-precompiled").component(path);
        run.output()
            .complains(1, &[name, "compile the component again"]);
    }
}

#[test]
fn compile_overwrites_no_component_and_takes_none_that_is_wrong() {
    let folder = Folder::new();
    let bytes = std::fs::read(folder.app(&program("i32.const 0"))).unwrap();
    folder.file("app.cwasm", &bytes);
    folder.file("text", "no wasm");
    let overwritten = ["app.cwasm", "overwritten", "-o"];
    compile(&["app.cwasm"], &folder).complains(2, &overwritten);
    compile(&["-o", "./app.cwasm", "app.cwasm"], &folder).complains(2, &overwritten);
    compile(&["text"], &folder).complains(1, &["text", "not WebAssembly"]);
    compile(&["none.wasm"], &folder).complains(1, &["none.wasm", "no such file"]);
    compile(&["-o", "no/where", "app.wasm"], &folder).complains(1, &["no/where", "no such"]);
    compile(&[], &folder).complains(2, &["no component", "curio-host compile app.wasm"]);
    compile(&["a", "b"], &folder).complains(2, &["\"b\"", "one word too many"]);
    compile(&["--outptu=x", "a"], &folder).complains(2, &["--outptu", "--output"]);
}
