//! A command line of `curio-host`'s, step by step.

use std::ffi::{OsStr, OsString};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};

use super::{Output, Running, guests};

/// How long a run may take unless a test says otherwise: far more than any needs, on a machine with
/// a lot else to do.
const DEADLINE: Duration = Duration::from_mins(1);

/// Tells a program that the descriptors that it is given are for itself, and becomes it.
const HAND_OVER: &str = r#"LISTEN_PID=${LISTEN_PID-$$} exec "$0" "$@""#;

/// Has a program find a file of the test's where the system's list of hosts is. Nobody else sees that.
const OWN_HOSTS: &str = r#"mount --bind "$0" /etc/hosts && exec "$@""#;

/// A command line of `curio-host`'s. Words stand in the order in which they were added, but those of a guest's
/// stand behind it.
///
/// The program sees none of this process's environment that could change what it does.
#[derive(Debug)]
pub(crate) struct Run {
    words: Vec<OsString>,
    /// A guest, and its arguments.
    guest: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    directory: Option<OsString>,
    /// What a supervisor hands over.
    handed: Vec<OwnedFd>,
    /// A list of hosts in place of the system's.
    hosts: Option<OsString>,
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
    deadline: Duration,
    has_own_group: bool,
}

impl Run {
    /// No words but the program's name.
    pub(crate) fn new() -> Self {
        Self {
            words: Vec::new(),
            guest: Vec::new(),
            variables: Vec::new(),
            directory: None,
            handed: Vec::new(),
            hosts: None,
            stdin: Stdio::piped(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
            deadline: DEADLINE,
            has_own_group: false,
        }
    }

    /// Runs an example or a test guest. Flags that are added stand before it, arguments behind it.
    pub(crate) fn guest(name: &str) -> Self {
        let mut run = Self::new().flag("--cache-dir").flag(guests::cache());
        run.guest.push(guests::path(name).into_os_string());
        run
    }

    /// Adds an option, or a command's name.
    pub(crate) fn flag(mut self, flag: impl AsRef<OsStr>) -> Self {
        self.words.push(flag.as_ref().to_owned());
        self
    }

    /// Adds the component.
    pub(crate) fn component(self, path: impl AsRef<Path>) -> Self {
        self.flag(path.as_ref())
    }

    /// Adds the guest's arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        if self.guest.is_empty() {
            self.words.extend(args);
        } else {
            self.guest.extend(args);
        }
        self
    }

    /// Sets a variable of the host's own environment.
    pub(crate) fn variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.variables.push(pair);
        self
    }

    /// Runs it in a directory.
    pub(crate) fn directory(mut self, path: impl AsRef<Path>) -> Self {
        self.directory = Some(path.as_ref().as_os_str().to_owned());
        self
    }

    /// Hands descriptors over as a supervisor does: those that are named are there from 3 on, and `LISTEN_PID` is
    /// the program's number unless it was set to another one.
    pub(crate) fn hand_over(
        mut self,
        sockets: impl IntoIterator<Item = (&'static str, OwnedFd)>,
    ) -> Self {
        let (names, handed): (Vec<_>, Vec<_>) = sockets.into_iter().unzip();
        let count = handed.len().to_string();
        self.handed = handed;
        self.variable("LISTEN_FDS", count)
            .variable("LISTEN_FDNAMES", names.join(":"))
    }

    /// Has it look hosts up in a file. None, with the reason on standard output, if this system does not let the test do
    /// that, which takes rights to a mount namespace of its own.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    pub(crate) fn hosts(mut self, file: &Path) -> Option<Self> {
        let mut attempt = Command::new("unshare");
        attempt
            .args(["-m", "sh", "-c", OWN_HOSTS])
            .arg(file)
            .arg("true");
        match attempt.output() {
            Ok(output) if output.status.success() => {
                self.hosts = Some(file.as_os_str().to_owned());
                Some(self)
            }
            failed => {
                println!("skipped: the list of hosts can't be replaced here: {failed:?}");
                None
            }
        }
    }

    /// Sets where its standard input comes from, instead of from the test.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Sets where its standard output goes, instead of to the test.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self
    }

    /// Sets where its standard error goes, instead of to the test.
    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = stderr.into();
        self
    }

    /// Has it lead a process group of its own: the system stops no process of a group that nobody could wake.
    pub(crate) fn own_group(mut self) -> Self {
        self.has_own_group = true;
        self
    }

    /// Sets how long it may take before it is killed and the test fails.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it, with a pipe for each of the standard streams that has no other place.
    pub(crate) fn spawn(self) -> Running {
        let program = env!("CARGO_BIN_EXE_curio-host");
        let mut command = if let Some(hosts) = &self.hosts {
            let mut unshare = Command::new("unshare");
            unshare.args(["-m", "sh", "-c", OWN_HOSTS]);
            unshare.arg(hosts).arg(program);
            unshare
        } else if self.handed.is_empty() {
            Command::new(program)
        } else {
            let mut shell = Command::new("sh");
            shell.args(["-c", HAND_OVER, program]);
            shell
        };
        command
            .args(&self.words)
            .args(&self.guest)
            .env_remove("CURIO_LOG")
            .env_remove("RUST_BACKTRACE")
            .env_remove("COLUMNS")
            .env_remove("LISTEN_PID")
            .envs(self.variables)
            .stdin(self.stdin)
            .stdout(self.stdout)
            .stderr(self.stderr);
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        if self.has_own_group {
            command.process_group(0);
        }
        let line = format!("{command:?}");
        let handed = (3 as RawFd..).zip(self.handed);
        let handed = handed.map(|(child_fd, parent_fd)| FdMapping {
            parent_fd,
            child_fd,
        });
        let mapped = command.fd_mappings(handed.collect());
        mapped.expect("each has a number of its own");
        let child = command.spawn().expect("curio-host was built with the test");
        Running::new(child, line, self.deadline)
    }

    /// Runs it to its end, with nothing to read.
    pub(crate) fn output(self) -> Output {
        self.spawn().wait()
    }
}
