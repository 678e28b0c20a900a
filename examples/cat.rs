//! Writes files to standard output, one after the other; `-`, or no argument at all, is standard input.
//!
//!     cargo build --release --target wasm32-wasip2 -p curio-examples
//!     curio-host --dir=. target/wasm32-wasip2/release/cat.wasm README.md

use curio::file::File;
use curio::io::{stderr, stdin, stdout};

const BLOCK: usize = 64 * 1024;

async fn cat(path: &str) -> curio::Result<()> {
    let (input, output) = (stdin(), stdout());
    let file = match path {
        "-" => None,
        path => Some(File::open(path).await?),
    };
    loop {
        let block = match &file {
            Some(file) => file.read(BLOCK).await?,
            None => input.read(BLOCK).await?,
        };
        if block.is_empty() {
            return Ok(());
        }
        output.write_all(&block).await?;
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
