//! Writes files to standard output, one after the other; `-`, or no argument at all, is standard input.
//!
//!     cargo build --release --target wasm32-wasip2 -p curio-examples
//!     curio-host --dir=. target/wasm32-wasip2/release/cat.wasm README.md

use curio::aopen;
use curio::io::{RawIo, Stream, stderr, stdin, stdout};

const BLOCK: usize = 256 * 1024;

async fn copy(mut input: Stream<impl RawIo>) -> curio::Result<()> {
    loop {
        let block = input.read(BLOCK).await?;
        if block.is_empty() {
            return Ok(());
        }
        stdout().write_all(&block).await?;
    }
}

async fn cat(path: &str) -> curio::Result<()> {
    match path {
        "-" => copy(stdin().into_stream()).await,
        path => copy(aopen(path, "r").await?).await,
    }
}

#[curio::main]
async fn main() -> curio::Result<()> {
    let mut paths: Vec<_> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    let mut failed = false;
    for path in paths {
        if let Err(error) = cat(&path).await {
            let line = format!("cat: {path}: {error}\n");
            stderr().write_all(line.as_bytes()).await?;
            failed = true;
        }
    }
    stdout().flush().await?;
    std::process::exit(i32::from(failed))
}
