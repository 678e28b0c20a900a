//! Workers on an embedder's host.

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Options, Pool, Stdio, WorkerProgram,
};

use crate::harness::guests;

/// Runs the probe; `place` says whether it is to have worker processes.
fn run(place: &str, worker_program: Option<WorkerProgram>, pool: Option<Pool>) {
    let options = EngineOptions {
        cache: Cache::Directory(guests::cache()),
        pool,
    };
    let engine = Engine::new(&options).unwrap();
    let component = Component::load(&engine, guests::path("worker_probe")).unwrap();
    let mut host = Host::new(&engine).unwrap();
    let options = Options {
        args: ["worker_probe", "embedded", place]
            .map(str::to_owned)
            .into(),
        stdio: Stdio::Null,
        worker_program,
        ..Options::default()
    };
    let probe = host.start(&component, options).unwrap();
    assert_eq!(host.run(probe).unwrap(), Exit::Code(0));
}

fn program() -> WorkerProgram {
    let host = env!("CARGO_BIN_EXE_curio-host");
    WorkerProgram::new(host, ["process-worker"])
}

#[test]
fn an_embedder_says_what_worker_processes_run() {
    run("thread", None, None);
    run("process", Some(program()), None);
}

#[test]
fn workers_are_from_the_pool_as_well() {
    let pool = Pool {
        instances: 10,
        memory: 64 << 20,
    };
    run("process", Some(program()), Some(pool));
}
