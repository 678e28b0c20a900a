//! Write concurrent programs that run sandboxed under `curio-host`.
//!
//! A program is a set of cooperative tasks. Everything it wants from outside its own memory it asks of the
//! kernel; what that allows is said on the kernel's command line. The API is that of curio, the Python
//! library: if you know that, the names will be familiar.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     let countdown = curio::spawn(async {
//!         for n in (1..=3).rev() {
//!             println!("T-minus {n}");
//!             curio::sleep(Duration::from_secs(1)).await?;
//!         }
//!         Ok(())
//!     });
//!     countdown.join().await?;
//!     println!("Liftoff");
//!     Ok(())
//! }
//! ```
//!
//! Build it with `cargo build --target wasm32-wasip2`, run it with `curio-host app.wasm`.
//!
//! # Modules
//!
//! - tasks: [`spawn`], [`Task`], [`current_task`], [`Local`]
//! - tasks that belong together: [`task_group`], [`TaskGroup`], [`Wait`]
//! - time: [`clock`], [`sleep`], [`yield_now`], [`timeout_after`], [`ignore_after`]
//! - cancellation: [`TaskRef::cancel`], [`disable_cancellation`], [`check_cancellation`]
//! - synchronization: [`sync`]; queues: [`queue`]
//! - sockets: [`mod@socket`]
//! - network: [`open_connection`], [`tcp_server`], [`run_server`]
//! - what all of it is made of: [`traps`]
//!
//! # Cancellation
//!
//! A task is cancelled, or times out, where it is blocked: the operation returns an error for which
//! [`Error::is_cancellation`] holds. So cleanup is ordinary code, which may block again. An operation that can
//! go on at once never fails that way; and what has already happened is never taken back by it.
//!
//! Futures of other crates work in tasks too: channels, `join!`, `select!`, `FuturesUnordered`. A task that is
//! blocked in nothing but such a future can't be told anything there; when it is cancelled, its
//! future is dropped, and when a timeout block around it expires, the block's is.

mod barrier;
mod bindings;
mod cancellation;
mod error;
mod local;
mod network;
mod partial;
pub mod queue;
mod runtime;
mod sched;
pub mod socket;
pub mod sync;
mod task;
mod time;
pub mod traps;

pub use curio_sdk_macros::main;

pub use self::cancellation::{
    check_cancellation, disable_cancellation, set_cancellation, take_cancellation,
};
pub use self::error::{Error, Result, TaskError, TimedOut};
pub use self::local::Local;
pub use self::network::{open_connection, run_server, tcp_server, tcp_server_socket};
pub use self::partial::Partial;
pub use self::runtime::run;
pub use self::socket::Socket;
pub use self::task::{
    Task, TaskGroup, TaskId, TaskOptions, TaskRef, TaskState, Wait, current_task, spawn, task_group,
};
pub use self::time::{
    Instant, clock, ignore_after, ignore_at, sleep, timeout_after, timeout_at, yield_now,
};
