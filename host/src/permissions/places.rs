//! Where a guest finds the directories it was granted, and which of them a path leads into.
//!
//! It is the standard library's own way (`wasi-libc` does it inside the guest): names and paths are compared without
//! a `/` or `./` in front, and the longest name counts. So `/` and `.` are one and the same there. If both are
//! granted, `.` is given its absolute name instead, and relative paths are said to begin there. Nothing is looked at
//! on a disk here. Invariant: what is checked is what the standard library is given, name by name.

use std::path::Path;

use super::path::DirGrant;
use super::{Denied, Permissions};

/// What a guest wants to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look at what is there.
    Read,
    /// To change it.
    Write,
}

/// The directories of one guest, under the names by which it finds them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    grants: Vec<DirGrant>,
    initial: Option<String>,
}

impl Permissions {
    /// The directories that the guest may use, by the names it finds them under. `absolute` gives a host's directory
    /// its absolute name, if that is text.
    pub(crate) fn places(&self, absolute: impl FnOnce(&Path) -> Option<String>) -> Places {
        let mut grants = self.dirs().to_vec();
        let is_top = |grant: &DirGrant| parts(&grant.guest).next().is_none();
        let find = |is_absolute| {
            let mut grants = grants.iter();
            grants.position(|grant| is_top(grant) && grant.guest.starts_with('/') == is_absolute)
        };
        let (Some(root), Some(here)) = (find(true), find(false)) else {
            return Places {
                grants,
                initial: None,
            };
        };
        let initial = absolute(&grants[here].host);
        if let Some(name) = &initial {
            let everything = grants[root].host == Path::new("/");
            if everything && grants[root].read_only == grants[here].read_only {
                // It is there anyway, and so `..` of it is, too.
                grants.remove(here);
            } else {
                grants[here].guest.clone_from(name);
            }
        }
        Places { grants, initial }
    }
}

impl Places {
    /// The directories, each under another name.
    pub(crate) fn grants(&self) -> &[DirGrant] {
        &self.grants
    }

    /// Where relative paths begin, if not at `/`.
    pub(crate) fn initial(&self) -> Option<&str> {
        self.initial.as_deref()
    }

    /// Checks what a guest wants to do with a path. Returns the place of the grant that covers it, and the path from
    /// there, which may still try to lead out.
    pub(crate) fn check(&self, path: &str, access: Access) -> Result<(usize, String), Denied> {
        let start = match &self.initial {
            Some(initial) if !path.starts_with('/') => initial,
            _ => "",
        };
        let whole: Vec<&str> = parts(start).chain(parts(path)).collect();
        let found = self.grants.iter().enumerate().filter_map(|(index, grant)| {
            let mut rest = whole.iter();
            parts(&grant.guest)
                .all(|part| rest.next() == Some(&part))
                .then_some((index, rest.as_slice()))
        });
        // Of several that are as long, which only a missing working directory makes possible, the last one counts.
        let found = found.min_by_key(|(index, rest)| (rest.len(), usize::MAX - index));
        let Some((index, rest)) = found else {
            return Err(Denied::path(path));
        };
        if access == Access::Write && self.grants[index].read_only {
            return Err(Denied::read_only(path));
        }
        Ok((index, from_there(path, rest)))
    }
}

/// The path from a directory on. What ends with a slash stays something that must be a directory, and an empty
/// path stays one that leads nowhere.
fn from_there(path: &str, rest: &[&str]) -> String {
    if path.is_empty() {
        return String::new();
    }
    if rest.is_empty() {
        return ".".to_owned();
    }
    let mut from_there = rest.join("/");
    if path.ends_with('/') || path.ends_with("/.") {
        from_there.push('/');
    }
    from_there
}

/// What is between the slashes, as far as it matters.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(specs: &[&str]) -> Places {
        let mut permissions = Permissions::none();
        for spec in specs {
            if *spec == "-A" {
                permissions.allow_all();
            } else {
                permissions.allow_dir(spec).unwrap();
            }
        }
        permissions.places(|path| Some(format!("/work/{}", path.display())))
    }

    /// Which of the host's directories a path leads into, and the path from there.
    fn found(places: &Places, path: &str) -> Option<(String, String)> {
        let (index, rest) = places.check(path, Access::Read).ok()?;
        Some((places.grants()[index].host.display().to_string(), rest))
    }

    #[track_caller]
    fn check(places: &Places, rows: &[(&str, &str, &str)]) {
        for (path, host, rest) in rows {
            let expected = (!host.is_empty()).then(|| ((*host).to_owned(), (*rest).to_owned()));
            assert_eq!(found(places, path), expected, "{path}");
        }
    }

    #[test]
    fn the_longest_name_counts() {
        let places = places(&["a::/data", "b::/data/sub", "c::out"]);
        assert_eq!(places.initial(), None);
        check(
            &places,
            &[
                ("/data", "a", "."),
                ("/data/", "a", "."),
                ("//data/./x//y", "a", "x/y"),
                ("/data/x/", "a", "x/"),
                ("/data/x/.", "a", "x/"),
                ("/data/sub/x", "b", "x"),
                ("/data/submarine", "a", "submarine"),
                ("/data/../x", "a", "../x"),
                // As the standard library has it.
                ("data/x", "a", "x"),
                ("./out/x", "c", "x"),
                ("/out/x", "c", "x"),
                ("", "", ""),
                ("/", "", ""),
                ("x", "", ""),
                ("/dat", "", ""),
                ("/x/../data/y", "", ""),
                ("../data", "", ""),
            ],
        );
    }

    #[test]
    fn what_is_relative_begins_in_the_granted_working_directory() {
        let here = places(&["."]);
        check(&here, &[("x", ".", "x"), ("", ".", ""), ("/x", ".", "x")]);

        let all = places(&["-A"]);
        assert_eq!(all.initial(), Some("/work/."));
        check(
            &all,
            &[
                ("x", "/", "work/x"),
                ("../x", "/", "work/../x"),
                ("/x", "/", "x"),
                (".", "/", "work"),
            ],
        );

        let jail = places(&["jail::/", "-A"]);
        assert_eq!(jail.initial(), Some("/work/."));
        check(
            &jail,
            &[
                ("x", ".", "x"),
                ("../x", ".", "../x"),
                ("/etc/x", "jail", "etc/x"),
                ("/work/x", ".", "x"),
            ],
        );
        let read_only = places(&["/::/::ro", "-A"]);
        check(&read_only, &[("x", ".", "x"), ("/x", "/", "x")]);
        assert!(read_only.check("x", Access::Write).is_ok());
        assert!(read_only.check("/x", Access::Write).is_err());
    }

    #[test]
    fn a_refusal_says_what_would_help() {
        let places = places(&["a::/data::ro"]);
        let text = |path| places.check(path, Access::Write).unwrap_err().to_string();
        assert_eq!(
            text("/data/x"),
            "no permission to change \"/data/x\"; grant its directory without ::ro"
        );
        assert_eq!(
            text("/etc/x"),
            "no permission to use \"/etc/x\"; add --dir=HOST::GUEST for a directory that holds it"
        );
        let hostile = text(&format!("\x1b[2J{}", "x".repeat(100_000)));
        assert!(hostile.len() < 200 && !hostile.contains('\x1b'));
    }
}
