//! Tiny components, written as text. Real programs are built elsewhere.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of files for one test. It vanishes with this.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("the system has a folder for temporary files"))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path
    }

    /// Compiles a component's text to `app.wasm`, and gives its path.
    pub(crate) fn app(&self, text: &str) -> PathBuf {
        self.file("app.wasm", wasm(text))
    }
}

/// Compiles the text of a component or module.
pub(crate) fn wasm(text: &str) -> Vec<u8> {
    match wat::parse_str(text) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{error}"),
    }
}

/// A program whose main function has this body: instructions that leave 0 for success or 1.
/// It has one page of memory, and may call itself as `$main`.
pub(crate) fn program(body: &str) -> String {
    format!(
        r#"(component
            (core module $app
                (memory 1)
                (func $main (export "run") (result i32) {body}))
            (core instance $app (instantiate $app))
            (func $run (result (result)) (canon lift (core func $app "run")))
            (instance $exports (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $exports)))"#
    )
}

/// Runs until it is ended.
pub(crate) const LOOP: &str = "(loop (br 0)) unreachable";

/// A program that writes its arguments, a line each, and then does what `body` says,
/// as for [`program`].
pub(crate) fn echo(body: &str) -> String {
    ECHO.replace("BODY", body)
}

const ECHO: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
    (alias export $io-error "error" (type $error))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $stream (sub resource)))
        (alias outer 1 $error (type $outer))
        (export "error" (type $error (eq $outer)))
        (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failure)))
        (export "[method]output-stream.blocking-write-and-flush" (func
            (param "self" (borrow $stream)) (param "contents" (list u8))
            (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $stream (type $outer))
        (export "output-stream" (type $stream (eq $outer)))
        (export "get-stdout" (func (result (own $stream))))))
    (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-arguments" (func (result (list string))))))

    (core module $memory
        (memory (export "memory") 2)
        (global $free (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.get $free)
            (global.set $free (i32.add (global.get $free) (local.get 3)))))
    (core instance $memory (instantiate $memory))

    (core func $get-stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower
        (func $streams "[method]output-stream.blocking-write-and-flush")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core func $get-arguments (canon lower (func $environment "get-arguments")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))

    (core module $app
        (import "host" "memory" (memory 2))
        (import "host" "get-stdout" (func $get-stdout (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (import "host" "get-arguments" (func $get-arguments (param i32)))
        (func $main (export "run") (result i32)
            (local $stdout i32) (local $at i32) (local $end i32)
            (local.set $stdout (call $get-stdout))
            (i32.store8 (i32.const 64) (i32.const 10))
            (call $get-arguments (i32.const 0))
            (local.set $at (i32.load (i32.const 0)))
            (local.set $end (i32.add (local.get $at)
                (i32.mul (i32.load (i32.const 4)) (i32.const 8))))
            (block $done (loop $each
                (br_if $done (i32.eq (local.get $at) (local.get $end)))
                (call $write (local.get $stdout) (i32.load (local.get $at))
                    (i32.load offset=4 (local.get $at)) (i32.const 16))
                (call $write (local.get $stdout) (i32.const 64) (i32.const 1) (i32.const 16))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br $each)))
            BODY))
    (core instance $app (instantiate $app (with "host" (instance
        (export "memory" (memory $memory "memory"))
        (export "get-stdout" (func $get-stdout))
        (export "write" (func $write))
        (export "get-arguments" (func $get-arguments))))))
    (func $run (result (result)) (canon lift (core func $app "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $exports)))"#;
