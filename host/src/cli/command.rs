//! Which command is meant: the first word that is no option names it, or is a component to run.
//!
//! clap could tell subcommands apart, but not let `run`'s options come before the word `run`, nor
//! report a mistake in them as one of `run`'s.

use std::ffi::OsString;

use clap::{ArgAction, CommandFactory};

use super::args::RunArgs;

/// A command of the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Runs a component: what is meant if nothing else is said.
    Run,
    /// Compiles one.
    Compile,
    /// Does jobs for another process of this program, which alone starts it so.
    ProcessWorker,
}

/// The word for [`Command::ProcessWorker`]. It stands directly behind the program's name.
pub(super) const PROCESS_WORKER: &str = "process-worker";

/// Finds the command, and takes its word out of the others.
/// `help` becomes the option that it stands for.
pub(super) fn find(mut words: Vec<OsString>) -> (Command, Vec<OsString>) {
    if words.get(1).is_some_and(|word| word == PROCESS_WORKER) {
        words.remove(1);
        return (Command::ProcessWorker, words);
    }
    let Some(at) = first_word(&words) else {
        return (Command::Run, words);
    };
    match words[at].to_str() {
        Some("run") => {
            words.remove(at);
            (Command::Run, words)
        }
        Some("compile") => {
            words.remove(at);
            (Command::Compile, words)
        }
        Some("help") => {
            let (command, mut words) = match words.get(at + 1).and_then(|word| word.to_str()) {
                Some("compile") => (Command::Compile, words),
                _ => (Command::Run, words),
            };
            words.truncate(at);
            words.push("--help".into());
            (command, words)
        }
        _ => (Command::Run, words),
    }
}

/// Where the first word is that is neither an option nor an option's value.
fn first_word(words: &[OsString]) -> Option<usize> {
    let command = RunArgs::command();
    let takes_value = |option: &str| {
        command
            .get_arguments()
            .filter(|arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append))
            .any(|arg| arg.get_long() == Some(option))
    };
    let mut at = 1;
    loop {
        // What is not UTF-8 is no option of ours.
        let word = words.get(at)?.to_str().unwrap_or_default();
        at += match word.strip_prefix("--") {
            // Behind this, not even a command's name is one.
            Some("") => return None,
            Some(option) if takes_value(option) => 2,
            Some(_) => 1,
            None if word.len() > 1 && word.starts_with('-') => 1,
            None => return Some(at),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_first_word_names_the_command_or_a_component() {
        for (line, command, rest) in [
            ("x", Command::Run, "x"),
            ("x app.wasm run", Command::Run, "x app.wasm run"),
            ("x run app.wasm", Command::Run, "x app.wasm"),
            ("x run run", Command::Run, "x run"),
            ("x ./run", Command::Run, "x ./run"),
            ("x -A --env A run b", Command::Run, "x -A --env A b"),
            ("x --env run b", Command::Run, "x --env run b"),
            ("x --env=A compile b", Command::Compile, "x --env=A b"),
            ("x -- compile", Command::Run, "x -- compile"),
            ("x --no-cache --", Command::Run, "x --no-cache --"),
            ("x --env", Command::Run, "x --env"),
            ("x compile run", Command::Compile, "x run"),
            ("x - run", Command::Run, "x - run"),
            ("x process-worker -q", Command::ProcessWorker, "x -q"),
            ("x -q process-worker", Command::Run, "x -q process-worker"),
            ("x help", Command::Run, "x --help"),
            ("x help compile", Command::Compile, "x --help"),
        ] {
            assert_eq!(find(split(line)), (command, split(rest)), "{line}");
        }
    }
}
