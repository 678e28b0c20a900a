//! The options, as typed. `settings` finds out what they mean.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};

use super::help;

/// Runs a sandboxed WebAssembly component, which may do nothing but what is allowed here.
#[derive(Debug, Parser)]
#[command(
    name = "curio-host",
    version,
    override_usage = help::RUN_USAGE,
    after_help = help::RUN_AFTER,
    after_long_help = help::RUN_AFTER_LONG,
    max_term_width = 100,
    disable_help_flag = true,
    disable_version_flag = true,
)]
pub(super) struct RunArgs {
    /// The component to run, and the words it is given
    ///
    /// The component is built with --target wasm32-wasip2. Everything behind it is the guest's, even if it looks
    /// like an option.
    #[arg(trailing_var_arg = true, value_names = ["APP.WASM", "ARGS"], hide_short_help = true)]
    pub(super) component_and_args: Vec<OsString>,
    #[command(flatten)]
    pub(super) permissions: PermissionArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    #[command(flatten)]
    pub(super) other: OtherArgs,
}

/// What the guest may do.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Permissions")]
pub(super) struct PermissionArgs {
    /// Allow connecting to hosts
    ///
    /// Includes sending, and looking up their names. HOST is a name, *.domain, an address, a block such as 10.0.0.0/8,
    /// or *; without a port, every port. A name does not open private addresses that it leads to. `unix:/path` is a
    /// Unix socket, `unix:/directory/` every one below; * does not include these.
    #[arg(long, value_name = "HOST[:PORT],…")]
    pub(super) allow_net: Vec<String>,

    /// Allow listening on addresses
    ///
    /// ADDR is an address of this machine, localhost, or *; without a port, every port. Port 0 allows any free port
    /// of the system's choice. `unix:/path` allows making a Unix socket, `unix:/directory/` any below; * does not
    /// include these.
    #[arg(long, value_name = "ADDR[:PORT],…")]
    pub(super) allow_listen: Vec<String>,

    /// Allow running programs
    ///
    /// PROGRAM is a name, which is looked up in PATH now, or a path. No sandbox holds what is run: it can do all that you
    /// can. A program is not run if --dir lets the guest write to its file. It gets PATH, and of the guest's variables those that --run-env allows.
    #[arg(long, value_name = "PROGRAM,…")]
    pub(super) allow_run: Vec<String>,

    /// Allow a directory, read-only with `::ro`
    ///
    /// Includes all that is in it. The guest finds it under GUEST, or under the host's path as given here.
    #[arg(long, value_name = "HOST[::GUEST][::ro]")]
    pub(super) dir: Vec<String>,

    /// Set an environment variable, or pass on the host's
    ///
    /// Without a value the guest gets the host's, if that is set.
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(super) env: Vec<String>,

    /// Allow variables for the programs that are run
    ///
    /// NAME alone allows any value. LANG, LANGUAGE, LC_*, TZ, TERM, `NO_COLOR`, CLICOLOR, `FORCE_COLOR`, COLUMNS and LINES need no
    /// grant, unless their value is a path. A variable can have a program run anything: grant what you know.
    #[arg(long, value_name = "NAME[=VALUE],…")]
    pub(super) run_env: Vec<String>,

    /// Allow the use of a certificate's key, by a name
    ///
    /// The guest can show the certificate, but it can't read the key. CERT.pem begins with the certificate; those that
    /// lead from it to an authority follow.
    #[arg(long, value_name = "NAME=CERT.pem,KEY.pem")]
    pub(super) tls_identity: Vec<String>,

    /// Allow watching signals
    ///
    /// SIGNAL is a name such as USR1 or SIGHUP, RTMIN+1, or a number. One that is allowed, and that the guest does not
    /// watch, does what it always does.
    #[arg(long, value_name = "SIGNAL,…")]
    pub(super) allow_signal: Vec<String>,

    /// Allow the sockets that a supervisor hands over
    ///
    /// They are those of `LISTEN_FDS` and `LISTEN_PID`, as systemd's socket units give them. One that listens accepts,
    /// whatever its address; where else it connects or sends to is for --allow-net to say.
    #[arg(long)]
    pub(super) inherit_sockets: bool,

