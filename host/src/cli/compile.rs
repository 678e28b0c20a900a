//! `compile`: writes a component's native code to a file.

use std::ffi::OsString;
use std::io::{self, Write};
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

/// Writes the code to a file beside, which then takes the name: whoever runs that meanwhile has the old file or the new
/// one, and after a failure the old one. What is no regular file, such as a pipe, is written to as it is.
#[expect(clippy::disallowed_methods, reason = "the operator names the file")]
fn write(path: &Path, code: &[u8]) -> Result<(), Error> {
    let is_other = std::fs::metadata(path).is_ok_and(|known| !known.is_file());
    let written = if is_other {
        std::fs::write(path, code)
    } else {
        replace(path, code)
    };
    written.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[expect(clippy::disallowed_methods, reason = "the operator names the file")]
fn replace(path: &Path, code: &[u8]) -> io::Result<()> {
    // A link stays, and what it leads to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|mut file| file.write_all(code))
        .and_then(|()| std::fs::rename(&beside, &path));
    if written
        .as_ref()
        .is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists)
    {
        drop(std::fs::remove_file(&beside));
    }
    written
}
