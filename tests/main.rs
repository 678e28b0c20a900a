//! End-to-end tests: they run the program `curio-host` as a user would.
//!
//! One binary, so that it links once. `harness` starts the program and looks at what it does.

#![expect(
    clippy::disallowed_methods,
    reason = "tests are no guests: they read files, start programs and wait"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on fails, in its helpers too"
)]

mod harness;

mod abide;
mod amounts;
mod behaviours;
mod cancellation;
mod cli_arguments;
mod cli_cache;
mod cli_errors;
mod cli_exits;
mod combinators;
mod examples;
mod examples_files;
mod examples_network;
mod files;
mod files_escapes;
mod files_limits;
mod hostile;
mod hostile_sockets;
mod hostile_traps;
mod hostile_workers;
mod http_hello;
mod instances;
mod limits;
mod many_connections;
mod memory_held;
mod much_work;
mod names;
mod network;
mod network_unix;
mod peers;
mod permissions;
mod permissions_dirs;
mod permissions_sockets;
mod random_programs;
mod signal_sets;
mod signals;
mod sockets;
mod sockets_echo;
mod sockets_inherited;
mod sockets_kinds;
mod sockets_peers;
mod stdio;
mod stdio_tasks;
mod streams;
mod subprocess;
mod subprocess_rights;
mod sync;
mod task_groups;
mod tasks;
mod tidy;
mod timeouts;
mod tls;
mod tls_peers;
mod traps;
mod universal;
mod workers;
mod workers_embedded;
mod workers_outside;
