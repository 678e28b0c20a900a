//! Whether a guest can change a program's file, or put another one in its place.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Stat, fstat, readlinkat, stat};

/// How many links the system follows on the way to a file.
const MAX_LINKS: usize = 40;

/// What tells a directory from all others, by whatever path.
type Identity = (u64, u64);

/// Whether one of the directories that `writable` has is on the way to a file, links and all: then whoever may write there
/// decides what is found.
///
/// # Errors
/// If there is no such file.
pub(crate) fn can_be_changed<'a>(
    program: &Path,
    writable: impl Iterator<Item = BorrowedFd<'a>>,
) -> io::Result<bool> {
    let writable = writable
        .map(|directory| Ok(identity(&fstat(directory)?)))
        .collect::<io::Result<Vec<_>>>()?;
    if writable.is_empty() {
        return Ok(false);
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
            return Ok(true);
        }
        let Some(part) = left.pop_front() else {
            return Ok(false);
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
            can_be_changed(&at(program), std::iter::once(directory.as_fd()))
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
        assert!(!can_be_changed(Path::new("/none"), std::iter::empty()).unwrap());
    }
}
