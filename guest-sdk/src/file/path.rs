//! What is done with a path.

use std::path::{Path, PathBuf};
use std::sync::Once;

use super::{File, Metadata, OpenOptions};
use crate::bindings::files::{self as kernel, Answer, Operation};
use crate::bindings::types;
use crate::error::{Error, Result};
use crate::traps::wait_for;

/// Tells the standard library where relative paths begin, which it does not ask by itself.
pub(crate) fn enter_initial_directory() {
    static ENTERED: Once = Once::new();

    ENTERED.call_once(|| {
        if let Some(directory) = kernel::initial_directory() {
            // It may have been removed. Then a path in it leads nowhere either.
            drop(std::env::set_current_dir(directory));
        }
    });
}

/// A path as the kernel takes it: as the standard library would take it now.
pub(crate) fn text(path: &Path) -> Result<String> {
    let current = std::env::current_dir().unwrap_or_default();
    // With the slash in front or without, it is the same, unless relative paths began elsewhere.
    let whole = if current == Path::new("/") && kernel::initial_directory().is_none() {
        path.to_owned()
    } else if path.as_os_str().is_empty() {
        PathBuf::new()
    } else {
        current.join(path)
    };
    let text = whole.into_os_string().into_string();
    text.map_err(|path| Error::InvalidArgument(format!("the path {} is not UTF-8", path.display())))
}

/// Waits for the end of an operation.
async fn finish(operation: Result<Operation, types::Error>) -> Result<Answer> {
    let operation = operation?;
    loop {
        match operation.finish() {
            Err(types::Error::WouldBlock) => wait_for(|by| operation.wait(by)).await?,
            result => return Ok(result?),
        }
    }
}

/// Waits for the end of an operation that brings nothing.
async fn done(operation: Result<Operation, types::Error>) -> Result<()> {
    finish(operation).await.map(drop)
}

/// Waits for metadata.
async fn known(operation: Result<Operation, types::Error>) -> Result<Metadata> {
    match finish(operation).await? {
        Answer::Metadata(metadata) => Ok(metadata.into()),
        other => unreachable!("the kernel answers with metadata, not {other:?}"),
    }
}

/// What is known of what a path leads to.
///
/// # Errors
/// [`Error::Refused`] unless a `--dir` covers the path; [`Error::Io`] if nothing is there.
///
/// # Cancellation
/// Nothing is lost.
#[doc(alias = "stat")]
pub async fn metadata(path: impl AsRef<Path>) -> Result<Metadata> {
    known(Operation::metadata(&text(path.as_ref())?, true)).await
}

/// As [`metadata`], but of a symbolic link itself.
///
/// # Errors
/// As [`metadata`].
///
/// # Cancellation
/// Nothing is lost.
#[doc(alias = "lstat")]
pub async fn symlink_metadata(path: impl AsRef<Path>) -> Result<Metadata> {
    known(Operation::metadata(&text(path.as_ref())?, false)).await
}

/// Whether a path leads to something.
///
/// # Errors
/// As [`metadata`], but for nothing being there.
///
/// # Cancellation
/// Nothing is lost.
pub async fn exists(path: impl AsRef<Path>) -> Result<bool> {
    match metadata(path).await {
        Ok(_) => Ok(true),
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a directory.
///
/// # Errors
/// [`Error::Refused`] unless a `--dir` without `::ro` covers the path; [`Error::Io`] if it is there.
///
/// # Cancellation
/// It may be made or not.
#[doc(alias = "mkdir")]
pub async fn create_dir(path: impl AsRef<Path>) -> Result<()> {
    let path = text(path.as_ref())?;
    done(Operation::create_directory(&path, false)).await
}

/// Makes a directory and those above it, as far as they are not there.
///
/// # Errors
/// As [`create_dir`], but it may be there.
///
/// # Cancellation
/// Some of them may be made.
#[doc(alias = "makedirs")]
pub async fn create_dir_all(path: impl AsRef<Path>) -> Result<()> {
    let path = text(path.as_ref())?;
    done(Operation::create_directory(&path, true)).await
}

/// Removes a file, or a symbolic link.
///
/// # Errors
/// [`Error::Refused`] unless a `--dir` without `::ro` covers the path; [`Error::Io`] if it is not there.
///
/// # Cancellation
/// It may be removed or not.
#[doc(alias = "unlink")]
pub async fn remove_file(path: impl AsRef<Path>) -> Result<()> {
    done(Operation::remove_file(&text(path.as_ref())?)).await
}

/// Removes an empty directory.
///
/// # Errors
/// As [`remove_file`]; [`Error::Io`] also if it is not empty.
///
/// # Cancellation
/// It may be removed or not.
#[doc(alias = "rmdir")]
pub async fn remove_dir(path: impl AsRef<Path>) -> Result<()> {
    done(Operation::remove_directory(&text(path.as_ref())?)).await
}

/// Gives something another name, and maybe another directory. What had that name before is replaced.
///
/// # Errors
/// [`Error::Refused`] unless a `--dir` without `::ro` covers each path; [`Error::Io`] if nothing is there, or
/// the other name is on another disk.
///
/// # Cancellation
/// It may be renamed or not.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let (from, to) = (text(from.as_ref())?, text(to.as_ref())?);
    done(Operation::rename(&from, &to)).await
}

/// Where a symbolic link leads.
///
/// # Errors
/// [`Error::Refused`] unless a `--dir` covers the path; [`Error::Io`] if it is no link, or one to an absolute path.
///
/// # Cancellation
/// Nothing is lost.
#[doc(alias = "readlink")]
pub async fn read_link(path: impl AsRef<Path>) -> Result<PathBuf> {
    match finish(Operation::read_link(&text(path.as_ref())?)).await? {
        Answer::Target(target) => Ok(target.into()),
        other => unreachable!("the kernel answers with a target, not {other:?}"),
    }
}

/// The whole of a file.
///
/// # Errors
/// As [`File::open`] and [`File::read`].
///
/// # Cancellation
/// What was read is lost.
#[doc(alias = "read_bytes")]
pub async fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    File::open(path).await?.read_to_end().await
}

/// The whole of a file, as text.
///
/// # Errors
/// As [`read`]; [`Error::Io`] also if it is not UTF-8.
///
/// # Cancellation
/// What was read is lost.
#[doc(alias = "read_text")]
pub async fn read_to_string(path: impl AsRef<Path>) -> Result<String> {
    File::open(path).await?.read_to_string().await
}

/// Makes `data` the whole of a file, which is made if it is not there.
///
/// # Errors
/// As [`File::create`] and [`File::write`].
///
/// # Cancellation
/// A part may be written.
#[doc(alias = "write_bytes")]
pub async fn write(path: impl AsRef<Path>, data: impl AsRef<[u8]>) -> Result<()> {
    let options = OpenOptions::new().write(true).create(true).truncate(true);
    let file = options.open(path).await?;
    file.write_all(data.as_ref()).await?;
    file.close().await
}
