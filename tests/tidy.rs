//! The source as it is written: every file says what it is, none is too long, and in `host/src` imports
//! point only downward, in the order that `host/src/lib.rs` tells; every trap is told to the log.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where the source is.
const FOLDERS: [&str; 5] = ["host", "guest-sdk", "examples", "tests", "benches"];

/// How many lines a file may have.
const MAX_LINES: usize = 400;

/// The rooms of `host/src`, from the top down. Those of one line don't know each other.
const ROOMS: [&[&str]; 10] = [
    &["main", "lib"],
    &["cli"],
    &["host"],
    &["loader"],
    &["traps"],
    &["tls"],
    &[
        "sockets",
        "files",
        "stdio",
        "subprocess",
        "signals",
        "workers",
        "shared",
    ],
    &["background"],
    &["kernel"],
    &["selector", "isolation"],
];

/// What all of them use, and what uses none of them.
const LEAVES: [&str; 6] = [
    "permissions",
    "limits",
    "error",
    "closer",
    "regular_file",
    "printable",
];

/// Files that may know a room above their own, with the reason why.
const EXCEPTIONS: [(&str, &str); 3] = [
    // The traps' other half: made from `wit/`, it names the types that stand for a guest's handles.
    ("host/src/bindings.rs", "traps"),
    // A component's exports are found by what is made from `wit/` as well.
    ("host/src/loader/jobs.rs", "bindings"),
    // What tests wait with moves the clock that tests move.
    ("host/src/selector/simulated.rs", "kernel"),
];

/// The root of the repository.
fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("the package is in a folder of the repository")
}

/// Every source file: its path from the root, and its text.
fn sources() -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|name| root().join(name)).collect();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        // A folder of the list may not be there yet.
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("folders can be read").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source is text");
                let path = path.strip_prefix(root()).expect("it was found there");
                sources.push((path.display().to_string(), text));
            }
        }
    }
    sources.sort();
    assert!(sources.len() > 100, "the source is somewhere else");
    sources
}

/// Fails with all that is wrong, a line each.
#[track_caller]
fn check(wrong: &[String]) {
    let mut text = String::new();
    for line in wrong {
        writeln!(text, "{line}").expect("a string takes everything");
    }
    assert!(wrong.is_empty(), "\n{text}");
}

#[test]
fn every_file_says_what_it_is() {
    let sources = sources().into_iter();
    let silent = sources.filter(|(_, text)| !text.starts_with("//! "));
    let wrong =
        silent.map(|(path, _)| format!("{path}:1: should begin with `//! ` and what it is"));
    check(&wrong.collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{path}:{lines}: has more than {MAX_LINES} lines"));
        }
    }
    check(&wrong);
}

#[test]
fn imports_point_downward() {
    let mut wrong = Vec::new();
    let mut needed = BTreeSet::new();
    for (path, text) in sources() {
        let Some(inside) = path.strip_prefix("host/src/") else {
            continue;
        };
        let room = inside.split(['/', '.']).next().unwrap_or_default();
        for (number, used) in uses(&text) {
            if used == room || may_use(room, used) {
                continue;
            }
            let exception = (path.as_str(), used);
            if let Some(exception) = EXCEPTIONS.iter().find(|known| **known == exception) {
                needed.insert(*exception);
            } else {
                wrong.push(format!(
                    "{path}:{number}: {room} should know nothing of {used}"
                ));
            }
        }
    }
    check(&wrong);
    assert_eq!(needed, BTreeSet::from(EXCEPTIONS), "all are needed");
}

/// What code names behind `crate::`, with the number of the line.
fn uses(text: &str) -> Vec<(usize, &str)> {
    let mut uses = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for named in code.split("crate::").skip(1) {
            // A list in braces names several; rustfmt makes one only for what lib.rs passes on.
            let names = named
                .strip_prefix('{')
                .map_or(named, |list| list.split('}').next().unwrap_or_default());
            let single = !named.starts_with('{');
            let names = names.split(", ").take(if single { 1 } else { usize::MAX });
            for name in names {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                uses.push((index + 1, &name[..end.unwrap_or(name.len())]));
            }
        }
    }
    uses
}

/// Whether a room may know another.
fn may_use(room: &str, used: &str) -> bool {
    // The generated types are the traps' alone.
    if used == "bindings" {
        return room == "traps";
    }
    // What lib.rs passes on is for those above the rooms, and is theirs to have.
    if used.starts_with(|c: char| c.is_uppercase()) {
        return level(room).is_some_and(|room| Some(room) <= level("cli"));
    }
    if LEAVES.contains(&used) {
        return !LEAVES.contains(&room);
    }
    matches!((level(room), level(used)), (Some(room), Some(used)) if room < used)
}

/// How far down a room is.
fn level(room: &str) -> Option<usize> {
    let room = if room == "bindings" { "traps" } else { room };
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

/// The functions of an interface in WIT: those of a resource as `resource.function`, others as `interface.function`, but
/// for the kernel's own traps, which have no more than their name.
fn functions(wit: &str) -> Vec<String> {
    let (mut functions, mut prefix, mut interface) = (Vec::new(), String::new(), String::new());
    for line in wit.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("interface ") {
            name.trim_end_matches(" {").clone_into(&mut interface);
            prefix.clone_from(&interface);
        } else if let Some(name) = line.strip_prefix("resource ") {
            name.trim_end_matches(" {").clone_into(&mut prefix);
        } else if line == "}" {
            prefix.clone_from(&interface);
        } else if let Some((name, of)) = line.split_once(": ")
            && !line.starts_with('/')
            && (of.starts_with("func(") || of.starts_with("static func("))
        {
            functions.push(match prefix.as_str() {
                "traps" => name.to_owned(),
                prefix => format!("{prefix}.{name}"),
            });
        }
    }
    functions
}

#[test]
fn every_trap_is_told_to_the_log() {
    let folder = std::fs::read_dir(root().join("wit")).expect("the interfaces are there");
    let files = folder.map(|entry| entry.expect("folders can be read").path());
    // The log does not tell of itself, and jobs are what the kernel asks.
    let files = files.filter(|file| !file.ends_with("log.wit") && !file.ends_with("jobs.wit"));
    let traps: Vec<_> = files
        .flat_map(|file| functions(&std::fs::read_to_string(file).expect("it is text")))
        .collect();
    assert!(traps.len() > 60, "{traps:?} are not all");
    let sources = sources().into_iter();
    let told: String = sources
        .filter(|(path, _)| path.starts_with("host/src/traps/"))
        .flat_map(|(_, text)| {
            let calls = text.split("trace_trap!(").skip(1);
            let names = calls.map(|call| call.trim_start().split_inclusive('"').take(2).collect());
            names.collect::<Vec<String>>()
        })
        .collect();
    let untold = traps
        .iter()
        .filter(|trap| !told.contains(&format!("\"{trap}\"")));
    let wrong = untold.map(|trap| format!("{trap} is not told to the log"));
    check(&wrong.collect::<Vec<_>>());
}

#[test]
fn what_is_used_is_found() {
    let text = "use crate::kernel::{A, B}; // crate::no\nfn f(x: crate::Error) {}\nuse crate::{C, host::D};";
    let found = uses(text);
    assert_eq!(found, [(1, "kernel"), (2, "Error"), (3, "C"), (3, "host")]);
    assert!(may_use("traps", "kernel") && !may_use("kernel", "traps"));
    assert!(may_use("kernel", "limits") && !may_use("limits", "error"));
    assert!(!may_use("sockets", "stdio") && !may_use("kernel", "nowhere"));
    assert!(may_use("cli", "Error") && !may_use("permissions", "Error"));
}
