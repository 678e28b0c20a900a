//! The kernel's answers to a guest's traps: one file a WIT interface.
//!
//! A trap is answered in three steps: check the permission, call the kernel or a subsystem, convert
//! the result. What that subsystem does is not known here. Each trap is told to the log, for those who listen to
//! `trap` there.

/// Tells the log of a trap: its name in `wit/`, and what it is about. If nobody listens, that is not looked at.
macro_rules! trace_trap {
    ($name:literal $(, $($about:tt)+)?) => {
        tracing::trace!(target: "trap", $($($about)+,)? $name)
    };
}

mod errors;
mod files;
mod limiter;
mod log;
mod queues;
mod resolve;
mod signals;
mod sockets;
mod stdio;
mod stdout;
mod subprocess;
mod tasks;
mod tls;
mod wasi;
mod workers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiCtx;

pub(crate) use self::errors::TrapError;
pub(crate) use self::sockets::Passing;
pub(crate) use self::stdio::Tasks;
pub(crate) use self::stdout::Streams;
pub use self::wasi::Stdio;
pub(crate) use self::wasi::{WasiOptions, context};
use crate::background::Lane;
use crate::bindings;
use crate::files::Directories;
use crate::kernel::{Door, InstanceKey, Kernel};
use crate::limits::LimitExceeded;
use crate::permissions::Permissions;
use crate::shared::Registry;
use crate::signals::SharedWatchers;
use crate::sockets::{InheritedSockets, Names};
use crate::subprocess::Children;
use crate::tls::Tls;
use crate::workers::Crew;

/// A kernel, shared by the instances that run on it. All are on one thread, which holds the lock while it waits for
/// events. Another thread takes it by [`lock_from_elsewhere`] alone.
pub(crate) type SharedKernel = Arc<Mutex<Kernel>>;

/// Takes a kernel's lock.
pub(crate) fn lock(kernel: &SharedKernel) -> MutexGuard<'_, Kernel> {
    // A panic while the lock was held is a bug of the kernel's, and has been reported as one.
    kernel.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a kernel's lock on any thread: on another one than the kernel's, that is to release what an instance leaves.
pub(crate) fn lock_from_elsewhere<'a>(
    kernel: &'a SharedKernel,
    door: &Door,
) -> MutexGuard<'a, Kernel> {
    let _visit = door.visit();
    lock(kernel)
}

/// What the host keeps for a running instance: the data of its store.
pub(crate) struct Guest {
    /// The instance's entry in the kernel.
    pub(crate) key: InstanceKey,
    /// The kernel it runs on.
    pub(crate) kernel: SharedKernel,
    /// How other threads reach that kernel.
    pub(crate) door: Arc<Door>,
    /// What it may do.
    pub(crate) permissions: Arc<Permissions>,
    /// The directories it was granted.
    pub(crate) directories: Directories,
    /// Where its errands wait if there are too many.
    pub(crate) lane: Lane,
    /// What the standard library of its language may do, under the same permissions.
    pub(crate) wasi: WasiCtx,
    /// Its standard output and error, if they are the host's own.
    pub(crate) streams: Option<Streams>,
    /// What its tasks have of the standard streams.
    pub(crate) tasks: Tasks,
    /// Whom its TLS trusts, and whose keys it may use.
    pub(crate) tls: Tls,
    /// What the guest's handles stand for.
    pub(crate) table: ResourceTable,
    /// What it has looked up.
    pub(crate) names: Names,
    /// The sockets through which others are on the way.
    pub(crate) passing: Passing,
    /// The programs it has started.
    pub(crate) children: Children,
    /// The sockets that it may take.
    pub(crate) inherited: InheritedSockets,
    /// Where it finds what it shares with other instances.
    pub(crate) registry: Registry,
    /// Its workers.
    pub(crate) crew: Crew,
    /// In a worker, what the panic is about that ends it.
    pub(crate) panic: Option<String>,
    /// Who watches which signals, it and others.
    pub(crate) watchers: SharedWatchers,
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
    sockets::add_send_without_copy(linker)?;
    files::add_write_without_copy(linker)?;
    tls::add_send_without_copy(linker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::ERRANDS;
    use crate::kernel::MonotonicClock;
    use crate::limits::{Allowance, Limits, Place};
    use crate::selector::MioSelector;
    use crate::tls::{Identities, SystemAuthorities};
    use crate::workers::process::Started;
    use crate::workers::{Inbox, Launch, StartError};

    /// Starts no workers.
    #[derive(Debug)]
    struct Nobody;

    impl Launch for Nobody {
        fn thread(self: Arc<Self>, _: Arc<Inbox>, _: Arc<Place>) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Unsupported.into())
        }

        fn has_faster(&self) -> bool {
            false
        }

        fn process(&self) -> Result<Started, StartError> {
            Err(StartError::Refused("nobody".to_owned()))
        }
    }

    /// A guest's data, without the guest.
    pub(super) fn guest(limits: Limits) -> Guest {
        let selector = MioSelector::new().unwrap();
        let mut kernel = Kernel::new(Box::new(selector), Box::new(MonotonicClock::new()));
        Guest {
            key: kernel.add_instance(limits),
            door: kernel.door(),
            kernel: Arc::new(Mutex::new(kernel)),
            permissions: Arc::default(),
            directories: Directories::default(),
            lane: Lane::new(ERRANDS),
            wasi: WasiCtx::builder().build(),
            streams: None,
            tasks: Tasks::default(),
            tls: Tls::new(SystemAuthorities::default(), Identities::default()),
            table: ResourceTable::new(),
            names: Names::new(),
            passing: Passing::default(),
            children: Children::default(),
            inherited: InheritedSockets::new(),
            registry: Registry::default(),
            crew: Crew::new(Arc::new(Nobody), Allowance::new(&limits)),
            panic: None,
            watchers: SharedWatchers::default(),
            refused: None,
        }
    }
}
