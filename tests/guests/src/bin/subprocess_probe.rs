//! Tries to run things, one an argument, and says what comes of each: `PROGRAM ARG ARG`, with `NAME=VALUE` before it for
//! variables and `@DIRECTORY` for where to begin.

use curio::Result;
use curio::subprocess::{Command, Stdio};
use test_guests::say;

async fn attempt(words: &str) -> Result<Vec<u8>> {
    let (mut variables, mut directory) = (Vec::new(), None);
    let mut words = words.split(' ').peekable();
    while let Some(word) = words.next_if(|word| word.contains('=') || word.starts_with('@')) {
        match word.strip_prefix('@') {
            Some(path) => directory = Some(path),
            None => variables.extend(word.split_once('=')),
        }
    }
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(program).args(words).envs(variables);
    if let Some(directory) = directory {
        command = command.current_dir(directory);
    }
    command.stderr(Stdio::null()).check_output().await
}

#[curio::main]
async fn main() -> Result<()> {
    for words in std::env::args().skip(1) {
        match attempt(&words).await {
            Ok(out) => say(&format!("ok {}", out.trim_ascii().escape_ascii())),
            Err(error) => say(&error.to_string()),
        }
    }
    Ok(())
}
