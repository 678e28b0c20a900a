//! Grants of programs: `--allow-run=PROGRAM,…`, and what their environment may be.
//!
//! A program is looked up when it is granted, and stands for that file from then on, whatever a guest makes of its own
//! `PATH`. Invariant: a guest's word is compared with what was granted, letter by letter, and never itself looked up,
//! unless everything is allowed. The variables that it may get are in `run_env`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Permissions;
use super::denied::{Denied, InvalidPermission};
use super::program::find_program;
use super::run_env::is_harmless;

const FLAG: &str = "--allow-run";

/// What a name is looked up in if the host itself has no `PATH`, and what a child has if it is granted none.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// All that `--allow-run` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RunGrants(Vec<(String, PathBuf)>);

impl RunGrants {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn allow(
        &mut self,
        spec: &str,
        find: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<(), InvalidPermission> {
        let mut granted = Vec::new();
        for name in spec.split(',').map(str::trim) {
            let refuse = |problem| Err(InvalidPermission::new(FLAG, name, problem));
            if name.is_empty() {
                return refuse("is no program; give names or paths, with commas between");
            }
            if name.contains('\0') {
                return refuse("contains a NUL, which no path can");
            }
            let Some(path) = find(name) else {
                return refuse(if name.contains('/') {
                    "is no file that can be executed; check the path and its mode"
                } else {
                    "is no program in the directories of PATH; give its path"
                });
            };
            granted.push((name.to_owned(), path));
        }
        self.0.append(&mut granted);
        Ok(())
    }

    /// What a guest's word stands for. The last grant of a name counts.
    fn find(&self, program: &str) -> Option<&Path> {
        let stands_for =
            |(name, path): &&(String, PathBuf)| name == program || path == Path::new(program);
        let found = self.0.iter().rev().find(stands_for);
        found.map(|(_, path)| path.as_path())
    }
}

/// Which program may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// The file that the grant stands for, by its absolute path.
    Granted(PathBuf),
    /// Any: the guest's word is to be looked up as the host itself would.
    Any,
}

impl Permissions {
    /// Whether there are programs that may be run.
    pub(crate) fn allows_any_program(&self) -> bool {
        self.all || !self.run.is_empty()
    }

