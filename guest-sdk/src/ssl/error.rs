//! What is wrong when a TLS connection fails.

use crate::bindings::types;

/// Why a TLS connection failed. It can't go on.
#[doc(alias = "SSLError")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SslError {
    kind: SslErrorKind,
    message: String,
}

/// Whose fault it is that a TLS connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslErrorKind {
    /// The peer's certificate was refused, or it has shown none.
    #[doc(alias = "SSLCertVerificationError")]
    Certificate,
    /// The peer has refused to go on, and says so by an alert.
    Alert,
    /// What the peer sent is no TLS, or has nothing in common with what was asked of it.
    Protocol,
    /// The stream ended, and the peer did not say so by TLS's own means: somebody may have cut it off.
    #[doc(alias = "SSLEOFError")]
    UnexpectedEof,
}

impl SslError {
    /// Whose fault it is.
    pub fn kind(&self) -> SslErrorKind {
        self.kind
    }
}

impl From<types::TlsError> for SslError {
    fn from(error: types::TlsError) -> Self {
        let kind = match error.kind {
            types::TlsErrorKind::Certificate => SslErrorKind::Certificate,
            types::TlsErrorKind::Alert => SslErrorKind::Alert,
            types::TlsErrorKind::Protocol => SslErrorKind::Protocol,
            types::TlsErrorKind::UnexpectedEof => SslErrorKind::UnexpectedEof,
        };
        Self {
            kind,
            message: error.message,
        }
    }
}
