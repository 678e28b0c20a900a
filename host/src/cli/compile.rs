//! `compile`: writes a component's native code to a file.

use std::path::{Path, PathBuf};

use super::args::CompileArgs;
use super::failure::Failure;
use crate::Error;
use crate::loader::{Cache, Component, Engine, EngineOptions};

/// Compiles a component, and returns the status to exit with.
///
/// # Errors
/// If it is no component, or a file can't be read or written.
pub(super) fn run(args: &CompileArgs) -> Result<u8, Failure> {
    let output = output(args)?;
    let engine = Engine::new(&EngineOptions {
        cache: Cache::Off,
        pool: None,
    })?;
    let code = Component::compile(&engine, &args.component)?;
    write(&output, &code)?;
    Ok(0)
}

/// Where the code goes: never over what it is made from.
fn output(args: &CompileArgs) -> Result<PathBuf, Failure> {
    let component = &args.component;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => component.with_extension("cwasm"),
    };
    if is_same(&output, component) {
        return Err(Failure::Usage(format!(
            "{} would be overwritten; name another file with -o",
            component.display()
        )));
    }
    Ok(output)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[expect(clippy::disallowed_methods, reason = "the operator names the file")]
fn write(path: &Path, code: &[u8]) -> Result<(), Error> {
    std::fs::write(path, code).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}
