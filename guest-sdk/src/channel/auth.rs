//! How two programs show each other that they have the same key.
//!
//! 1. The server sends `#CHALLENGE#` and random bytes.
//! 2. The client sends random bytes of its own, and its digest.
//! 3. The server sends `#WELCOME#` and its digest, or `#FAILURE#`.
//!
//! A digest is an HMAC over which side it is of, and the random bytes of both. So a digest that somebody got from one
//! side, in this conversation or another one, is no answer for that side.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Receiver, Sender};
use crate::error::{Error, Result};
use crate::io::RawIo;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";

/// No message of the conversation is as long.
const MAX: usize = 128;

/// How many random bytes each side gives.
const NONCE: usize = 32;

type Nonce = [u8; NONCE];

/// The conversation from the server's side.
pub(super) async fn serve<R: RawIo, W: RawIo>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    key: &[u8],
) -> Result<()> {
    let ours = nonce(key)?;
    sender.send_bytes(&[CHALLENGE, &ours].concat()).await?;
    let answer = recv(receiver).await?;
    let Some((theirs, digest)) = answer.split_first_chunk::<NONCE>() else {
        return Err(wrong("the peer's answer to the challenge is none"));
    };
    if digest_of(key, b"client", &ours, theirs)?
        .verify_slice(digest)
        .is_err()
    {
        sender.send_bytes(FAILURE).await?;
        return Err(wrong("digest received was wrong"));
    }
    let digest = digest_of(key, b"server", &ours, theirs)?.finalize();
    sender
        .send_bytes(&[WELCOME, &digest.into_bytes()].concat())
        .await?;
    Ok(())
}

/// The conversation from the client's side.
pub(super) async fn ask<R: RawIo, W: RawIo>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    key: &[u8],
) -> Result<()> {
    let ours = nonce(key)?;
    let challenge = recv(receiver).await?;
    let theirs = challenge.strip_prefix(CHALLENGE);
    let Some(theirs) = theirs.and_then(|nonce| Nonce::try_from(nonce).ok()) else {
        return Err(wrong("the peer sent no challenge"));
    };
    let digest = digest_of(key, b"client", &theirs, &ours)?.finalize();
    sender
        .send_bytes(&[&ours[..], &digest.into_bytes()].concat())
        .await?;
    let verdict = recv(receiver).await?;
    if verdict == FAILURE {
        return Err(wrong("digest sent was rejected"));
    }
    let Some(digest) = verdict.strip_prefix(WELCOME) else {
        return Err(wrong("the peer sent no verdict"));
    };
    (digest_of(key, b"server", &theirs, &ours)?.verify_slice(digest))
        .map_err(|_| wrong("digest received was wrong"))
}

/// Receives a message of the conversation.
async fn recv<R: RawIo>(receiver: &mut Receiver<R>) -> Result<Vec<u8>> {
    match receiver.recv_bytes(MAX).await {
        Err(Error::Limit(_)) => Err(wrong("the peer sent something else")),
        message => message,
    }
}

/// Random bytes, for a key that can be used.
fn nonce(key: &[u8]) -> Result<Nonce> {
    if key.is_empty() {
        return Err(Error::InvalidArgument("the key is empty".to_owned()));
    }
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(Error::other)?;
    Ok(nonce)
}

/// What shows that a side has the key.
fn digest_of(key: &[u8], side: &[u8], server: &Nonce, client: &Nonce) -> Result<Hmac<Sha256>> {
    let mut digest = Hmac::<Sha256>::new_from_slice(key).map_err(Error::other)?;
    for part in [b"curio channel, ", side, server, client] {
        digest.update(part);
    }
    Ok(digest)
}

fn wrong(text: &str) -> Error {
    Error::Authentication(text.to_owned())
}
