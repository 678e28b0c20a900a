//! Benchmarks: `curio-host` beside native tokio on one thread, the runtime that comes closest to it.
//!
//! ```text
//! cargo bench                     # all, in about five minutes
//! cargo bench -- switch echo      # these
//! cargo bench -- --quick          # all, less exactly
//! ```
//!
//! Every program exists twice. One is a guest, run by this build's `curio-host`: `guests/` and
//! `examples/echo.rs`. The other does the same on tokio's `current_thread`: `native.rs`, run by a second
//! process of this very program. Both are release builds with fat LTO, and both use the system's allocator
//! outside the sandbox. The two take turns, several rounds of each; a figure is the median of the
//! rounds, with the smallest and greatest behind it, and a ratio the median of the rounds' ratios. Less
//! time is better, so for times a ratio below 1 is in `curio-host`'s favour.
//!
//! - `switch`, `spawn_join`, `sleepers`, `timers`: tasks
//! - `primitives`: locks, queues, timeouts, cancellation
//! - `echo`: connections, over TCP, UDP and TLS; `load` is the client, and `certificate` its end of TLS
//! - `bulk`, `latency`: one connection
//! - `lines`: a file
//! - `workers`: jobs on other threads and in other processes
//! - `subprocess`: programs of the system's
//! - `startup`: a program that says hello
//! - `figures`: rounds, medians, and how they are printed
//! - `program`: the processes that are measured

#![expect(
    clippy::disallowed_methods,
    reason = "benchmarks are no guests: they read files, start programs and measure time"
)]
#![expect(clippy::print_stdout, reason = "it is what they are for")]

mod bulk;
mod certificate;
mod echo;
mod figures;
mod latency;
mod lines;
mod load;
mod native;
mod native_network;
mod native_primitives;
mod primitives;
mod program;
mod sleepers;
mod spawn_join;
mod startup;
mod subprocess;
mod switch;
mod timers;
mod workers;

use std::process::ExitCode;

use self::figures::Effort;

/// What makes this program one of the measured ones.
const NATIVE: &str = "--native";

/// A benchmark.
struct Subject {
    name: &'static str,
    run: fn(Effort),
}

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "switch",
        run: switch::run,
    },
    Subject {
        name: "spawn_join",
        run: spawn_join::run,
    },
    Subject {
        name: "sleepers",
        run: sleepers::run,
    },
    Subject {
        name: "timers",
        run: timers::run,
    },
    Subject {
        name: "primitives",
        run: primitives::run,
    },
    Subject {
        name: "echo",
        run: echo::run,
    },
    Subject {
        name: "udp",
        run: echo::run_udp,
    },
    Subject {
        name: "tls",
        run: echo::run_tls,
    },
    Subject {
        name: "bulk",
        run: bulk::run,
    },
    Subject {
        name: "lines",
        run: lines::run,
    },
    Subject {
        name: "subprocess",
        run: subprocess::run,
    },
    Subject {
        name: "latency",
        run: latency::run,
    },
    Subject {
        name: "workers",
        run: workers::run,
    },
    Subject {
        name: "startup",
        run: startup::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, name, rest @ ..] = args.as_slice()
        && first == NATIVE
    {
        native::run(name, rest);
        return ExitCode::SUCCESS;
    }
    let (flags, names): (Vec<_>, Vec<_>) = args.iter().partition(|word| word.starts_with("--"));
    let is_subject = |name: &str| SUBJECTS.iter().any(|subject| subject.name == name);
    // `cargo bench` adds `--bench`.
    let strange = flags
        .iter()
        .find(|flag| !["--bench", "--quick"].contains(&flag.as_str()));
    if let Some(strange) = strange.or_else(|| names.iter().find(|name| !is_subject(name))) {
        let known: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
        println!("{strange}? The benchmarks are {}.", known.join(", "));
        return ExitCode::from(2);
    }
    let effort = if flags.iter().any(|flag| *flag == "--quick") {
        Effort::Quick
    } else {
        Effort::Full
    };
    program::prepare();
    for subject in SUBJECTS {
        if names.is_empty() || names.iter().any(|name| *name == subject.name) {
            (subject.run)(effort);
        }
    }
    ExitCode::SUCCESS
}
