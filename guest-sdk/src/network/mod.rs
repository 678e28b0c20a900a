//! High-level networking: connections and servers in one call.
//!
//! Hosts may be given by name. A name is looked up by the host's system, and only if `--allow-net` covers it; what it
//! leads to may then be connected to, but for private, loopback and other special addresses, which need a grant of
//! their own.
//!
//! ```no_run
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     let client = curio::open_connection(("example.com", 80)).await?;
//!     client.send_all(b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n").await?;
//!     println!("{}", String::from_utf8_lossy(&client.recv(1000).await?));
//!     Ok(())
//! }
//! ```

mod attempts;
mod connection;
mod endpoint;
mod handle;
mod server;
mod unix;

pub use self::connection::{ConnectError, ConnectionOptions, create_connection, open_connection};
pub use self::endpoint::Endpoint;
pub use self::handle::{Server, create_server};
pub(crate) use self::server::accept_next;
pub use self::server::{Listener, ServerOptions, run_server, tcp_server, tcp_server_socket};
pub(crate) use self::unix::connect_to;
pub use self::unix::{open_unix_connection, unix_server, unix_server_socket};
