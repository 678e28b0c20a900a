//! A process that is confined can load a program that was compiled before, and run it.
#![expect(
    clippy::disallowed_methods,
    reason = "a process of its own is confined, and finds the program in a file"
)]

use std::path::Path;
use std::process::Command;

use nix::unistd::getppid;

use super::{build, *};
use crate::isolation;

/// Says to `confined` where the program is.
const PROGRAM: &str = "CURIO_CONFINED_PROGRAM";

fn engine() -> Engine {
    let options = EngineOptions {
        cache: Cache::Off,
        pool: None,
    };
    Engine::new(&options).unwrap()
}

#[test]
fn a_confined_process_runs_a_program() {
    let guests = build::guests().unwrap_or_else(|stderr| panic!("{stderr}"));
    let compiled = Component::compile(&engine(), guests.join("countdown.wasm")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("countdown.cwasm");
    std::fs::write(&program, compiled).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["host::tests::confined::confined", "--exact", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(PROGRAM, &program)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("T-minus 1") && stdout.contains("1 passed"),
        "{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "confines its process: the other test runs it in one of its own"]
fn confined() {
    let Some(program) = std::env::var_os(PROGRAM) else {
        return;
    };
    let program = Path::new(&program);
    let mut options = Options {
        args: vec!["countdown".to_owned()],
        ..Options::default()
    };
    let folder = program.parent().unwrap().display();
    let permissions = &mut options.permissions;
    permissions
        .allow_dir(&format!("{folder}::/app::ro"))
        .unwrap();
    let begun = isolation::begin(getppid(), &[]).unwrap();
    let report = begun.confine(&options.permissions, &options.limits, false);
    tracing::debug!("{report:?}");

    let engine = engine();
    let component = Component::load_precompiled(&engine, program).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let instance = host.start(&component, options).unwrap();
    assert_eq!(host.run(instance).unwrap(), Exit::Code(0));
}
