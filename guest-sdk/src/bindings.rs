//! What `wit-bindgen` generates from `wit/`: the imports that only `traps` and `socket` call.

mod generated {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../wit",
        world: "guest",
        generate_all,
    });
}

pub(crate) use self::generated::curio::kernel::{log, sockets, tls, traps, types};
