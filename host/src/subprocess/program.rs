//! Whether a guest can change a program's file, or put another one in its place.
//!
//! A file may have several names (hard links). Nobody can tell where the others are, so one that has others may have
//! one in any directory on the same file system.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Stat, fstat, readlinkat, stat};
use rustix::process::geteuid;

/// How many links the system follows on the way to a file.
const MAX_LINKS: usize = 40;

/// What tells a directory from all others, by whatever path.
type Identity = (u64, u64);

/// How a guest may change a program's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It may write to a directory that the path leads through.
    Directory,
    /// It may write to a directory that may hold another name of the file.
    Link,
}

impl Change {
    /// What the operator can do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Directory => "grant the directory that holds it with ::ro",
            Self::Link => "it has other names (hard links), so copy it to a file of its own",
        }
    }
}

/// How a guest may change a file: whether one of the directories that `writable` has is on the way to a file, links and all: then whoever may write there
/// decides what is found; or may hold another name of the file.
///
/// # Errors
/// If there is no such file.
pub(crate) fn can_be_changed<'a>(
    program: &Path,
    writable: impl Iterator<Item = BorrowedFd<'a>>,
) -> io::Result<Option<Change>> {
    let writable = writable
        .map(|directory| Ok(identity(&fstat(directory)?)))
        .collect::<io::Result<Vec<_>>>()?;
    if writable.is_empty() {
        return Ok(None);
    }
    let mut left: VecDeque<OsString> = parts(program);
    let mut here = PathBuf::from("/");
    let mut links = 0;
    loop {
        // Every directory on the way comes by here.
        let found = stat(&here)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory
            && writable.contains(&identity(&found))
        {
            return Ok(Some(Change::Directory));
        }
        let Some(part) = left.pop_front() else {
            let on_same = writable.iter().any(|(device, _)| *device == found.st_dev);
            let is_linked = found.st_nlink > 1 && on_same && may_write(&found);
            return Ok(is_linked.then_some(Change::Link));
        };
        if part == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&part);
        match readlinkat(CWD, &next, Vec::new()) {
            Ok(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                let mut parts = parts(&target);
                parts.append(&mut left);
                left = parts;
            }
            // It is no link.
            Err(rustix::io::Errno::INVAL) => here = next,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether this process may write to a file, or let itself do that, by whatever name.
fn may_write(found: &Stat) -> bool {
    let user = geteuid();
    // Who owns a file may change its mode. Of groups, any could be this process's.
    user.is_root() || found.st_uid == user.as_raw() || found.st_mode & 0o022 != 0
}

fn identity(found: &Stat) -> Identity {
    (found.st_dev, found.st_ino)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn every_directory_on_the_way_counts() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for directory in ["bin", "data/sub", "real"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        fs::write(at("real/tool"), "").unwrap();
        fs::write(at("data/sub/own"), "").unwrap();
        symlink(at("data/hop"), at("bin/hops")).unwrap();
        symlink("../real/tool", at("data/hop")).unwrap();
        symlink("../real/tool", at("bin/tool")).unwrap();
        symlink("loop", at("bin/loop")).unwrap();
        let data = fs::File::open(at("data")).unwrap();
        let bin = fs::File::open(at("bin")).unwrap();
        let changes = |program: &str, directory: &fs::File| {
            let change = can_be_changed(&at(program), std::iter::once(directory.as_fd()));
            change.map(|change| change == Some(Change::Directory))
        };
        for (program, by_data, by_bin) in [
            ("real/tool", false, false),
            ("data/sub/own", true, false),
            ("bin/tool", false, true),
            ("bin/hops", true, true),
            ("bin/../real/tool", false, true),
        ] {
            assert_eq!(changes(program, &data).unwrap(), by_data, "{program}");
            assert_eq!(changes(program, &bin).unwrap(), by_bin, "{program}");
        }
        assert!(changes("real/none", &data).is_err());
        assert!(changes("bin/loop", &data).is_err());
        let nowhere = can_be_changed(Path::new("/none"), std::iter::empty());
        assert_eq!(nowhere.unwrap(), None);
        fs::hard_link(at("real/tool"), at("real/other")).unwrap();
        let linked = can_be_changed(&at("real/tool"), std::iter::once(data.as_fd()));
        assert_eq!(linked.unwrap(), Some(Change::Link));
    }
}
