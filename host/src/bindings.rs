//! What `wasmtime` generates from `wit/`: the types a guest and the kernel exchange, and the traits that
//! `traps/` implements.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "guest-with-jobs",
        imports: {
            "curio:kernel/traps.wait": async | trappable,
            default: trappable,
        },
        exports: {
            default: async,
        },
        trappable_error_type: {
            "curio:kernel/types.error" => crate::traps::TrapError,
        },
        with: {
            "curio:kernel/sockets.socket": crate::sockets::Socket,
            "curio:kernel/resolve.lookup": crate::sockets::Lookup,
            "curio:kernel/files.directory": crate::files::Directory,
            "curio:kernel/files.file": crate::files::File,
            "curio:kernel/files.operation": crate::files::Operation,
            "curio:kernel/queues.queue": crate::shared::Queue,
            "curio:kernel/queues.event": crate::shared::Event,
            "curio:kernel/queues.result-cell": crate::shared::ResultCell,
            "curio:kernel/queues.lock": crate::shared::Lock,
            "curio:kernel/subprocess.child": crate::subprocess::Child,
            "curio:kernel/subprocess.pipe": crate::subprocess::Pipe,
            "curio:kernel/tls.client-config": crate::tls::ClientConfig,
            "curio:kernel/tls.server-config": crate::tls::ServerConfig,
            "curio:kernel/tls.tls-stream": crate::tls::TlsStream,
            "curio:kernel/workers.job": crate::workers::Job,
            "curio:kernel/signals.watcher": crate::signals::Watcher,
            "curio:kernel/signals.ignorer": crate::signals::Ignorer,
        },
    });
}

pub(crate) use self::generated::GuestWithJobs as Guest;
pub(crate) use self::generated::curio::kernel::{
    files, log, queues, resolve, signals, sockets, stdio, subprocess, tls, traps, types, workers,
};
pub(crate) use self::generated::exports::curio::kernel::jobs;
