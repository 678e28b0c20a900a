//! Streams: reading and writing in pieces that suit the program, on whatever carries bytes.
//!
//! - [`Stream`]: lines, exact amounts, everything up to the end; [`SocketStream`] is one on a socket,
//!   [`FileStream`] one on a file
//! - [`Lines`]: the lines that come, one after the other
//! - [`stdin`], [`stdout`], [`stderr`]: the standard streams, for tasks: one that waits for input keeps no other
//!   from going on
//! - [`RawIo`]: what carries bytes, so that streams and channels can be made on it
//!
//! # Other crates
//!
//! [`Socket`], `&Socket`, [`TlsStream`], `&TlsStream` and [`Stream`] implement [`futures_io::AsyncRead`] and
//! [`futures_io::AsyncWrite`], and a stream [`futures_io::AsyncBufRead`] too, so that what was written for those traits runs on them. An interruption
//! arrives there as an [`std::io::Error`] of the kind `Other`, with the [`Error`](crate::Error) inside; it is not
//! of the kind `Interrupted`, which means that one should try again. [`Error::from`](crate::Error) and
//! [`Error::other`](crate::Error::other) take it out again.
//!
//! Most crates take every error for the end of a conversation, an interruption too. To wait for a while only and go on
//! afterwards, wait for their future and for [`sleep`](crate::sleep()) with `select!`, rather than in a timeout block.
//!
//! What is read or written by polling is not withdrawn when whoever polled goes away. So a task that does so counts
//! as the socket's reader until it reads again, or ends.

mod buffer;
mod file;
mod lines;
mod polled;
mod raw;
mod reading;
mod socket;
mod stdio;
mod stream;
mod writing;

pub use self::lines::Lines;
pub use self::raw::RawIo;
pub use self::stream::Stream;
#[doc(inline)]
pub use crate::file::FileStream;
use crate::socket::Socket;
#[cfg(doc)]
use crate::ssl::TlsStream;
pub use crate::stdio::{Stdin, Stdout, stderr, stdin, stdout};

/// How much is asked for when it does not matter how much comes.
const READ_SIZE: usize = 65_536;

/// A stream on a socket.
pub type SocketStream = Stream<Socket>;
