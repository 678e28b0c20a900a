//! Signals: what is sent to the process that the kernel runs in, by `kill` or a terminal.
//!
//! A [`SignalSet`] queues the signals that come while it watches; a [`SignalQueue`] watches as long as it lives; a
//! [`SignalEvent`] is set by any of them. All need `--allow-signal`.
//!
//! A signal that nobody watches or ignores does what it always does: most end the program at once, and those that nobody
//! cares about, as [`Signal::CHLD`] or [`Signal::WINCH`], do nothing. [`Signal::INT`] and [`Signal::TERM`] cancel the main
//! task first, and end the program when one comes again.
//!
//! Each set, queue or event that watches a signal gets it. A standard signal that comes again before the kernel has read
//! it is not told twice: the system keeps one. Real-time signals are all told. What the kernel has read is kept in its
//! order, and none of it is lost; if more has come than there is room for, only the order is.
//!
//! ```no_run
//! use curio::signal::{Signal, SignalSet};
//!
//! # fn read_settings() {}
//! # async fn example() -> curio::Result<()> {
//! let set = SignalSet::new([Signal::HUP, Signal::USR1])?;
//! let _watching = set.watch()?;
//! loop {
//!     match set.wait().await? {
//!         Signal::HUP => read_settings(),
//!         signal => println!("{signal}"),
//!     }
//! }
//! # }
//! ```

mod event;
mod kind;
mod queue;
mod set;
mod watch;

pub use self::event::SignalEvent;
pub use self::kind::{NoSuchSignal, Signal};
pub use self::queue::{SignalQueue, SignalStream};
pub use self::set::{Ignoring, SignalSet, Watching};
