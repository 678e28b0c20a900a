//! The directories that a guest was granted, open.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::error::advice;
use crate::permissions::{Access, Denied, DirGrant, Permissions, Places};

/// The directories of one guest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directories {
    places: Places,
    /// One for each of the places.
    open: Vec<Arc<Dir>>,
}

/// What a guest's path leads to: a path from one of its directories. It may try to lead out, and `cap-std` won't
/// let it.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(super) directory: Arc<Dir>,
    pub(super) path: PathBuf,
}

impl Spot {
    /// Opens the directory that it is.
    pub(crate) fn open_directory(&self) -> io::Result<OwnedFd> {
        Ok(self.directory.open_dir(&self.path)?.into_std_file().into())
    }
}

/// A directory that was granted could not be opened.
#[derive(Debug)]
pub(crate) struct NoSuchDirectory {
    /// Its path on the host.
    path: String,
    /// Why.
    cause: io::Error,
}

impl NoSuchDirectory {
    /// The directory of a grant.
    pub(crate) fn new(path: &Path, cause: io::Error) -> Self {
        Self {
            path: path.display().to_string(),
            cause,
        }
    }
}

impl fmt::Display for NoSuchDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--dir {}: {}", self.path, advice(&self.cause))
    }
}

impl Directories {
    /// Opens what was granted.
    ///
    /// # Errors
    /// If one of them can't be opened, or one that is read-only lies in another one that is not.
    pub(crate) fn open(permissions: &Permissions) -> Result<Self, NoSuchDirectory> {
        let places = permissions.places(absolute);
        if !permissions.is_all() {
            check_overlap(places.grants())?;
        }
        let open = places.grants().iter().map(|grant| {
            Dir::open_ambient_dir(&grant.host, ambient_authority())
                .map(Arc::new)
                .map_err(|cause| NoSuchDirectory::new(&grant.host, cause))
        });
        let open = open.collect::<Result<_, _>>()?;
        Ok(Self { places, open })
    }

    /// What was opened, and by which names the guest finds it.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Those that the guest may change.
    pub(crate) fn writable(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let grants = self.places.grants().iter();
        let both = grants.zip(&self.open).filter(|(grant, _)| !grant.read_only);
        both.map(|(_, directory)| directory.as_fd())
    }

    /// Finds what a guest's path leads to, if the guest may do this with it.
    pub(crate) fn find(&self, path: &str, access: Access) -> Result<Spot, Denied> {
        let (index, path) = self.places.check(path, access)?;
        Ok(Spot {
            directory: self.open[index].clone(),
            path: path.into(),
        })
    }
}

/// Checks that no directory is read-only by one grant and can be written to by another one: a guest has many ways to
/// spell a path that leads through the latter.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator grants the directories"
)]
fn check_overlap(grants: &[DirGrant]) -> Result<(), NoSuchDirectory> {
    // The number of a directory is the same by whatever path or mount.
    let identity = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    let writable = grants.iter().filter(|grant| !grant.read_only);
    let writable: Vec<_> = writable
        .filter_map(|grant| Some((identity(&grant.host)?, &grant.host)))
        .collect();
    for grant in grants.iter().filter(|grant| grant.read_only) {
        // What does not exist is reported when it is opened.
        let path = std::fs::canonicalize(&grant.host).unwrap_or_default();
        let mut above = path.ancestors().filter_map(identity);
        let outer = above.find_map(|found| writable.iter().find(|(known, _)| *known == found));
        if let Some((_, outer)) = outer {
            let outer = outer.display();
            let cause = format!(
                "read-only, but the guest may write to it through --dir {outer}; grant {outer} with ::ro, or only what \
                 is to be written to"
            );
            return Err(NoSuchDirectory::new(&grant.host, io::Error::other(cause)));
        }
    }
    Ok(())
}

/// The absolute name of one of the host's directories, if that is text.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator grants the directory"
)]
fn absolute(path: &Path) -> Option<String> {
    let path = std::fs::canonicalize(path).ok()?;
    path.to_str().map(str::to_owned)
}
