//! Grants of Unix sockets, by the path: `unix:/path` in `--allow-net` and `--allow-listen`.
//!
//! Only the words are dealt with here; how a path is followed so that no link leads away from a grant is for
//! whoever opens it: [`SocketPath`] says what is granted. Invariant: a path means one place or is refused, so it is
//! absolute and has no `.`, `..` or empty part; and no grant of addresses, be it `*`, grants a path. Called by
//! `Permissions` only, which answers for `--allow-all` itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::denied::{Denied, InvalidPermission, SocketUse};

/// What a path begins with in a grant.
const SCHEME: &str = "unix:";

/// The system takes no longer one.
const MAX_PATH: usize = 107;

/// All the paths that one flag granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct UnixGrants(Vec<Grant>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    /// With a slash at its end if all that is below is granted.
    path: String,
}

/// Where a Unix socket is that a guest may use, and how far the way there may be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketPath {
    directory: PathBuf,
    beneath: PathBuf,
    follows_links: bool,
    usage: SocketUse,
}

impl SocketPath {
    /// The directory that the operator named. Links in its path are followed.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The rest of the path.
    pub fn beneath(&self) -> &Path {
        &self.beneath
    }

    /// Whether links are followed in the rest, too. They are if everything is allowed, and never otherwise.
    pub fn follows_links(&self) -> bool {
        self.follows_links
    }

    /// The refusal, if a link is found in the rest.
    pub fn link_in_the_way(&self) -> Denied {
        Denied::UnixLink {
            path: self.directory.join(&self.beneath).display().to_string(),
            usage: self.usage,
        }
    }
}

impl UnixGrants {
    /// Adds what was read.
    pub(super) fn append(&mut self, read: &mut Self) {
        self.0.append(&mut read.0);
    }

    /// Whether nothing is granted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The directories that granted paths are in, or that all below is granted of.
    pub(super) fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let ends = |path: &str| path.rfind('/').map_or(0, |slash| slash + 1);
        let paths = self.0.iter().map(|grant| grant.path.as_str());
        paths.map(move |path| path[..ends(path)].into())
    }

    /// Checks a path that a guest gave.
    pub(super) fn check(
        &self,
        all: bool,
        path: &str,
        usage: SocketUse,
    ) -> Result<SocketPath, Denied> {
        if let Err(problem) = check_path(path) {
            return Err(Denied::not_a_path(path, problem));
        }
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if all {
            return Ok(SocketPath {
                directory: Path::new("/").join(directory),
                beneath: name.into(),
                follows_links: true,
                usage,
            });
        }
        // The most particular one: it says most about the way.
        let granted = self
            .0
            .iter()
            .filter_map(|grant| grant.directory(path))
            .max();
        let Some(length) = granted else {
            let path = path.to_owned();
            return Err(Denied::Unix { path, usage });
        };
        let (directory, beneath) = path.split_at(length);
        Ok(SocketPath {
            directory: directory.into(),
            beneath: beneath.into(),
            follows_links: false,
            usage,
        })
    }
}

impl Grant {
    /// How long the name of the operator's directory is in a path that is granted, with the slash at its end.
    fn directory(&self, path: &str) -> Option<usize> {
        let granted = if self.path.ends_with('/') {
            path.starts_with(&self.path)
        } else {
            path == self.path
        };
        let end = self.path.rfind('/')?;
        granted.then_some(end + 1)
    }
}

/// Takes the paths out of a list separated by commas. What is left of the list is none if there was nothing else.
pub(super) fn take_out(
    flag: &'static str,
    spec: &str,
) -> Result<(UnixGrants, Option<String>), InvalidPermission> {
    let mut grants = UnixGrants::default();
    let mut rest = Vec::new();
    for item in spec.split(',') {
        let Some(path) = item.trim().strip_prefix(SCHEME) else {
            rest.push(item);
            continue;
        };
        let file = path.strip_suffix('/').unwrap_or(path);
        if path != "/"
            && let Err(problem) = check_path(file)
        {
            let problem = format!(
                "{problem}; give unix:/run/app.sock, or unix:/run/app/ for all that is below"
            );
            return Err(InvalidPermission::new(flag, item.trim(), &problem));
        }
        let path = path.to_owned();
        grants.0.push(Grant { path });
    }
    let only_paths = rest.is_empty();
    Ok((grants, (!only_paths).then(|| rest.join(","))))
}

