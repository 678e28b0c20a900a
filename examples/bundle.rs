//! Computes the SHA-256 of every file below a directory, several at a time in processes of their own, and prints them as
//! `sha256sum` does. A bar on standard error shows how far it is.
//!
//! ```text
//! curio-host --dir=.::.::ro bundle.wasm docs
//! ```
#![expect(clippy::print_stdout, reason = "it is what the program is for")]
#![expect(clippy::print_stderr, reason = "the bar is not for pipes")]

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use curio::{Error, Result, Wait, run_in_process, run_in_thread, task_group};
use sha2::{Digest, Sha256};

/// How wide the bar is.
const WIDTH: usize = 40;

/// How much of a file is read at once.
const BLOCK: usize = 256 * 1024;

/// What is known of a file.
type Sum = (String, u64);

/// The files below a directory, and how long each is. Links are left out.
fn list(folder: PathBuf) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push((entry.path(), entry.metadata()?.len()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The checksum of a file, and how long it is. This runs in a process of its own, where it may block as it likes.
fn checksum(path: &Path) -> io::Result<Sum> {
    let mut file = File::open(path)?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        length += read as u64;
    }
    let mut digits = String::new();
    for byte in hash.finalize() {
        write!(digits, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok((digits, length))
}

/// A job's error is told as text, with what it is about.
fn told(path: &Path, error: &io::Error) -> Error {
    Error::other(format!("{}: {error}", path.display()))
}

fn show(done: u64, total: u64) {
    let filled = usize::try_from(done * WIDTH as u64 / total.max(1)).unwrap_or(WIDTH);
    let filled = filled.min(WIDTH);
    eprint!(
        "\r[{}{}] {done} of {total} bytes",
        "#".repeat(filled),
        " ".repeat(WIDTH - filled)
    );
}

#[curio::main]
async fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let files = run_in_thread(
        |folder: PathBuf| list(folder.clone()).map_err(|error| told(&folder, &error)),
        folder,
    )
    .await?;
    let total = files.iter().map(|(_, length)| length).sum();
    let mut sums = vec![String::new(); files.len()];
    task_group(Wait::All, async |group| {
        for (number, (path, _)) in files.iter().enumerate() {
            let path = path.clone();
            group.spawn(async move {
                let sum = |path: PathBuf| checksum(&path).map_err(|error| told(&path, &error));
                Ok((number, run_in_process(sum, path).await?))
            });
        }
        let mut done = 0;
        show(done, total);
        while let Some(task) = group.next_done().await? {
            let (number, (sum, length)) = task.result()?;
            sums[number] = sum;
            done += length;
            show(done, total);
        }
        eprintln!();
        Ok(())
    })
    .await?;
    for (sum, (path, _)) in sums.iter().zip(&files) {
        println!("{sum}  {}", path.display());
    }
    Ok(())
}
