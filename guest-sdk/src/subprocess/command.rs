//! How a program is run.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Pipe, Popen, Stdio};
use crate::bindings::subprocess as kernel;
use crate::error::{Error, Result};

/// How a program is run.
///
/// ```no_run
/// use curio::subprocess::{Command, Stdio};
///
/// # async fn example() -> curio::Result<()> {
/// let mut child = Command::new("grep")
///     .args(["-n", "curio"])
///     .stdin(Stdio::pipe())
///     .stdout(Stdio::pipe())
///     .spawn()?;
/// let output = child.communicate(b"curio\nand curiouser\n").await?;
/// assert_eq!(output.stdout, b"1:curio\n2:and curiouser\n");
/// assert!(child.wait().await?.success());
/// # Ok(())
/// # }
/// ```
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent choices"
)]
#[derive(Debug)]
#[must_use]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    clear: bool,
    /// What is set, and what is removed.
    variables: BTreeMap<OsString, Option<OsString>>,
    directory: Option<PathBuf>,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    own_group: bool,
    kill_group: bool,
    kill_on_drop: bool,
    pub(super) input: Option<Vec<u8>>,
    pub(super) check: bool,
    pub(super) timeout: Option<Duration>,
}

/// What is run, and where.
impl Command {
    /// A program, by the name or path by which it is granted, or by the absolute path that this stands for. Its streams are
    /// this program's own unless said otherwise.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            clear: false,
            variables: BTreeMap::new(),
            directory: None,
            stdin: None,
            stdout: None,
            stderr: None,
            own_group: false,
            kill_group: false,
            kill_on_drop: false,
            input: None,
            check: false,
            timeout: None,
        }
    }

    /// A program with its arguments.
    pub(super) fn from_words<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        let mut words = words.into_iter();
        match words.next() {
            Some(program) => Self::new(program).args(words),
            // There is no such program.
            None => Self::new(""),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// Sets a variable of its environment. See [the module](super) for those that are refused.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.variables.insert(name.as_ref().to_owned(), value);
        self
    }

    /// Sets variables of its environment.
    pub fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        for (name, value) in variables {
            self = self.env(name, value);
        }
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.as_ref().to_owned(), None);
        self
    }

    /// Empties its environment, but for a `PATH`.
    pub fn env_clear(mut self) -> Self {
        self.clear = true;
        self.variables.clear();
        self
    }

    /// Has it begin in a directory, which `--dir` has to grant. Otherwise it is the host's own.
    #[doc(alias = "cwd")]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Sets where its standard input comes from.
    pub fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.stdin = Some(from.into());
        self
    }

    /// Sets where its standard output goes.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.stdout = Some(to.into());
        self
    }

    /// Sets where its standard error goes.
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.stderr = Some(to.into());
        self
    }

    /// Gives it pipes for standard output and error.
    pub fn capture_output(self) -> Self {
        self.stdout(Stdio::pipe()).stderr(Stdio::pipe())
    }
}

/// How it ends.
impl Command {
    /// Has it lead a process group of its own, so that a terminal's signals don't reach it.
    #[doc(alias = "start_new_session")]
    pub fn process_group(mut self, own: bool) -> Self {
        self.own_group = own;
        self
    }

    /// Has all that it starts end with it: it leads a process group of its own, signals are for all of that, and what is
    /// left of it when the child ends is killed. What leaves the group, as a daemon does, is not held by this.
    pub fn kill_group(mut self, all: bool) -> Self {
        self.kill_group = all;
        self
    }

    /// Has it killed when its [`Popen`] is dropped.
    pub fn kill_on_drop(mut self, kill: bool) -> Self {
        self.kill_on_drop = kill;
        self
    }

    /// For [`Command::run`] and its kin: what it is to read. Otherwise there is nothing, unless [`Command::stdin`] says so.
    pub fn input(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.input = Some(data.into());
        self
    }

    /// For [`Command::run`]: whether it is an error if the program fails.
    pub fn check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// For [`Command::run`] and its kin: how long it may take before it is killed.
    pub fn timeout(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.timeout = time.into();
        self
    }

    /// Whether something was said of standard input, or output.
    pub(super) fn leads(&self) -> (bool, bool) {
        (self.stdin.is_some(), self.stdout.is_some())
    }

    /// Starts the program. Never blocks.
    ///
    /// # Errors
    /// - [`Error::Refused`]: no `--allow-run` covers the program, or no other flag what it is to be given; the text says
    ///   which.
    /// - [`Error::Limit`]: there are as many processes as `--max-processes` allows, or as many handles.
    /// - [`Error::Io`]: there is no such file, it is not executable, or the arguments are too long.
    /// - [`Error::InvalidState`]: a stream that was given for it is closed, in use, or has read in advance.
    /// - [`Error::InvalidArgument`]: a text is no UTF-8, or has a NUL in it.
    #[doc(alias = "Popen")]
    pub fn spawn(self) -> Result<Popen> {
        let environment = self.environment()?;
        let program = text(self.program)?;
        let mut args = vec![program.clone()];
        for arg in self.args {
            args.push(text(arg)?);
        }
        let directory = self.directory.as_deref().map(crate::file::text);
        let [stdin, stdout, stderr] =
            [self.stdin, self.stdout, self.stderr].map(|to| to.unwrap_or_else(Stdio::inherit));
        if stdout.is_inherited() || stderr.is_inherited() {
            // What this program has written before comes before.
            std::io::stdout().flush()?;
        }
        let spawned = kernel::spawn(kernel::Command {
            program,
            args: args.clone(),
            environment,
            directory: directory.transpose()?,
            stdin: stdin.into_kernel()?,
            stdout: stdout.into_kernel()?,
            stderr: stderr.into_kernel()?,
            own_group: self.own_group,
            kill_group: self.kill_group,
        })?;
        Ok(Popen::new(
            spawned.child,
            [spawned.stdin, spawned.stdout, spawned.stderr].map(|end| end.map(Pipe::stream)),
            args,
            self.kill_on_drop,
        ))
    }

    fn environment(&self) -> Result<Vec<(String, String)>> {
        let mut all = BTreeMap::new();
        if !self.clear {
            all.extend(std::env::vars_os());
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        let all = all.into_iter();
        all.map(|(name, value)| Ok((text(name)?, text(value)?)))
            .collect()
    }
}

fn text(word: OsString) -> Result<String> {
    let text = word.into_string();
    text.map_err(|word| Error::InvalidArgument(format!("{} is not UTF-8", word.display())))
}