/// Checks that a path names one place.
fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(relative) = path.strip_prefix('/') else {
        return Err("is not an absolute path");
    };
    if path.len() > MAX_PATH {
        return Err("is too long; the path of a Unix socket has at most 107 bytes");
    }
    if path.contains(char::is_control) {
        return Err("has a control character");
    }
    if relative
        .split('/')
        .any(|part| matches!(part, "" | "." | ".."))
    {
        return Err("has an empty part, . or ..");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(spec: &str) -> UnixGrants {
        take_out("--allow-net", spec).unwrap().0
    }

    #[test]
    fn a_grant_allows_its_path_or_what_is_below_it() {
        for (spec, granted, refused) in [
            (
                "unix:/run/app.sock",
                "/run/app.sock",
                "/run/app.sock2 /run/app.soc /run/app.sock/x /run/APP.sock /run/other /app.sock",
            ),
            (
                "unix:/run/app/",
                "/run/app/s /run/app/deep/er/s",
                "/run/app /run/apple /run/s /app/s",
            ),
            ("unix:/", "/s /run/app/s", ""),
            ("unix:/a,unix:/b/", "/a /b/c", "/b /c /a/c"),
        ] {
            for (allowed, paths) in [(true, granted), (false, refused)] {
                for path in paths.split_whitespace() {
                    let result = grants(spec).check(false, path, SocketUse::Connect);
                    assert_eq!(result.is_ok(), allowed, "{spec}: {path}");
                }
            }
        }
    }

    #[test]
    fn the_most_particular_grant_counts() {
        let grants = grants("unix:/run/,unix:/run/app/,unix:/run/app/deep/s");
        for (path, directory, beneath) in [
            ("/run/s", "/run/", "s"),
            ("/run/app/s", "/run/app/", "s"),
            ("/run/app/deep/er", "/run/app/", "deep/er"),
            ("/run/app/deep/s", "/run/app/deep/", "s"),
        ] {
            let place = grants.check(false, path, SocketUse::Listen).unwrap();
            assert_eq!(place.directory(), Path::new(directory));
            assert_eq!(place.beneath(), Path::new(beneath));
            assert!(!place.follows_links());
        }
        let all = UnixGrants::default().check(true, "/run/app/s", SocketUse::Listen);
        let all = all.unwrap();
        assert_eq!(all.directory(), Path::new("/run/app"));
        assert!(all.follows_links());
        let top = UnixGrants::default().check(true, "/s", SocketUse::Listen);
        assert_eq!(top.unwrap().directory(), Path::new("/"));
    }

    #[test]
    fn unclear_paths_are_refused() {
        let long = format!("/{}", "x".repeat(107));
        let paths = [
            "", "s", "./s", "/", "//s", "/a//s", "/a/./s", "/a/../s", "/..", "/s/", "/a\0", "/a\n",
            &long,
        ];
        for path in paths {
            let denied = grants("unix:/")
                .check(true, path, SocketUse::Connect)
                .unwrap_err();
            let denied = denied.to_string();
            assert!(
                denied.starts_with("no permission to use the Unix socket \""),
                "{denied}"
            );
            assert!(!denied.contains(char::is_control), "{denied}");
        }
        for item in [
            "unix:",
            "unix:s",
            "unix:/a//",
            "unix:/a/../b",
            "unix://a",
            "unix:/a\nb",
        ] {
            let error = take_out("--allow-net", item).unwrap_err().to_string();
            assert!(error.starts_with("--allow-net: \"unix:"), "{error}");
            assert!(error.contains("give unix:/run/app.sock"), "{error}");
        }
    }

    #[test]
    fn other_items_are_left() {
        let (paths, rest) = take_out("--allow-net", "a:1, unix:/s ,b").unwrap();
        assert_eq!((paths.0.len(), rest.as_deref()), (1, Some("a:1,b")));
        assert_eq!(take_out("--allow-net", "unix:/s").unwrap().1, None);
        assert_eq!(take_out("--allow-net", "").unwrap().1.as_deref(), Some(""));
    }
}
