//! What `wit-bindgen` generates from `wit/`: the imports, each called by the module of its name, and `jobs`, which the
//! kernel calls.

mod generated {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../wit",
        world: "guest-with-jobs",
        generate_all,
    });

    #[expect(unsafe_code, reason = "generated code: what the kernel calls")]
    mod exported {
        use crate::workers::Jobs;

        super::export!(Jobs with_types_in super);
    }
}

pub(crate) use self::generated::curio::kernel::{
    files, log, queues, resolve, signals, sockets, stdio, subprocess, tls, traps, types, workers,
};
pub(crate) use self::generated::exports::curio::kernel::jobs;
