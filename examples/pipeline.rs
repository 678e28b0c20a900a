//! Runs programs, each of which reads what the one before it writes, as a shell does with `|`. Each argument is one of
//! them with its own arguments.
//!
//!     cargo build --release --target wasm32-wasip2 -p curio-examples
//!     curio-host --allow-run=ls,sort,head target/wasm32-wasip2/release/pipeline.wasm 'ls -l' 'sort -rnk5' 'head -n 3'

use curio::subprocess::{Command, Popen, Stdio};
use curio::{Error, Result};

/// Starts them all. What passes between two of them does not come by here.
fn start(commands: &[String]) -> Result<Vec<Popen>> {
    let mut children: Vec<Popen> = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let mut words = command.split_whitespace();
        let program = words.next().unwrap_or_default();
        let mut command = Command::new(program).args(words);
        let before = children.last_mut().and_then(|child| child.stdout.take());
        if let Some(before) = before {
            command = command.stdin(before);
        }
        if index + 1 < commands.len() {
            command = command.stdout(Stdio::pipe());
        }
        children.push(command.kill_on_drop(true).spawn()?);
    }
    Ok(children)
}

#[curio::main]
async fn main() -> Result<()> {
    let commands: Vec<String> = std::env::args().skip(1).collect();
    for child in start(&commands)? {
        let status = child.wait().await?;
        // One that nobody listens to any more has done its part.
        let was_cut_off = status.signal() == Some(13);
        if !status.success() && !was_cut_off {
            let program = &child.args()[0];
            return Err(Error::other(format!("{program}: {status}")));
        }
    }
    Ok(())
}
