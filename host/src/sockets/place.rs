//! The paths of Unix sockets: from what is granted to what the system is to be told, without being led astray.
//!
//! A grant names a directory, in which the links are the operator's and are followed; below it no symbolic link is,
//! whoever made it. Connecting goes to the very socket that was found. Binding names its directory as it is really
//! called, so that peers see an address they can use; that the socket was made there is looked at afterwards.
//!
//! Who can rename things in the directories above a grant, by `--dir` say, can put other ones in their place.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::SocketError;
use crate::permissions::SocketPath;

/// Opened to be named, not to be read.
const NAMED: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// A socket that was found, to connect or to send to.
#[derive(Debug)]
pub(super) struct Node(OwnedFd);

impl Node {
    /// Finds it.
    pub(super) fn find(place: &SocketPath) -> Result<Self, SocketError> {
        let directory = directory(place)?;
        below(directory, place.beneath(), NAMED, place).map(Self)
    }

    /// A path that leads to it and to nothing else, while it is held.
    pub(super) fn path(&self) -> PathBuf {
        link_of(&self.0).into()
    }
}

/// Where a socket is to be made.
#[derive(Debug)]
pub(super) struct Spot {
    directory: OwnedFd,
    name: PathBuf,
}

impl Spot {
    /// Finds it.
    pub(super) fn find(place: &SocketPath) -> Result<Self, SocketError> {
        let granted = directory(place)?;
        let name = place.beneath().file_name().ok_or(SocketError::Argument(
            "the path names no socket in its directory",
        ))?;
        let inside = place.beneath().parent().unwrap_or(Path::new(""));
        let directory = if inside.as_os_str().is_empty() {
            granted
        } else {
            below(granted, inside, NAMED | OFlags::DIRECTORY, place)?
        };
        let name = name.into();
        Ok(Self { directory, name })
    }

    /// Its path, without links.
    pub(super) fn path(&self) -> io::Result<PathBuf> {
        use std::os::unix::ffi::OsStringExt;

        let directory = fs::readlink(link_of(&self.directory), Vec::new())?;
        let directory = std::ffi::OsString::from_vec(directory.into_bytes());
        Ok(Path::new(&directory).join(&self.name))
    }

    /// Checks that a socket was made there.
    pub(super) fn check(&self) -> io::Result<()> {
        let made = fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(made.st_mode) == FileType::Socket {
            return Ok(());
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// What a descriptor stands for, as a path.
fn link_of(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// The directory that is granted.
fn directory(place: &SocketPath) -> io::Result<OwnedFd> {
    let flags = NAMED | OFlags::DIRECTORY;
    Ok(fs::open(place.directory(), flags, Mode::empty())?)
}

/// What is in it.
fn below(
    directory: impl AsFd,
    path: &Path,
    flags: OFlags,
    place: &SocketPath,
) -> Result<OwnedFd, SocketError> {
    let mut resolve = ResolveFlags::empty();
    if !place.follows_links() {
        resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    }
    match fs::openat2(directory, path, flags, Mode::empty(), resolve) {
        Ok(found) => Ok(found),
        Err(Errno::LOOP | Errno::XDEV) => Err(SocketError::Refused(place.link_in_the_way())),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::Permissions;

    #[test]
    fn links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let inside = at.join("granted/inside");
        fs::mkdir(at.join("granted"), Mode::RWXU).unwrap();
        fs::mkdir(&inside, Mode::RWXU).unwrap();
        fs::mkdir(at.join("other"), Mode::RWXU).unwrap();
        fs::symlink("other", at.join("alias")).unwrap();
        fs::symlink("../other", at.join("granted/out")).unwrap();
        fs::symlink("inside", at.join("granted/in")).unwrap();
        let mut permissions = Permissions::none();
        for path in ["granted/", "alias/"] {
            let spec = format!("unix:{}/{path}", at.display());
            permissions.allow_listen(&spec).unwrap();
        }
        let spot = |path: &str| {
            let path = format!("{}/{path}", at.display());
            Spot::find(&permissions.check_listen_unix(&path).unwrap())
        };
        let real = |path: &str| spot(path).unwrap().path().unwrap();
        let at = at.canonicalize().unwrap();
        assert_eq!(real("granted/s"), at.join("granted/s"));
        assert_eq!(real("granted/inside/s"), at.join("granted/inside/s"));
        // The operator's own link.
        assert_eq!(real("alias/s"), at.join("other/s"));
        for link in ["granted/out/s", "granted/in/s"] {
            let refused = spot(link).unwrap_err();
            assert!(matches!(refused, SocketError::Refused(_)), "{refused}");
        }
        assert!(matches!(spot("granted/none/s"), Err(SocketError::Io(_))));
    }
}
