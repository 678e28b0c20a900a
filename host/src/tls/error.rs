//! What can go wrong with TLS, in words for whoever wrote the guest.

use std::io;
use std::time::Duration;

use humantime::format_duration;
use rustls::{CertificateError, Error};
use thiserror::Error;

use crate::limits::LimitExceeded;
use crate::sockets::SocketError;

/// How many characters of a text that comes from the peer are repeated.
const MAX_CHARS: usize = 400;

/// Why something with TLS fails.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    /// The socket says no, or would block.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The connection, or what it would be made by, is not in a state in which this can be done.
    #[error("{0}")]
    State(&'static str),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(String),
    /// The instance has no memory left for it.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The connection can't go on.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

impl From<SocketError> for TlsError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::State(what) => Self::State(what),
            SocketError::Argument(what) => Self::Argument(what.to_owned()),
            SocketError::Limit(limit) => Self::Limit(limit),
            error => Self::Io(error.into()),
        }
    }
}

impl TlsError {
    /// Whether it is only that nothing can be done for now.
    pub(super) fn would_block(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Why a connection can't go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub(crate) struct PeerError {
    pub(crate) kind: PeerErrorKind,
    text: String,
}

/// Whose fault it is that a connection can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerErrorKind {
    /// The peer's certificate is not good enough.
    Certificate,
    /// The peer has refused to go on.
    Alert,
    /// What the peer sent is no TLS, or has nothing in common with what was asked of it.
    Protocol,
    /// The stream has ended, and the peer did not say so.
    UnexpectedEof,
}

impl PeerError {
    /// The stream has ended too soon.
    pub(super) fn unexpected_eof(in_handshake: bool) -> Self {
        let text = if in_handshake {
            "the peer hung up during the TLS handshake"
        } else {
            "the stream was cut off: it ended, and the peer did not say so by a TLS close_notify"
        };
        Self {
            kind: PeerErrorKind::UnexpectedEof,
            text: text.to_owned(),
        }
    }

    /// What the TLS library complains of.
    pub(super) fn new(error: &Error, in_handshake: bool) -> Self {
        let kind = match error {
            Error::InvalidCertificate(_) | Error::NoCertificatesPresented => {
                PeerErrorKind::Certificate
            }
            Error::AlertReceived(_) => PeerErrorKind::Alert,
            _ => PeerErrorKind::Protocol,
        };
        Self {
            kind,
            text: printable(&describe(error, in_handshake)),
        }
    }
}

/// An error in words that say what to do, as far as that is known.
fn describe(error: &Error, in_handshake: bool) -> String {
    match error {
        Error::InvalidCertificate(error) => refused(error),
        Error::NoCertificatesPresented => {
            "the peer has shown no certificate, and one is required".to_owned()
        }
        Error::AlertReceived(alert) => {
            format!("the peer refused the connection: TLS alert {alert:?}")
        }
        Error::InvalidMessage(what) if in_handshake => {
            format!("what the peer sent is no TLS ({what:?})")
        }
        Error::DecryptError | Error::InvalidMessage(_) => {
            format!("what the peer sent was damaged on its way: {error}")
        }
        Error::PeerIncompatible(why) => {
            format!("the peer speaks TLS, but has too little in common: {why:?}")
        }
        Error::NoApplicationProtocol => {
            "the peer speaks none of the protocols named for ALPN".to_owned()
        }
        _ => format!("the TLS connection failed: {error}"),
    }
}

/// Why a certificate was refused.
fn refused(error: &CertificateError) -> String {
    let why = match error {
        // Authorities of the same name, but with another key, count as little as none.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "none of the trusted authorities has signed it; if it is self-signed, or its issuer should be trusted, add \
             that to the authorities"
                .to_owned()
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = time.as_secs().saturating_sub(not_after.as_secs());
            let ago = format_duration(Duration::from_secs(ago));
            format!("it expired {ago} ago; if that is wrong, check the host's clock")
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let later = not_before.as_secs().saturating_sub(time.as_secs());
            let later = format_duration(Duration::from_secs(later));
            format!("it is not valid before another {later}; if that is wrong, check the host's clock")
        }
        _ => error.to_string(),
    };
    format!("the peer's certificate was refused: {why}")
}

/// What may be printed of a text that repeats what a peer sent.
fn printable(text: &str) -> String {
    let chars = text.chars().take(MAX_CHARS);
    chars
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_sent_can_be_printed() {
        let error = Error::General("\x1b[2J\n".repeat(1000));
        let error = PeerError::new(&error, true);
        assert_eq!(error.kind, PeerErrorKind::Protocol);
        assert!(!error.text.contains(char::is_control), "{error}");
        assert_eq!(error.text.chars().count(), MAX_CHARS);
    }
}
