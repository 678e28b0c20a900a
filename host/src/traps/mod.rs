//! The kernel's answers to a guest's traps: one file a WIT interface.
//!
//! A trap is answered in three steps: check the permission, call the kernel or a subsystem, convert
//! the result. What that subsystem does is not known here.

mod errors;
mod limiter;
mod log;
mod sockets;
mod stdout;
mod tasks;
mod wasi;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiCtx;

pub(crate) use self::errors::TrapError;
pub(crate) use self::sockets::Passing;
pub(crate) use self::stdout::Streams;
pub use self::wasi::Stdio;
pub(crate) use self::wasi::{WasiOptions, context};
use crate::bindings;
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::LimitExceeded;
use crate::permissions::Permissions;

/// A kernel, shared by the instances that run on it. All are on one thread, so the lock is never contended.
pub(crate) type SharedKernel = Arc<Mutex<Kernel>>;

/// Takes a kernel's lock.
pub(crate) fn lock(kernel: &SharedKernel) -> MutexGuard<'_, Kernel> {
    // A panic while the lock was held is a bug of the kernel's, and has been reported as one.
    kernel.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the host keeps for a running instance: the data of its store.
pub(crate) struct Guest {
    /// The instance's entry in the kernel.
    pub(crate) key: InstanceKey,
    /// The kernel it runs on.
    pub(crate) kernel: SharedKernel,
    /// What it may do.
    pub(crate) permissions: Arc<Permissions>,
    /// What the standard library of its language may do, under the same permissions.
    pub(crate) wasi: WasiCtx,
    /// Its standard output and error, if they are the host's own.
    pub(crate) streams: Option<Streams>,
    /// What the guest's handles stand for.
    pub(crate) table: ResourceTable,
    /// The sockets through which others are on the way.
    pub(crate) passing: Passing,
    /// Where received bytes are put before they go into the guest's memory.
    pub(crate) scratch: Vec<u8>,
    /// The limit that the instance was just refused more for. Forgotten once it has gone on all the same.
    pub(crate) refused: Option<LimitExceeded>,
}

impl Guest {
    /// The kernel's lock.
    pub(crate) fn kernel(&self) -> MutexGuard<'_, Kernel> {
        lock(&self.kernel)
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

struct Here;

impl HasData for Here {
    type Data<'a> = &'a mut Guest;
}

/// Gives guests all the imports there are.
///
/// # Errors
/// If two have the same name.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    bindings::Guest::add_to_linker::<Guest, Here>(linker, |guest| guest)?;
    sockets::add_send_without_copy(linker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::MonotonicClock;
    use crate::limits::Limits;
    use crate::selector::MioSelector;

    /// A guest's data, without the guest.
    pub(super) fn guest(limits: Limits) -> Guest {
        let selector = MioSelector::new().unwrap();
        let mut kernel = Kernel::new(Box::new(selector), Box::new(MonotonicClock::new()));
        Guest {
            key: kernel.add_instance(limits),
            kernel: Arc::new(Mutex::new(kernel)),
            permissions: Arc::default(),
            wasi: WasiCtx::builder().build(),
            streams: None,
            table: ResourceTable::new(),
            passing: Passing::default(),
            scratch: Vec::new(),
            refused: None,
        }
    }
}
