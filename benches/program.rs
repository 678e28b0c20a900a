//! The processes that are measured: guests on `curio-host`, and this program again for tokio.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::NATIVE;

/// Unit of the times in `/proc/PID/stat`: hundredths of a second, on every machine that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Which of the two is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Curio,
    Tokio,
}

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// How much CPU time a process has used, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTime {
    pub(crate) user: f64,
    pub(crate) system: f64,
}

/// How much memory a process has, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident: f64,
    pub(crate) peak: f64,
}

/// Builds the guests, and lets this process and its children have many descriptors.
pub(crate) fn prepare() {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2"])
        .args(["-p", "bench-guests", "-p", "curio-examples"])
        .arg("--target-dir")
        .arg(target())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .expect("cargo runs this, so it is there");
    assert!(built.success(), "the guests must build");
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("the limit may be reached");
}

/// The folder that cargo builds in.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("cargo's folder for temporary files is in its target folder")
}

/// The file of a guest.
pub(crate) fn guest(name: &str) -> PathBuf {
    let folder = target().join("wasm32-wasip2/release");
    folder.join(name).with_extension("wasm")
}

/// Where the host is to keep compiled code.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

impl Side {
    /// The command line of a program: the guest `name`, or its counterpart in `native`.
    fn command(self, name: &str, flags: &[String]) -> Command {
        match self {
            Self::Curio => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_curio-host"));
                command
                    // Nothing is left behind if this process is killed.
                    .arg("--max-time=2m")
                    .arg("--allow-listen=127.0.0.1")
                    .arg("--cache-dir")
                    .arg(cache())
                    .args(flags)
                    .arg(guest(name));
                command
            }
            Self::Tokio => {
                let own = std::env::current_exe().expect("the system knows what runs");
                let mut command = Command::new(own);
                command.args([NATIVE, name]);
                command
            }
        }
    }
}

impl Program {
    /// Starts a program with these arguments.
    pub(crate) fn start(side: Side, name: &str, args: &[String]) -> Self {
        Self::start_with(side, name, &[], args)
    }

    /// Starts a program with these arguments; `curio-host` with these flags.
    pub(crate) fn start_with(side: Side, name: &str, flags: &[String], args: &[String]) -> Self {
        let mut child = side
            .command(name, flags)
            .args(args)
            .env_remove("CURIO_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("both programs were built with this one");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        Self {
            child,
            stdout: BufReader::new(stdout),
        }
    }

    /// Runs a program to its end, and returns the only number it prints.
    pub(crate) fn measure(side: Side, name: &str, args: &[u64]) -> f64 {
        let args: Vec<String> = args.iter().map(u64::to_string).collect();
        let figures = Self::start(side, name, &args).figures();
        figures[0]
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        assert!(
            read.is_ok_and(|bytes| bytes > 0),
            "the program has ended early: {:?}",
            self.child.wait()
        );
        line
    }

    /// The next line, which says where it listens.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let address = line.trim().strip_prefix("listening on ");
        let address = address.expect("it says where it listens").parse();
        address.expect("it listens at an address")
    }

    /// The next line, which has numbers.
    pub(crate) fn figures(&mut self) -> Vec<f64> {
        let line = self.line();
        line.split_whitespace()
            .map(|word| word.parse().expect("the line has numbers"))
            .collect()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) {
        let status = self.child.wait().expect("it can be waited for");
        assert!(status.success(), "the program must succeed");
    }

    /// How much CPU time all its threads have used.
    pub(crate) fn cpu_time(&self) -> CpuTime {
        let stat = self.read("stat");
        // The program's name comes first, in brackets, and may contain anything.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let seconds = |index: usize| {
            let ticks: f64 = fields[index].parse().expect("times are numbers");
            ticks / TICKS_PER_SECOND
        };
        CpuTime {
            user: seconds(11),
            system: seconds(12),
        }
    }

    /// How much memory it has.
    pub(crate) fn memory(&self) -> Memory {
        let status = self.read("status");
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.split_whitespace().next());
            let kibibytes: f64 = kibibytes
                .and_then(|number| number.parse().ok())
                .expect("a living process has memory");
            kibibytes * 1024.0
        };
        Memory {
            resident: bytes("VmRSS:"),
            peak: bytes("VmHWM:"),
        }
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(path).expect("the process is not waited for yet")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It fails only for a process that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
