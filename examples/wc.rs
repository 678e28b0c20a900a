//! Counts lines, words and bytes of files, all at the same time; `-`, or no argument at all, is standard input.
//!
//!     cargo build --release --target wasm32-wasip2 -p curio-examples
//!     curio-host --dir=. target/wasm32-wasip2/release/wc.wasm README.md LICENSE
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use curio::io::{RawIo, Stream, stderr, stdin};
use curio::{aopen, spawn};

const BLOCK: usize = 256 * 1024;

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    lines: usize,
    words: usize,
    bytes: usize,
    /// The last byte belongs to a word.
    in_word: bool,
}

impl Count {
    fn add(&mut self, block: &[u8]) {
        self.bytes += block.len();
        for byte in block {
            let is_space = byte.is_ascii_whitespace() || *byte == 0x0b;
            self.lines += usize::from(*byte == b'\n');
            self.words += usize::from(!is_space && !self.in_word);
            self.in_word = !is_space;
        }
    }

    fn print(self, name: &str) {
        println!("{:7} {:7} {:7} {name}", self.lines, self.words, self.bytes);
    }
}

async fn count_all(mut input: Stream<impl RawIo>) -> curio::Result<Count> {
    let mut count = Count::default();
    loop {
        let block = input.read(BLOCK).await?;
        if block.is_empty() {
            return Ok(count);
        }
        count.add(&block);
    }
}

async fn count(path: String) -> curio::Result<Count> {
    match path.as_str() {
        "-" => count_all(stdin().into_stream()).await,
        path => count_all(aopen(path, "r").await?).await,
    }
}

#[curio::main]
async fn main() -> curio::Result<()> {
    let mut paths: Vec<_> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    let counting: Vec<_> = paths
        .iter()
        .cloned()
        .map(|path| spawn(count(path)))
        .collect();
    let (mut total, mut failed) = (Count::default(), false);
    for (path, task) in paths.iter().zip(&counting) {
        task.wait().await?;
        match task.result() {
            Ok(count) => {
                count.print(path);
                total.lines += count.lines;
                total.words += count.words;
                total.bytes += count.bytes;
            }
            Err(error) => {
                let line = format!("wc: {path}: {error}\n");
                stderr().write_all(line.as_bytes()).await?;
                failed = true;
            }
        }
    }
    if paths.len() > 1 {
        total.print("total");
    }
    std::process::exit(i32::from(failed))
}
