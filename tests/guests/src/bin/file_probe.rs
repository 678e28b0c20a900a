//! As `permission_probe`, with `curio::file` in place of the standard library's files: tries what it is told to, each an
//! argument `attempt=what`, and says on a line each what came of it.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::collections::BTreeSet;

use curio::file::{self, File, OpenOptions};
use curio::{Error, Result};

#[curio::main]
async fn main() {
    for argument in std::env::args().skip(1) {
        let (attempt, what) = argument.split_once('=').unwrap_or((&argument, ""));
        match run(attempt, what).await {
            Ok(found) if found.is_empty() => println!("ok"),
            Ok(found) => println!("ok {found}"),
            Err(Error::Refused(text)) => println!("refused: {text}"),
            Err(Error::Limit(text)) => println!("limit: {text}"),
            Err(Error::Io(error)) => println!("{:?}: {error}", error.kind()),
            Err(error) => println!("{error}"),
        }
    }
}

async fn run(attempt: &str, what: &str) -> Result<String> {
    let new = OpenOptions::new;
    match attempt {
        "read" => return file::read_to_string(what).await,
        "list" => {
            let (mut folder, mut names) = (file::list_dir(what).await?, BTreeSet::new());
            while let Some(entry) = folder.next().await? {
                names.insert(entry.name().to_owned());
            }
            return Ok(names.into_iter().collect::<Vec<_>>().join(" "));
        }
        "stat" => return Ok(file::metadata(what).await?.len().to_string()),
        "lstat" => return Ok(file::symlink_metadata(what).await?.is_symlink().to_string()),
        "readlink" => return Ok(file::read_link(what).await?.display().to_string()),
        "exists" => return Ok(file::exists(what).await?.to_string()),
        "write" => file::write(what, "written").await?,
        "create" => drop(new().write(true).create_new(true).open(what).await?),
        "append" => {
            let file = new().append(true).open(what).await?;
            file.write_all(b"appended").await?;
        }
        "overwrite" => {
            let file = new().write(true).open(what).await?;
            file.write_all(b"X").await?;
        }
        "truncate" => drop(new().write(true).truncate(true).open(what).await?),
        "set-len" => File::open(what).await?.truncate(0).await?,
        "remove" => file::remove_file(what).await?,
        "mkdir" => file::create_dir(what).await?,
        "mkdirs" => file::create_dir_all(what).await?,
        "rmdir" => file::remove_dir(what).await?,
        "rename" => {
            let (from, to) = what.split_once('>').expect("two paths");
            file::rename(from, to).await?;
        }
        "open-many" => return open_many(what).await,
        "race" => return race(what).await,
        _ => panic!("there is no attempt {attempt}"),
    }
    Ok(String::new())
}

/// Opens a file until that fails, and says how often it did not.
async fn open_many(path: &str) -> Result<String> {
    let mut files = Vec::new();
    loop {
        match File::open(path).await {
            Ok(file) => files.push(file),
            Err(Error::Limit(_)) => return Ok(files.len().to_string()),
            Err(error) => return Err(error),
        }
    }
}

/// Reads files while others rename directories, and says all that was in them.
async fn race(paths: &str) -> Result<String> {
    let mut found = BTreeSet::new();
    for _ in 0..300 {
        for path in paths.split(',') {
            found.extend(file::read_to_string(path).await.ok());
            found.extend(std::fs::read_to_string(path).ok());
        }
    }
    Ok(found.into_iter().collect::<Vec<_>>().join(" "))
}
