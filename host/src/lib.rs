//! The kernel of curio: runs WebAssembly components that can do nothing but ask.
//!
//! A guest is a component for `wasm32-wasip2` with any number of cooperative tasks. Everything beyond
//! its own memory it asks of the kernel by a *trap*: an import described in `wit/`. Nothing is
//! granted unless [`Permissions`] say so, and [`Limits`] bound what it may use.
//!
//! How a trap travels:
//!
//! ```text
//! guest task ──await──► SDK future ──import──► traps: check, then note in the kernel what the task waits for
//!    ▲                      │ Poll::Pending
//!    │                      ▼
//! resume ◄── SDK's loop: for r in wait() { poll the task whose trap r says has ended }
//!                           ▲
//!                           └── host: select, expire timers, give the thread to who may go on
//! ```
//!
//! The rooms, from the top down; imports point down only:
//!
//! - `cli`: the command line
//! - `host`: the driver, which gives the thread to instances
//! - `loader`: from a file to a component that can be started
//! - `traps`: the answers to a guest's traps, one file a WIT interface
//! - `tls`: connections over sockets, encrypted
//! - `sockets`, `files`, `stdio`, `signals`, `subprocess`: what the operating system does; `workers`: what other instances of the guest do;
//!   `shared`: what instances share
//! - `background`: threads for what would block the kernel's
//! - `kernel`: who waits for what, and who may go on; knows nothing of WebAssembly
//! - `selector`: waiting for descriptors; `isolation`: confining a process of its own
//! - `permissions`, `limits`, `error`: what all of them use; `closer`: closing descriptors without waiting;
//!   `regular_file`: reading files that flags name
//!
//! To run components in a program of one's own, see [`Host`].

mod background;
mod bindings;
pub mod cli;
mod closer;
mod error;
mod files;
mod host;
mod isolation;
mod kernel;
mod limits;
mod loader;
mod permissions;
mod printable;
mod regular_file;
mod selector;
mod shared;
mod signals;
mod sockets;
mod stdio;
mod subprocess;
mod tls;
mod traps;
mod workers;

pub use self::error::Error;
pub use self::host::{Exit, Host, Instance, Options, Termination, WorkerProcess, WorkerProgram};
pub use self::limits::{
    InvalidLimit, LimitExceeded, Limits, parse_count, parse_count_or_none, parse_duration,
    parse_size,
};
pub use self::loader::{Cache, Component, Engine, EngineOptions, Pool};
pub use self::permissions::{
    Denied, DirGrant, InvalidPermission, InvalidSignal, Permissions, Program, Signal, SocketPath,
    SocketUse, TlsIdentity,
};
pub use self::signals::Signals;
pub use self::sockets::InheritedSockets;
pub use self::traps::Stdio;
