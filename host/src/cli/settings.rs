//! From what was typed to what the library takes.

use std::ffi::OsString;
use std::path::Path;

use super::args::{LimitArgs, OtherArgs, PermissionArgs};
use super::failure::Failure;
use crate::Error;
use crate::limits::{
    InvalidLimit, Limits, parse_count, parse_count_or_none, parse_duration, parse_size,
};
use crate::loader::{Cache, EngineOptions};
use crate::permissions::{InvalidPermission, Permissions};
use crate::regular_file::{self, MAX_PERMISSIONS};

/// What the guest may do.
///
/// # Errors
/// If an option or a file makes no sense, or a file can't be read.
pub(super) fn permissions(args: &PermissionArgs) -> Result<Permissions, Failure> {
    let mut permissions = Permissions::none();
    for path in &args.permissions {
        extend_from_file(&mut permissions, path)?;
    }
    let wrong = |error: InvalidPermission| Failure::Usage(error.to_string());
    for spec in &args.allow_net {
        permissions.allow_net(spec).map_err(wrong)?;
    }
    for spec in &args.allow_listen {
        permissions.allow_listen(spec).map_err(wrong)?;
    }
    for spec in &args.allow_run {
        permissions.allow_run(spec).map_err(wrong)?;
    }
    for spec in &args.dir {
        permissions.allow_dir(spec).map_err(wrong)?;
    }
    for spec in &args.env {
        permissions.allow_env(spec).map_err(wrong)?;
    }
    for spec in &args.run_env {
        permissions.allow_run_env(spec).map_err(wrong)?;
    }
    for spec in &args.tls_identity {
        permissions.allow_tls_identity(spec).map_err(wrong)?;
    }
    for spec in &args.allow_signal {
        permissions.allow_signal(spec).map_err(wrong)?;
    }
    if args.inherit_sockets {
        permissions.allow_inherited_sockets();
    }
    if args.allow_all {
        permissions.allow_all();
    }
    Ok(permissions)
}

fn extend_from_file(permissions: &mut Permissions, path: &Path) -> Result<(), Failure> {
    let wrong =
        |problem: &str| Failure::Usage(format!("--permissions {}: {problem}", path.display()));
    let bytes = regular_file::read(path, MAX_PERMISSIONS).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let text = str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8 text; give a TOML file"))?;
    permissions.extend_from_toml(text).map_err(|error| {
        let error = error.to_string();
        wrong(error.strip_prefix("--permissions: ").unwrap_or(&error))
    })?;
    Ok(())
}

/// What the guest may use.
///
/// # Errors
/// If an option makes no sense.
pub(super) fn limits(args: &LimitArgs) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    if let Some(size) = limit("--max-memory", args.memory.as_deref(), parse_size)? {
        limits = limits.with_memory(size);
    }
    if let Some(count) = limit("--max-tasks", args.tasks.as_deref(), parse_count)? {
        limits = limits.with_tasks(count);
    }
    if let Some(count) = limit("--max-handles", args.handles.as_deref(), parse_count)? {
        limits = limits.with_handles(count);
    }
    if let Some(count) = limit(
        "--max-threads",
        args.threads.as_deref(),
        parse_count_or_none,
    )? {
        limits = limits.with_threads(count);
    }
    if let Some(count) = limit(
        "--max-processes",
        args.processes.as_deref(),
        parse_count_or_none,
    )? {
        limits = limits.with_processes(count);
    }
    let time = limit("--max-time", args.time.as_deref(), parse_duration)?;
    let cpu_time = limit("--max-cpu-time", args.cpu_time.as_deref(), parse_duration)?;
    Ok(limits.with_time(time).with_cpu_time(cpu_time))
}

fn limit<T>(
    flag: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, InvalidLimit>,
) -> Result<Option<T>, Failure> {
    let parsed = text.map(parse).transpose();
    parsed.map_err(|error| Failure::Usage(format!("{flag}: {error}")))
}

/// How the engine is set up.
pub(super) fn engine(args: &OtherArgs) -> EngineOptions {
    let cache = match &args.cache_dir {
        Some(directory) => Cache::Directory(directory.clone()),
        None if args.no_cache => Cache::Off,
        None => Cache::User,
    };
    EngineOptions { cache, pool: None }
}

/// The guest's arguments: by custom, its own name first.
///
/// # Errors
/// If one can't be given to a guest.
pub(super) fn arguments(name: &str, args: &[OsString]) -> Result<Vec<String>, Failure> {
    let args = args.iter().map(|arg| {
        let text = arg.to_str().map(str::to_owned);
        text.ok_or_else(|| {
            let arg = arg.display();
            Failure::Usage(format!(
                "the argument \"{arg}\" is not UTF-8, which is all a guest can be given"
            ))
        })
    });
    std::iter::once(Ok(name.to_owned())).chain(args).collect()
}
