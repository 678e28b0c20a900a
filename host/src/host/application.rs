//! An application: what its first instance and all its workers have in common.

use std::sync::Arc;

use super::image::Images;
use super::{CpuTime, Options, WorkerProgram};
use crate::error::Error;
use crate::files::{Directories, NoSuchDirectory};
use crate::limits::{Allowance, Limits};
use crate::loader::Component;
use crate::permissions::Permissions;
use crate::shared::Registry;
use crate::tls::{Identities, SystemAuthorities, Tls};
use crate::traps::{self, Streams, WasiOptions};
use wasmtime_wasi::WasiCtx;

/// What is said to a guest that wants a worker process which nobody can start.
const NO_PROGRAM: &str = "worker processes can't be started: whoever embeds this kernel is to set \
                          Options::worker_program";

/// What an application's instances share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) component: Component,
    pub(super) permissions: Arc<Permissions>,
    pub(super) limits: Limits,
    pub(super) args: Arc<[String]>,
    pub(super) streams: Option<Streams>,
    pub(super) directories: Directories,
    authorities: SystemAuthorities,
    identities: Identities,
    /// What they may have together.
    pub(super) allowance: Allowance,
    /// How much CPU time they have used together.
    pub(super) cpu_time: CpuTime,
    /// Where they find what they share, with others on the same host too.
    pub(super) registry: Registry,
    /// What worker processes run, or why there are none.
    pub(super) worker_program: Result<WorkerProgram, &'static str>,
    /// The component as worker processes get it.
    pub(super) images: Images,
}

/// What is opened when an application begins.
#[derive(Debug)]
pub(super) struct Opened {
    directories: Directories,
    identities: Identities,
}

impl Opened {
    /// Opens what permissions name.
    ///
    /// # Errors
    /// If a granted directory or the files of a TLS identity can't be opened or used.
    pub(super) fn new(permissions: &Permissions) -> Result<Self, Error> {
        Ok(Self {
            directories: Directories::open(permissions).map_err(|error| no_directory(&error))?,
            identities: Identities::load(permissions.tls_identities())
                .map_err(Error::TlsIdentity)?,
        })
    }
}

impl Application {
    /// An application of which nothing runs yet.
    pub(super) fn new(
        component: &Component,
        options: Options,
        opened: Opened,
        streams: Option<Streams>,
        authorities: SystemAuthorities,
        registry: Registry,
    ) -> Self {
        let Options {
            permissions,
            limits,
            args,
            worker_program,
            ..
        } = options;
        Self {
            component: component.clone(),
            directories: opened.directories,
            permissions: Arc::new(permissions),
            limits,
            args: args.into(),
            streams,
            authorities,
            identities: opened.identities,
            allowance: Allowance::new(&limits),
            cpu_time: CpuTime::default(),
            registry,
            worker_program: worker_program.ok_or(NO_PROGRAM),
            images: Images::default(),
        }
    }

    /// The same for a worker: the time it may take is its application's.
    pub(super) fn of_worker(&self) -> Self {
        Self {
            limits: self.limits.with_time(None),
            ..self.clone()
        }
    }

    /// What the standard library of an instance may do.
    pub(super) fn wasi(&self) -> Result<WasiCtx, Error> {
        let options = WasiOptions {
            args: &self.args,
            streams: self.streams.as_ref(),
        };
        traps::context(&self.permissions, self.directories.places(), &options)
            .map_err(|error| no_directory(&error))
    }

    /// What an instance's TLS is made of.
    pub(super) fn tls(&self) -> Tls {
        Tls::new(self.authorities.clone(), self.identities.clone())
    }
}

fn no_directory(error: &NoSuchDirectory) -> Error {
    Error::Directory(error.to_string())
}
