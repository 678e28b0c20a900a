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
        },
    });
}

pub(crate) use self::generated::Guest;
pub(crate) use self::generated::curio::kernel::{log, sockets, traps, types};
