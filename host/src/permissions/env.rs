//! Grants of environment variables: `--env NAME[=VALUE]`.
//!
//! Invariant: a guest sees exactly the pairs kept here, each name once; the host's environment is read
//! when a grant is given, never when a guest asks. A value appears in no error. This is the only file
//! that reads the host's environment for a guest. Called by `Permissions`.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use super::denied::InvalidPermission;

const FLAG: &str = "--env";

/// What a supervisor tells the host, which means nothing to a guest: see `sd_listen_fds(3)`.
const OF_THE_HOST: [&str; 4] = [
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
];

/// All that `--env` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct EnvGrants(Vec<(String, String)>);

impl EnvGrants {
    /// Adds a variable, in place of an earlier one of that name. A bare name takes its value from
    /// `lookup`, and is passed over if that has none.
    pub(super) fn allow(
        &mut self,
        spec: &str,
        lookup: impl FnOnce(&str) -> Option<OsString>,
    ) -> Result<(), InvalidPermission> {
        let (name, given) = match spec.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (spec, None),
        };
        let refuse = |problem| Err(InvalidPermission::new(FLAG, name, problem));
        if name.is_empty() {
            return refuse("is no name; give NAME or NAME=VALUE");
        }
        if name.contains('\0') || given.is_some_and(|value| value.contains('\0')) {
            return refuse("contains a NUL, which no variable can; give NAME or NAME=VALUE");
        }
        let value = match given {
            Some(value) => value.to_owned(),
            None if OF_THE_HOST.contains(&name) => return Ok(()),
            None => match lookup(name).map(OsString::into_string) {
                Some(Ok(value)) => value,
                Some(Err(_)) => {
                    return refuse("is set to something other than UTF-8; give NAME=VALUE");
                }
                None => return Ok(()),
            },
        };
        self.0.retain(|(earlier, _)| earlier != name);
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// Adds the pairs of `environment` that are UTF-8, where no grant gave something else.
    pub(super) fn allow_all(&mut self, environment: impl Iterator<Item = (OsString, OsString)>) {
        for (name, value) in environment {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
                continue;
            };
            let known = OF_THE_HOST.contains(&name.as_str());
            if !known && !self.0.iter().any(|(earlier, _)| *earlier == name) {
                self.0.push((name, value));
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[(String, String)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn host(name: &str) -> Option<OsString> {
        match name {
            "HOME" => Some("/root".into()),
            "LISTEN_FDS" => Some("1".into()),
            "EMPTY" => Some(OsString::new()),
            "BYTES" => Some(OsStr::from_bytes(b"\xff").to_owned()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_given_or_taken_from_the_host() {
        for (specs, expected) in [
            (&["A=1"][..], &[("A", "1")][..]),
            (&["A="], &[("A", "")]),
            (&["A=b=c,d"], &[("A", "b=c,d")]),
            (&["HOME"], &[("HOME", "/root")]),
            (&["EMPTY"], &[("EMPTY", "")]),
            (&["UNSET"], &[]),
            (&["LISTEN_FDS"], &[]),
            (&["LISTEN_FDS=2", "LISTEN_FDS"], &[("LISTEN_FDS", "2")]),
            (&["HOME=/"], &[("HOME", "/")]),
            (&["A=1", "B=2", "A=3"], &[("B", "2"), ("A", "3")]),
            (&["UNSET=1", "UNSET"], &[("UNSET", "1")]),
            // Names are exact: neither case nor a pattern widens them.
            (&["home", "HOM", "*", "HOME,EMPTY"], &[]),
        ] {
            let mut grants = EnvGrants::default();
            for spec in specs {
                grants.allow(spec, host).unwrap();
            }
            let pair = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            let expected: Vec<_> = expected.iter().map(pair).collect();
            assert_eq!(grants.as_slice(), expected, "{specs:?}");
        }
    }

    #[test]
    fn wrong_grants_are_refused_without_their_value() {
        for (spec, name, hint) in [
            ("", "", "is no name"),
            ("=secret", "", "is no name"),
            ("A\0B", "A\0B", "contains a NUL"),
            ("A=secret\0", "A", "contains a NUL"),
            ("BYTES", "BYTES", "other than UTF-8"),
        ] {
            let mut grants = EnvGrants::default();
            let error = grants.allow(spec, host).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--env: {name:?} ")), "{error}");
            assert!(error.contains(hint), "{error}");
            assert!(!error.contains("secret"), "{error}");
            assert!(grants.as_slice().is_empty());
        }
    }

    #[test]
    fn everything_is_what_is_utf8_and_not_given_otherwise() {
        let mut grants = EnvGrants::default();
        grants.allow("HOME=/", host).unwrap();
        let names = ["HOME", "EMPTY", "BYTES", "LISTEN_FDS"];
        grants.allow_all(
            names
                .into_iter()
                .filter_map(|name| Some((name.into(), host(name)?))),
        );
        let expected = [("HOME", "/"), ("EMPTY", "")];
        assert_eq!(
            grants.as_slice(),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