    /// Allows running programs: names or paths, with commas between. They are looked up at once: a name in the `PATH`
    /// of the host, a relative path from its working directory on. The guest may call each by the word given here
    /// or by its absolute path.
    ///
    /// A program is not held by the sandbox: it can do what the host's user can. So granting one is as much as that
    /// program can be talked into; a shell is everything.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_run("true, /bin/sh")?;
    /// assert!(permissions.check_run("true").is_ok());
    ///
    /// let denied = permissions.check_run("rm").unwrap_err();
    /// assert_eq!(denied.to_string(), "no permission to run \"rm\"; add --allow-run=rm");
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator grants the program, by the host's own PATH"
    )]
    pub fn allow_run(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.allow_run_from(spec, |name| find_program(name, std::env::var_os("PATH")))
    }

    /// As [`allow_run`](Self::allow_run), but finds programs by `find`, which gives an absolute path.
    pub fn allow_run_from(
        &mut self,
        spec: &str,
        find: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<&mut Self, InvalidPermission> {
        self.run.allow(spec, find)?;
        Ok(self)
    }

    /// Checks that the guest may run a program, which it calls so.
    pub fn check_run(&self, program: &str) -> Result<Program, Denied> {
        match self.run.find(program) {
            Some(path) => Ok(Program::Granted(path.to_owned())),
            None if self.all => Ok(Program::Any),
            None => Err(Denied::run(program)),
        }
    }

    /// Allows the guest to set variables for the programs that it runs: `NAME` to any value, or `NAME=VALUE`. Several stand
    /// between commas; a value that holds one is granted by name, or by [`allow_env`](Self::allow_env).
    ///
    /// `LANG`, `LANGUAGE`, `LC_*`, `TZ`, `TERM`, `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`, `COLUMNS` and `LINES` need
    /// no grant, unless their value is a path. By itself, a program gets `PATH` and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_run_env("MODE=fast,USER")?;
    /// assert!(permissions.check_run_variable("MODE", "fast").is_ok());
    /// assert!(permissions.check_run_variable("LANG", "C").is_ok());
    ///
    /// let denied = permissions.check_run_variable("MODE", "slow").unwrap_err();
    /// assert_eq!(
    ///     denied.to_string(),
    ///     "no permission to set \"MODE\" so for a program; add --run-env=MODE"
    /// );
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    pub fn allow_run_env(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.run_env.allow(spec)?;
        Ok(self)
    }

    /// Checks that the guest may set a variable for a program that it runs: any program reads some that have it run
    /// foreign code. What the guest itself was given by [`allow_env`](Self::allow_env), it may pass on as it is.
    pub fn check_run_variable(&self, name: &str, value: &str) -> Result<(), Denied> {
        let given = || {
            let mut env = self.env.as_slice().iter();
            env.any(|(known, with)| known == name && with == value)
        };
        if self.all || is_harmless(name, value) || self.run_env.covers(name, value) || given() {
            return Ok(());
        }
        Err(Denied::run_variable(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Option<PathBuf> {
        match name {
            "ls" | "./ls" => Some("/bin/ls".into()),
            "sh" => Some("/bin/sh".into()),
            _ => None,
        }
    }

    fn granted(spec: &str) -> Permissions {
        let mut permissions = Permissions::none();
        permissions.allow_run_from(spec, find).unwrap();
        permissions
    }

    #[test]
    fn what_is_granted_is_called_by_its_name_or_its_path() {
        let permissions = granted("ls, sh");
        for (program, path) in [("ls", "/bin/ls"), ("/bin/ls", "/bin/ls"), ("sh", "/bin/sh")] {
            let expected = Ok(Program::Granted(path.into()));
            assert_eq!(permissions.check_run(program), expected);
        }
        for program in [
            "",
            "l",
            "LS",
            "./ls",
            "bin/ls",
            "/usr/bin/ls",
            "ls ",
            "ls,sh",
            "/bin/../bin/ls",
            "ls\0",
        ] {
            assert_eq!(
                permissions.check_run(program),
                Err(Denied::run(program)),
                "{program:?}"
            );
        }
        assert!(granted("./ls").check_run("ls").is_err());
    }

    #[test]
    fn everything_is_looked_up_later() {
        let mut permissions = granted("ls");
        permissions.allow_all();
        assert_eq!(permissions.check_run("rm"), Ok(Program::Any));
        let ls = Program::Granted("/bin/ls".into());
        assert_eq!(permissions.check_run("ls"), Ok(ls));
        assert_eq!(permissions.check_run_variable("LD_PRELOAD", "x"), Ok(()));
    }

    #[test]
    fn what_is_no_program_is_refused_whole() {
        for (spec, name, hint) in [
            ("", "", "is no program"),
            ("ls,", "", "is no program"),
            (
                "ls,nosuch",
                "nosuch",
                "is no program in the directories of PATH",
            ),
            ("./nosuch", "./nosuch", "is no file that can be executed"),
            ("l\0s", "l\0s", "contains a NUL"),
        ] {
            let mut permissions = Permissions::none();
            let error = permissions.allow_run_from(spec, find).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("--allow-run: {name:?} ")),
                "{text}"
            );
            assert!(text.contains(hint), "{text}");
            assert!(permissions.check_run("ls").is_err());
        }
    }

    #[test]
    fn what_runs_foreign_code_passes_only_as_it_was_granted() {
        let mut permissions = granted("ls");
        permissions.allow_env("LD_LIBRARY_PATH=/opt/lib").unwrap();
        for (name, value, passes) in [
            ("LANG", "C", true),
            ("ENVIRONMENT", "test", false),
            ("HOME", "/data", false),
            ("TAR_OPTIONS", "--checkpoint-action=exec=x", false),
            ("MAKEFILES", "/data/x", false),
            ("XDG_CONFIG_HOME", "/data", false),
            ("COMPILER_PATH", "/data", false),
            ("GIT_SSH_COMMAND", "x", false),
            ("LD_LIBRARY_PATH", "/opt/lib", true),
            ("LD_LIBRARY_PATH", "/tmp", false),
            ("LD_PRELOAD", "/tmp/x.so", false),
            ("LD_AUDIT", "", false),
            ("DYLD_INSERT_LIBRARIES", "x", false),
            ("GCONV_PATH", "x", false),
            ("MALLOC_TRACE", "x", false),
            ("BASH_ENV", "x", false),
            ("ENV", "x", false),
            ("IFS", "/", false),
            ("PATH", "/tmp", false),
            ("PYTHONPATH", "x", false),
            ("PERL5LIB", "x", false),
            ("NODE_OPTIONS", "x", false),
            ("BASH_FUNC_ls%%", "() { rm; }", false),
            ("ANY", "() { :; }; rm", false),
        ] {
            let checked = permissions.check_run_variable(name, value);
            assert_eq!(checked.is_ok(), passes, "{name}={value}: {checked:?}");
        }
        let denied = permissions.check_run_variable("PATH", "/tmp").unwrap_err();
        assert_eq!(
            denied.to_string(),
            "no permission to set \"PATH\" so for a program; add --run-env=PATH",
        );
    }
}
