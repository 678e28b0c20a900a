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
//! - tasks: [`spawn`], [`TaskOptions`], [`Task`], [`TaskRef`], [`current_task`], [`Local`]
//! - tasks that belong together: [`task_group`], [`TaskGroup`], [`Wait`]
//! - time: [`clock`], [`sleep`], [`yield_now`], [`Instant`]
//! - timeouts: [`timeout_after`], [`timeout_at`], [`ignore_after`], [`ignore_at`]
//! - cancellation: [`TaskRef::cancel`], [`disable_cancellation`], [`check_cancellation`], [`take_cancellation`],
//!   [`set_cancellation`]
//! - synchronization: [`sync`], with [`Event`](sync::Event), [`ResultCell`](sync::ResultCell), [`Lock`](sync::Lock),
//!   [`RLock`](sync::RLock), [`Semaphore`](sync::Semaphore), [`BoundedSemaphore`](sync::BoundedSemaphore),
//!   [`Condition`](sync::Condition)
//! - queues: [`queue`], with [`Queue`](queue::Queue), [`PriorityQueue`](queue::PriorityQueue),
//!   [`LifoQueue`](queue::LifoQueue)
//! - what threads and instances share: [`UniversalQueue`](queue::UniversalQueue),
//!   [`UniversalEvent`](sync::UniversalEvent), [`UniversalResult`](sync::UniversalResult),
//!   [`SharedLock`](sync::SharedLock)
//! - sockets, and names of hosts: [`mod@socket`], with [`Socket`]
//! - files and directories: [`mod@file`]
//! - standard streams, streams, line by line, and what other crates read and write: [`mod@io`]; messages: [`channel`]
//! - network: [`mod@network`], with [`open_connection`], [`tcp_server`] and [`run_server`]
//! - signals: [`signal`], with [`SignalSet`](signal::SignalSet), [`SignalQueue`](signal::SignalQueue) and
//!   [`SignalEvent`](signal::SignalEvent)
//! - connections that nobody else can read: [`ssl`]
//! - work on other threads and in other processes: [`workers`], with [`run_in_thread`] and [`run_in_process`];
//!   [`mod@thread`], with [`spawn_thread`]
//! - functions and locks of whatever sort: [`mod@abide`], with [`fn@abide`] and [`abide_with`]
//! - programs of the host: [`mod@subprocess`], with [`Command`](subprocess::Command) and [`Popen`](subprocess::Popen)
//! - errors: [`Error`], [`TaskError`], [`TimedOut`]
//! - what all of it is made of: [`traps`]
//!
//! # Cancellation
//!
//! A task is cancelled, or times out, where it is blocked: the operation returns an error for which
//! [`Error::is_cancellation`] holds. So cleanup is ordinary code, which may block again. An operation that can
//! go on at once never fails that way; and what has already happened is never taken back by it. What blocks says
//! under *Cancellation* what is left behind then; if it names no *Errors*, it fails in no other way.
//!
//! Futures of other crates work in tasks too: channels, `join!`, `select!`, `FuturesUnordered`. A task that is
//! blocked in nothing but such a future can't be told anything there; when it is cancelled, its
//! future is dropped, and when a timeout block around it expires, the block's is.

pub mod abide;
mod barrier;
mod bindings;
mod cancellation;
pub mod channel;
mod error;
pub mod file;
pub mod io;
mod local;
mod names;
pub mod network;
mod partial;
mod poll_wait;
pub mod queue;
mod runtime;
mod sched;
pub mod signal;
pub mod socket;
pub mod ssl;
mod stdio;
pub mod subprocess;
pub mod sync;
mod task;
pub mod thread;
mod time;
mod told;
pub mod traps;
mod universal;
pub mod workers;

pub use curio_sdk_macros::main;

pub use self::abide::{Abide, abide, abide_with};
pub use self::cancellation::{
    check_cancellation, disable_cancellation, set_cancellation, take_cancellation,
};
pub use self::error::{Error, Result, TaskError, TimedOut};
pub use self::file::{File, aopen};
pub use self::local::Local;
pub use self::network::{
    create_connection, create_server, open_connection, open_unix_connection, run_server,
    tcp_server, tcp_server_socket, unix_server, unix_server_socket,
};
pub use self::partial::Partial;
pub use self::runtime::run;
pub use self::socket::Socket;
pub use self::task::{
    DoneTasks, Task, TaskGroup, TaskId, TaskOptions, TaskRef, TaskState, Wait, current_task, spawn,
    task_group,
};
pub use self::thread::{async_thread, spawn_thread};
pub use self::time::{
    Instant, clock, ignore_after, ignore_at, sleep, timeout_after, timeout_at, yield_now,
};
pub use self::workers::{block_in_thread, run_in_executor, run_in_process, run_in_thread};
