//! Channels: messages between programs, or between parts of one.
//!
//! A [`Connection`] sends and receives values of any type that `serde` knows, or plain bytes, over two streams.
//! [`Channel`] and [`Listener`] make such connections over TCP, and can make sure that the peer has the same key.
//!
//! ```no_run
//! use std::net::{Ipv4Addr, SocketAddr};
//!
//! use curio::channel::Channel;
//!
//! # async fn example() -> curio::Result<()> {
//! let mut channel = Channel::new((Ipv4Addr::LOCALHOST, 30000)).with_key("peekaboo");
//! let mut connection = channel.accept().await?;
//! let (x, y): (i64, i64) = connection.recv().await?;
//! connection.send(&(x + y)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What goes over the wire
//!
//! A message is its length, four bytes, the highest first, and then its bytes. Values are written by `postcard`, which
//! writes no types: both sides have to agree on them. It is not what Python's `multiprocessing` writes.
//!
//! # Keys
//!
//! With a key, each side shows the other that it has the same, without sending it: HMAC-SHA256 over random bytes of
//! both sides. That says who is at the other end when a connection begins. What is sent afterwards is neither
//! encrypted nor protected against being changed on its way: that is what TLS is for.

mod auth;
mod connection;
mod endpoint;
mod listener;
mod receiver;
mod sender;

pub use self::connection::{Connection, SocketConnection};
pub use self::endpoint::{Channel, client};
pub use self::listener::Listener;
pub use self::receiver::Receiver;
pub use self::sender::Sender;

/// How long a message may be by the format.
const MAX_SIZE: usize = 0x7fff_ffff;
