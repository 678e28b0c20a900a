//! What `wit-bindgen` generates from `wit/`: the imports, each called by the module of its name.

mod generated {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../wit",
        world: "guest",
        generate_all,
    });
}

pub(crate) use self::generated::curio::kernel::{
    files, log, resolve, sockets, stdio, subprocess, tls, traps, types,
};
