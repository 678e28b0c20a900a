//! What is wrong with the words of a command line, on one line; and the help, if that is asked for.

use clap::error::{ContextKind, ErrorKind};

use super::command::Command;
use super::failure::Failure;

/// Answers what clap made of the words: help and version go to standard output.
///
/// # Errors
/// If it made no sense of them.
pub(super) fn answer(command: Command, error: &clap::Error) -> Result<u8, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Whoever closed the pipe has read enough.
            drop(error.print());
            Ok(0)
        }
        _ => Err(Failure::Usage(describe(command, error))),
    }
}

/// What is said if there is no component among the words.
pub(super) fn no_component(command: Command) -> Failure {
    let example = match command {
        Command::Run | Command::ProcessWorker => "curio-host app.wasm",
        Command::Compile => "curio-host compile app.wasm",
    };
    Failure::Usage(format!(
        "no component is given; for example {example}, or see {}",
        help(command)
    ))
}

fn describe(command: Command, error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let arg = context(ContextKind::InvalidArg).unwrap_or_default();
    let help = help(command);
    match error.kind() {
        ErrorKind::UnknownArgument if arg.starts_with('-') => {
            match context(ContextKind::SuggestedArg) {
                Some(suggested) => format!("unknown option {arg}; did you mean {suggested}?"),
                None => format!("unknown option {arg}; see {help}"),
            }
        }
        ErrorKind::UnknownArgument => format!("{arg:?} is one word too many; see {help}"),
        ErrorKind::MissingRequiredArgument => no_component(command).to_string(),
        ErrorKind::InvalidValue if is_empty(error) => {
            format!("{arg} needs a value; see {help}")
        }
        ErrorKind::ArgumentConflict => match context(ContextKind::PriorArg) {
            Some(prior) if prior == arg => format!("{arg} is given twice; leave one out"),
            Some(prior) => format!("{arg} and {prior} contradict each other; leave one out"),
            None => format!("{arg} contradicts another option; leave one out"),
        },
        ErrorKind::TooManyValues => format!("{arg} takes no value; see {help}"),
        ErrorKind::InvalidUtf8 => {
            format!("an option's value is not UTF-8; see {help}")
        }
        _ => {
            let text = error.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            let text = text.split("\n\n").next().unwrap_or_default();
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{line}; see {help}")
        }
    }
}

/// Whether an option stands without the value it needs.
fn is_empty(error: &clap::Error) -> bool {
    let value = error.get(ContextKind::InvalidValue);
    value.is_none_or(|value| value.to_string().is_empty())
}

fn help(command: Command) -> &'static str {
    match command {
        Command::Run | Command::ProcessWorker => "curio-host --help",
        Command::Compile => "curio-host compile --help",
    }
}
