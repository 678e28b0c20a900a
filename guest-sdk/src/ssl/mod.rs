//! TLS, as curio's `ssl` module: connections that nobody in between can read or change.
//!
//! A [`ClientContext`] or a [`ServerContext`] says how connections are made; `wrap_socket` makes one, a [`TlsStream`], of
//! a connected socket. Mostly that is done by [`open_tls_connection`] and [`tls_server`]:
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use curio::ssl;
//!
//! # async fn example(peer: SocketAddr) -> curio::Result<()> {
//! let context = ssl::create_default_context().await?;
//! let stream = ssl::open_tls_connection(peer, "example.org", &context).await?;
//! stream.send_all(b"HEAD / HTTP/1.0\r\nHost: example.org\r\n\r\n").await?;
//! let answer = stream.recv(65_536).await?;
//! stream.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`TlsStream`] sends and receives as a socket does. [`TlsStream::into_stream`] makes a stream of it, for lines; and
//! what other crates do on a connection, they do on one of these: see [`io`](crate::io).
//!
//! The protocol itself, TLS 1.2 and 1.3, is the host's part. So a server may use a key that the program can't read:
//! see [`Identity::named`]. A server's certificate and its name are checked, unless the program says
//! otherwise by [`ClientBuilder::check_hostname`] or [`ClientBuilder::danger_accept_invalid_certs`].

mod client;
mod error;
mod handshake;
mod identity;
mod network;
mod raw;
mod server;
mod stream;

pub use self::client::{ClientBuilder, ClientContext, create_default_context};
pub use self::error::{SslError, SslErrorKind};
pub use self::identity::Identity;
pub use self::network::{get_server_certificate, open_tls_connection, run_tls_server, tls_server};
pub use self::server::{ServerBuilder, ServerContext};
pub use self::stream::TlsStream;
use crate::bindings::tls as kernel;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2
    #[doc(alias = "TLSv1_2")]
    Tls12,
    /// TLS 1.3
    #[doc(alias = "TLSv1_3")]
    Tls13,
}

impl From<TlsVersion> for kernel::Version {
    fn from(version: TlsVersion) -> Self {
        match version {
            TlsVersion::Tls12 => Self::Tls12,
            TlsVersion::Tls13 => Self::Tls13,
        }
    }
}

impl From<kernel::Version> for TlsVersion {
    fn from(version: kernel::Version) -> Self {
        match version {
            kernel::Version::Tls12 => Self::Tls12,
            kernel::Version::Tls13 => Self::Tls13,
        }
    }
}

/// The names of protocols, as the kernel takes them.
fn protocols<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>) -> Vec<Vec<u8>> {
    names
        .into_iter()
        .map(|name| name.as_ref().to_vec())
        .collect()
}
