//! Grants of variables for programs: `--run-env NAME[=VALUE],…`, and those that need no grant.
//!
//! Nearly every program reads some variable that has it run code or read settings from elsewhere, so this is a list of
//! what may pass, not of what may not. A value appears in no error.

use serde::{Deserialize, Serialize};

use super::denied::InvalidPermission;

const FLAG: &str = "--run-env";

/// Variables that say how a program writes, and never where it finds code or settings.
const HARMLESS: &[&str] = &[
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LINES",
    "NO_COLOR",
    "TERM",
    "TZ",
];

/// The variables of a locale's categories begin like this.
const LOCALE: &str = "LC_";

/// All that `--run-env` granted: names, with the one value that they may have, or any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RunEnvGrants(Vec<(String, Option<String>)>);

impl RunEnvGrants {
    /// Adds variables, all of them or, if one makes no sense, none.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let grants = spec.split(',').map(|grant| {
            let (name, value) = match grant.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (grant, None),
            };
            let name = name.trim();
            if name.is_empty() || spec.contains('\0') {
                let problem = "is no name of a variable; give NAME or NAME=VALUE";
                return Err(InvalidPermission::new(FLAG, name, problem));
            }
            Ok((name.to_owned(), value))
        });
        let grants: Vec<_> = grants.collect::<Result<_, _>>()?;
        self.0.extend(grants);
        Ok(())
    }

    /// Whether a variable may have a value by a grant.
    pub(super) fn covers(&self, name: &str, value: &str) -> bool {
        let mut grants = self.0.iter();
        grants.any(|(known, with)| known == name && with.as_ref().is_none_or(|with| with == value))
    }
}

/// Whether a variable may have a value without a grant: it is one of a few, and its value is no path of a file that the
/// program would read, and no function that an old shell would run.
pub(super) fn is_harmless(name: &str, value: &str) -> bool {
    if !HARMLESS.contains(&name) && !name.starts_with(LOCALE) {
        return false;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-._:@<>,/".contains(c);
    let is_path = match name {
        // The system's zones have names such as Europe/Berlin.
        "TZ" => value.starts_with([':', '/']) || value.contains(".."),
        _ => value.contains('/'),
    };
    value.chars().all(is_plain) && !is_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_variables_need_no_grant() {
        for (name, value, passes) in [
            ("LANG", "de_DE.UTF-8", true),
            ("LANGUAGE", "de:en", true),
            ("LC_ALL", "C", true),
            ("LC_TIME", "sr_RS@latin", true),
            ("TZ", "Europe/Berlin", true),
            ("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", true),
            ("TERM", "xterm-256color", true),
            ("NO_COLOR", "", true),
            ("COLUMNS", "80", true),
            ("TZ", ":/data/zone", false),
            ("TZ", "/data/zone", false),
            ("TZ", "../../data/zone", false),
            ("LANG", "/data/locale", false),
            ("LANGUAGE", "../../../data", false),
            ("TERM", "../data/terminal", false),
            ("LC_ALL", "() { :; }; rm", false),
            ("lang", "C", false),
            ("LANGX", "C", false),
            ("HOME", "/data", false),
            ("PATH", "", false),
            ("ANY", "", false),
        ] {
            assert_eq!(is_harmless(name, value), passes, "{name}={value}");
        }
    }

    #[test]
    fn a_grant_is_for_any_value_or_for_one() {
        let mut grants = RunEnvGrants::default();
        grants.allow("HOME, MODE=fast").unwrap();
        grants.allow("MODE=a=b").unwrap();
        for (name, value, passes) in [
            ("HOME", "", true),
            ("HOME", "/data", true),
            ("MODE", "fast", true),
            ("MODE", "a=b", true),
            ("MODE", "", false),
            ("MODE", "slow", false),
            ("home", "", false),
            ("HOM", "", false),
        ] {
            assert_eq!(grants.covers(name, value), passes, "{name}={value}");
        }
        for spec in ["", "A,", "=secret", "A,=secret", "A\0", "A=secret\0"] {
            let mut grants = RunEnvGrants::default();
            let error = grants.allow(spec).unwrap_err().to_string();
            assert!(error.starts_with("--run-env: "), "{error}");
            assert!(!error.contains("secret"), "{error}");
            assert!(!grants.covers("A", "secret") && !grants.covers("A", ""));
        }
    }
}
