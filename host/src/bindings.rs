//! What `wasmtime` generates from `wit/`: the types a guest and the kernel exchange, and the traits that
//! `traps/` implements.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "guest",
        imports: {
            "curio:kernel/traps.wait": async | trappable,
            default: trappable,
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
            "curio:kernel/subprocess.child": crate::subprocess::Child,
            "curio:kernel/subprocess.pipe": crate::subprocess::Pipe,
            "curio:kernel/tls.client-config": crate::tls::ClientConfig,
            "curio:kernel/tls.server-config": crate::tls::ServerConfig,
            "curio:kernel/tls.tls-stream": crate::tls::TlsStream,
        },
    });
}

pub(crate) use self::generated::Guest;
pub(crate) use self::generated::curio::kernel::{
    files, log, resolve, sockets, stdio, subprocess, tls, traps, types,
};
