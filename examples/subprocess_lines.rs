//! Runs a program and writes what it says, line by line, as it comes, with the seconds since the start.
//!
//!     cargo build --release --target wasm32-wasip2 -p curio-examples
//!     curio-host --allow-run=ping target/wasm32-wasip2/release/subprocess_lines.wasm ping -c 3 localhost
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::ExitCode;

use curio::Result;
use curio::subprocess::{Command, Stdio};

async fn lines(program: &str, args: &[String]) -> Result<bool> {
    let begun = curio::clock();
    let command = Command::new(program).args(args);
    let mut child = command
        .stdout(Stdio::pipe())
        .stderr(Stdio::stdout())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.as_mut().expect("it is a pipe");
    let mut lines = stdout.lines();
    while let Some(line) = lines.next().await {
        let seconds = (curio::clock() - begun).as_secs_f64();
        let line = line?;
        println!("{seconds:7.3} {}", line.trim_ascii_end().escape_ascii());
    }
    let status = child.wait().await?;
    println!("{program}: {status}");
    Ok(status.success())
}

#[curio::main]
async fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((program, args)) = words.split_first() else {
        return Err(curio::Error::other("give a program and its arguments"));
    };
    Ok(ExitCode::from(u8::from(!lines(program, args).await?)))
}