    /// Allow what a file lists
    ///
    /// In the file, allow-net, allow-listen, allow-run, dir, env, run-env, tls-identity and allow-signal are lists of what these
    /// options take, and inherit-sockets and allow-all are true or false. Options add to it.
    #[arg(long, value_name = "FILE.toml")]
    pub(super) permissions: Vec<PathBuf>,

    /// Allow everything; for your own code only
    ///
    /// Everything is all hosts, all addresses, the whole file system, all programs, the whole environment, all signals
    /// and the sockets that are handed over.
    #[arg(short = 'A', long)]
    pub(super) allow_all: bool,
}

/// What the guest may use.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Memory, such as 64MiB [default: 4GiB]
    ///
    /// Counts its own and what is held for it. Units are powers of 1024 however written: 64M is 64MiB.
    #[arg(long = "max-memory", value_name = "SIZE")]
    pub(super) memory: Option<String>,

    /// Tasks at one time [default: 4194304]
    #[arg(long = "max-tasks", value_name = "N")]
    pub(super) tasks: Option<String>,

    /// Sockets, files and the like at one time [default: 65536]
    ///
    /// It is never more than seven eighths of the descriptors that the system allows (ulimit -Hn): the rest is for the
    /// program's threads and the host.
    #[arg(long = "max-handles", value_name = "N")]
    pub(super) handles: Option<String>,

    /// Threads that work for it at one time, 0 for none [default: 256]
    #[arg(long = "max-threads", value_name = "N")]
    pub(super) threads: Option<String>,

    /// Processes that it has at one time, 0 for none [default: 64]
    #[arg(long = "max-processes", value_name = "N")]
    pub(super) processes: Option<String>,

    /// Time from start to end, such as 1m30s [default: none]
    #[arg(long = "max-time", value_name = "DURATION")]
    pub(super) time: Option<String>,

    /// Time spent running, not waiting [default: none]
    #[arg(long = "max-cpu-time", value_name = "DURATION")]
    pub(super) cpu_time: Option<String>,
}

/// What is about the host itself.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Other")]
pub(super) struct OtherArgs {
    /// Run compiled code (.cwasm), which must be your own
    ///
    /// It is what `curio-host compile` makes: native code, and nothing checks that it keeps to the sandbox.
    #[arg(long)]
    pub(super) allow_precompiled: bool,

    /// Do not keep compiled code for the next run
    #[arg(long, conflicts_with = "cache_dir")]
    pub(super) no_cache: bool,

    /// Where to keep compiled code [default: ~/.cache/curio-host]
    ///
    /// If `XDG_CACHE_HOME` is set, the default is there. Whoever can write to the directory can run code without a
    /// sandbox.
    #[arg(long, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,

    /// What to log: off, error, warn, info, debug or trace [default: warn]
    ///
    /// Or a filter such as warn,guest=debug, where guest is what the guest itself logs; trap=trace tells of every trap
    /// that it makes. It goes to standard error.
    /// If `CURIO_LOG` is set, it is the default.
    #[arg(long, value_name = "LEVEL")]
    pub(super) log: Option<String>,

    /// Log nothing
    #[arg(short, long, conflicts_with = "log")]
    pub(super) quiet: bool,

    /// Show this help; --help says more
    #[arg(short, long, action = ArgAction::Help)]
    pub(super) help: Option<bool>,

    /// Show the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    pub(super) version: Option<bool>,
}

/// Compiles a component to native code, which starts faster.
///
/// It runs with this version of curio-host on this kind of machine only, and with --allow-precompiled only: nothing
/// checks that it keeps to the sandbox.
#[derive(Debug, Parser)]
#[command(
    name = "curio-host",
    override_usage = help::COMPILE_USAGE,
    after_help = help::COMPILE_AFTER,
    max_term_width = 100,
)]
pub(super) struct CompileArgs {
    /// The component
    #[arg(value_name = "APP.WASM")]
    pub(super) component: PathBuf,

    /// What to write [default: APP.cwasm beside the component]
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
}

/// Does jobs for another process of this program.
#[derive(Debug, Parser)]
#[command(
    name = "curio-host",
    version,
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(super) struct WorkerArgs {
    /// The log.
    #[command(flatten)]
    pub(super) other: OtherArgs,
}
