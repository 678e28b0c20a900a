//! The form of a permissions file, `--permissions FILE.toml`: the flags as keys, their values as lists, or `true`.
//!
//! Invariant: a file cannot say anything the flags cannot; each entry goes through the same method as
//! the flag of that name. A key we do not know is an error, lest a misspelt one seem to work. Called by
//! `Permissions::extend_from_toml`.

use serde::Deserialize;

use super::Permissions;
use super::denied::InvalidPermission;

const FLAG: &str = "--permissions";

/// What a file may hold; a key left out grants nothing.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    allow_all: bool,
    inherit_sockets: bool,
    allow_net: Vec<String>,
    allow_listen: Vec<String>,
    allow_run: Vec<String>,
    dir: Vec<String>,
    env: Vec<String>,
    run_env: Vec<String>,
    tls_identity: Vec<String>,
    allow_signal: Vec<String>,
}

/// Adds what the file grants.
pub(super) fn extend(permissions: &mut Permissions, text: &str) -> Result<(), InvalidPermission> {
    let file: File = toml::from_str(text).map_err(|error| wrong_file(&error, text))?;
    for spec in &file.allow_net {
        permissions.allow_net(spec)?;
    }
    for spec in &file.allow_listen {
        permissions.allow_listen(spec)?;
    }
    for spec in &file.allow_run {
        permissions.allow_run(spec)?;
    }
    for spec in &file.dir {
        permissions.allow_dir(spec)?;
    }
    for spec in &file.env {
        permissions.allow_env(spec)?;
    }
    for spec in &file.run_env {
        permissions.allow_run_env(spec)?;
    }
    for spec in &file.tls_identity {
        permissions.allow_tls_identity(spec)?;
    }
    for spec in &file.allow_signal {
        permissions.allow_signal(spec)?;
    }
    if file.inherit_sockets {
        permissions.allow_inherited_sockets();
    }
    if file.allow_all {
        permissions.allow_all();
    }
    Ok(())
}

/// Makes one line of an error that would otherwise draw the text it complains of over several.
fn wrong_file(error: &toml::de::Error, text: &str) -> InvalidPermission {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    let message = error.message().replace(char::is_control, " ");
    InvalidPermission::with_message(FLAG, format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_the_flags_say() {
        let mut permissions = Permissions::none();
        permissions.allow_dir("data").unwrap();
        permissions
            .extend_from_toml(
                r#"
                allow-net = ["example.com:443", "10.0.0.0/8,192.168.0.1", "unix:/run/a.sock"]
                allow-listen = ["127.0.0.1:0"]
                dir = ["data::ro", "b"]
                env = ["A=1"]
                tls-identity = ["site=a.pem,b.pem"]
                allow-signal = ["USR1", "HUP,35"]
                allow-run = ["true", "/bin/sh,/bin/cat"]
                "#,
            )
            .unwrap();
        for to in ["10.1.2.3:1", "192.168.0.1:1"] {
            assert_eq!(permissions.check_connect(to.parse().unwrap()), Ok(()));
        }
        assert_eq!(permissions.check_resolve("example.com", 443), Ok(()));
        assert!(permissions.check_connect_unix("/run/a.sock").is_ok());
        assert!(permissions.check_listen_unix("/run/a.sock").is_err());
        assert_eq!(
            permissions.check_listen("127.0.0.1:0".parse().unwrap()),
            Ok(())
        );
        assert_eq!(permissions.dirs().len(), 2);
        assert!(permissions.dirs()[0].read_only);
        assert_eq!(permissions.env(), [("A".to_owned(), "1".to_owned())]);
        assert_eq!(permissions.check_tls_identity("site"), Ok(()));
        assert_eq!(permissions.signals().len(), 3);
        for program in ["true", "/bin/sh", "/bin/cat"] {
            assert!(permissions.check_run(program).is_ok());
        }
        assert!(!permissions.is_all());
    }

    #[test]
    fn sockets_are_handed_over_if_that_is_said() {
        for (text, granted) in [
            ("", false),
            ("inherit-sockets = false", false),
            ("inherit-sockets = true", true),
            ("allow-all = true", true),
        ] {
            let mut permissions = Permissions::none();
            permissions.extend_from_toml(text).unwrap();
            let checked = permissions.check_inherited_sockets();
            assert_eq!(checked.is_ok(), granted, "{text}");
        }
    }

    #[test]
    fn everything_must_be_said_so() {
        for (text, all) in [
            ("", false),
            ("allow-all = false", false),
            ("allow-all = true", true),
        ] {
            let mut permissions = Permissions::none();
            permissions.extend_from_toml(text).unwrap();
            assert_eq!(permissions.is_all(), all, "{text}");
        }
    }

    #[test]
    fn wrong_files_are_refused_whole_and_on_one_line() {
        for (text, hints) in [
            (
                "env = [\"A=1\"]\nallow-nte = []",
                &[
                    "--permissions: line 2: ",
                    "`allow-nte`",
                    "`allow-all`, `inherit-sockets`, `allow-net`, `allow-listen`, `allow-run`, `dir`, `env`, `run-env`, `tls-identity`, `allow-signal`",
                ][..],
            ),
            ("allow_net = []", &["line 1: ", "`allow_net`"]),
            ("\"\\u001b\\n\" = 1", &["line 1: "]),
            ("[allow-net]\nx = 1", &["line 1: "]),
            ("allow-net = \"x\"", &["line 1: ", "expected a sequence"]),
            ("env = [\"A=1\"]\nenv = []", &["line 2: "]),
            (
                "env = [\"A=1\"]\n\nallow-all = 1",
                &["line 3: ", "expected a boolean"],
            ),
            ("env = [\"A=1\"]\ndir = [", &["line 2: "]),
            (
                "env = [\"A=1\"]\nallow-net = [\"http://x\"]",
                &["--allow-net: \"http://x\" is a URL"],
            ),
            (
                "allow-all = true\nenv = [\"A=1\", \"=\"]",
                &["--env: \"\" is no name"],
            ),
            (
                "allow-net = ['*']\nallow-listen = ['x']",
                &["--allow-listen: \"x\" is a name"],
            ),
            (
                "allow-net = ['*']\nallow-run = ['no-such-program']",
                &["--allow-run: \"no-such-program\" is no program"],
            ),
            (
                "allow-net = ['*']\ndir = ['::']",
                &["--dir: \"::\" has an empty path"],
            ),
        ] {
            let mut permissions = Permissions::none();
            let error = permissions.extend_from_toml(text).unwrap_err().to_string();
            assert!(!error.contains(char::is_control), "{error}");
            for hint in hints {
                assert!(error.contains(hint), "{error}");
            }
            assert!(
                permissions.env().is_empty() && !permissions.is_all(),
                "{text}"
            );
            assert!(!permissions.allows_any_name_lookup(), "{text}");
        }
        let deep = format!("env = {}", "[".repeat(100_000));
        assert!(Permissions::none().extend_from_toml(&deep).is_err());
    }
}
