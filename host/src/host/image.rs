//! A component's compiled code, as worker processes get it.
//!
//! There are two of it. One is there at once: the program's own, which is interrupted with every tick. A worker process
//! has no need of that, and a function that does little takes half as long again by it; so the other one is compiled on
//! another thread when the first process is started, and is for those that are started afterwards.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use crate::background::Background;
use crate::loader::{Component, Engine};
use crate::workers::Interruption;

/// The compiled code, in files that nobody can change. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Images(Arc<State>);

#[derive(Debug, Default)]
struct State {
    at_once: OnceLock<Arc<OwnedFd>>,
    uninterrupted: OnceLock<Arc<OwnedFd>>,
    is_compiling: AtomicBool,
}

impl Images {
    /// Whether the second one is there.
    pub(super) fn are_complete(&self) -> bool {
        self.0.uninterrupted.get().is_some()
    }

    /// The best one that is there, if need be only after it was made.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn get(&self, component: &Component) -> io::Result<(Arc<OwnedFd>, Interruption)> {
        if let Some(image) = self.0.uninterrupted.get() {
            return Ok((image.clone(), Interruption::Never));
        }
        let image = self.interrupted(component)?;
        Ok((image, Interruption::Ticks))
    }

    /// The one that can be interrupted.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn interrupted(&self, component: &Component) -> io::Result<Arc<OwnedFd>> {
        if let Some(image) = self.0.at_once.get() {
            return Ok(image.clone());
        }
        let code = component.serialize();
        let image = file(&code.map_err(|error| io::Error::other(error.to_string()))?)?;
        Ok(self.0.at_once.get_or_init(|| image).clone())
    }

    /// Has the second one made, unless that was begun before.
    pub(super) fn complete(&self, component: &Component, engine: &Engine, by: &Background) {
        if self.0.is_compiling.swap(true, Ordering::Relaxed) {
            return;
        }
        let (images, component, engine) = (self.clone(), component.clone(), engine.clone());
        by.handle().spawn_blocking(move || {
            let code = component.serialize_uninterrupted(&engine);
            let made = code.map(|code| code.as_deref().map(file).transpose());
            match made {
                Ok(Ok(Some(image))) => drop(images.0.uninterrupted.set(image)),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!("no faster code for worker processes: {error}"),
                Err(error) => tracing::debug!("no faster code for worker processes: {error:#}"),
            }
        });
    }
}

/// A file that nobody can change.
fn file(code: &[u8]) -> io::Result<Arc<OwnedFd>> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("component", flags)?);
    file.write_all(code)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, seals)?;
    Ok(Arc::new(file.into()))
}
