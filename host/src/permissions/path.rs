//! Grants of directory trees: `--dir HOST[::GUEST][::ro]`.
//!
//! Only the words are dealt with here: no path is opened, made absolute or looked at. Keeping a guest
//! inside the tree is for whoever opens it. Invariant: no two grants have the same guest path, and a
//! grant is writable only if nothing in it looks like an attempt to say otherwise. Called by `Permissions`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::denied::InvalidPermission;

const FLAG: &str = "--dir";

/// A directory tree that a guest may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirGrant {
    /// The directory of the host, as typed: relative to the host's working directory.
    pub host: PathBuf,
    /// The path under which the guest finds it.
    pub guest: String,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// All that `--dir` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct DirGrants(Vec<DirGrant>);

impl DirGrants {
    /// Adds a grant; it takes the place of an earlier one with the same guest path.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let grant = parse(spec).map_err(|problem| InvalidPermission::new(FLAG, spec, problem))?;
        self.0.retain(|earlier| !same_place(earlier, &grant));
        self.0.push(grant);
        Ok(())
    }

    /// Adds the whole file system and the working directory, where no grant put something else.
    pub(super) fn allow_all(&mut self) {
        for path in ["/", "."] {
            let grant = DirGrant {
                host: path.into(),
                guest: path.to_owned(),
                read_only: false,
            };
            if !self.0.iter().any(|earlier| same_place(earlier, &grant)) {
                self.0.push(grant);
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[DirGrant] {
        &self.0
    }
}

/// Whether the guest would find both under one path; `data/` and `./data` are `data`.
fn same_place(one: &DirGrant, other: &DirGrant) -> bool {
    fn parts(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').filter(|part| !matches!(*part, "" | "."))
    }
    one.guest.starts_with('/') == other.guest.starts_with('/')
        && parts(&one.guest).eq(parts(&other.guest))
}

fn parse(spec: &str) -> Result<DirGrant, &'static str> {
    if spec.contains('\0') {
        return Err("contains a NUL, which no path can; give HOST[::GUEST][::ro]");
    }
    let mut parts = spec.split("::");
    let host = parts.next().unwrap_or_default();
    let (guest, mode) = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => (host, None),
        (Some(mode), None, _) if is_mode(mode) => (host, Some(mode)),
        (Some(guest), mode, None) => (guest, mode),
        (.., Some(_)) => return Err("has too many parts; give HOST[::GUEST][::ro]"),
    };
    if host.is_empty() || guest.is_empty() {
        return Err("has an empty path; give HOST[::GUEST][::ro], for example ./data::/data::ro");
    }
    if mode.is_some_and(|mode| mode != "ro") {
        return Err("has an unknown mode; give ro to forbid writing, nothing to allow it");
    }
    Ok(DirGrant {
        host: host.into(),
        guest: guest.to_owned(),
        read_only: mode.is_some(),
    })
}

/// Words that after `HOST::` are meant as a mode. Taking `RO` for a guest path would quietly make the
/// tree writable; a guest path of that name can be given as `./RO`.
fn is_mode(text: &str) -> bool {
    ["ro", "rw", "r", "w", "readonly", "read-only"]
        .iter()
        .any(|mode| text.eq_ignore_ascii_case(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(specs: &[&str]) -> Vec<(String, String, bool)> {
        let mut grants = DirGrants::default();
        for spec in specs {
            grants.allow(spec).unwrap();
        }
        let row = |grant: &DirGrant| {
            let host = grant.host.to_str().unwrap().to_owned();
            (host, grant.guest.clone(), grant.read_only)
        };
        grants.as_slice().iter().map(row).collect()
    }

    #[test]
    fn every_form_is_read() {
        for (spec, host, guest, read_only) in [
            ("data", "data", "data", false),
            ("../data/", "../data/", "../data/", false),
            ("data::ro", "data", "data", true),
            ("./data::/srv", "./data", "/srv", false),
            ("./data::/srv::ro", "./data", "/srv", true),
            ("data::./ro", "data", "./ro", false),
            ("data::ro::ro", "data", "ro", true),
            ("a:b", "a:b", "a:b", false),
            ("a b,c", "a b,c", "a b,c", false),
        ] {
            let row = (host.to_owned(), guest.to_owned(), read_only);
            assert_eq!(dirs(&[spec]), [row], "{spec}");
        }
    }

    #[test]
    fn unclear_forms_are_refused() {
        for (spec, hint) in [
            ("", "has an empty path"),
            ("::/data", "has an empty path"),
            ("data::", "has an empty path"),
            ("data::::ro", "has an empty path"),
            ("data::RO", "has an unknown mode"),
            ("data::rw", "has an unknown mode"),
            ("data::/data::rw", "has an unknown mode"),
            ("data::/data::", "has an unknown mode"),
            ("data::/data::ro::ro", "has too many parts"),
            ("da\0ta", "contains a NUL"),
        ] {
            let mut grants = DirGrants::default();
            let error = grants.allow(spec).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--dir: {spec:?} ")), "{error}");
            assert!(error.contains(hint), "{error}");
            assert!(grants.as_slice().is_empty(), "{spec}");
        }
    }

    #[test]
    fn the_last_grant_of_a_guest_path_counts() {
        let row = |host: &str, guest: &str, ro| (host.to_owned(), guest.to_owned(), ro);
        assert_eq!(dirs(&["data", "data::ro"]), [row("data", "data", true)]);
        assert_eq!(dirs(&["a::/x", "b::/x/"]), [row("b", "/x/", false)]);
        assert_eq!(dirs(&["a::x", "b::./x"]), [row("b", "./x", false)]);
        assert_eq!(dirs(&["a::x", "b::/x", "c::y"]).len(), 3);
    }

    #[test]
    fn everything_leaves_room_for_explicit_grants() {
        let mut grants = DirGrants::default();
        grants.allow("jail::/::ro").unwrap();
        grants.allow_all();
        grants.allow_all();
        let [jail, here] = grants.as_slice() else {
            panic!("{grants:?}");
        };
        assert_eq!((jail.host.to_str(), jail.read_only), (Some("jail"), true));
        assert_eq!((here.host.to_str(), here.guest.as_str()), (Some("."), "."));
    }
}
