//! The socket between a program and its worker process, and the frames that go through it.
//!
//! Both ends are the same. Nothing here waits: what the socket does not take at once is kept.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use bytes::{Buf, Bytes, BytesMut};
use rustix::net::{
    self, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

/// How long a frame may be: more than may pass between two instances.
const MAX_FRAME: usize = 17 << 20;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// One end of the link.
#[derive(Debug)]
pub(crate) struct Link {
    socket: UnixStream,
    codec: LengthDelimitedCodec,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl Link {
    /// An end of a link.
    ///
    /// # Errors
    /// If the socket can't be set up.
    pub(crate) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            codec: LengthDelimitedCodec::builder()
                .max_frame_length(MAX_FRAME)
                .new_codec(),
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
        })
    }

    /// Adds a message to what is to be sent.
    pub(crate) fn push(&mut self, header: &impl Serialize, bytes: &[u8]) {
        let mut frame = postcard::to_stdvec(header).expect("a header can be written");
        frame.extend_from_slice(bytes);
        let encoded = self.codec.encode(Bytes::from(frame), &mut self.outgoing);
        encoded.expect("no more passes between two instances");
    }

    /// Sends what is to be sent. Returns false if some of it is left.
    ///
    /// # Errors
    /// If the other end is gone.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while !self.outgoing.is_empty() {
            match (&self.socket).write(&self.outgoing) {
                Ok(sent) => self.outgoing.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // A big message is no reason to keep so much for the small ones.
        if self.outgoing.capacity() > PIECE {
            self.outgoing = BytesMut::new();
        }
        Ok(true)
    }

    /// Whether nothing is left to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    /// If the other end is gone, or what it sent makes no sense.
    pub(crate) fn receive<H: DeserializeOwned>(&mut self) -> io::Result<Option<(H, Vec<u8>)>> {
        loop {
            if let Some(frame) = self.codec.decode(&mut self.incoming)? {
                let (header, rest) = postcard::take_from_bytes(&frame)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                return Ok(Some((header, rest.to_vec())));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// Reads some more. Returns false if there is nothing.
    fn read(&mut self) -> io::Result<bool> {
        let filled = self.incoming.len();
        self.incoming.resize(filled + PIECE, 0);
        let read = loop {
            match (&self.socket).read(&mut self.incoming[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.incoming
            .truncate(filled + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends the first message, with a descriptor: before any other one, while there is room for it.
    ///
    /// # Errors
    /// If the socket takes no more.
    pub(crate) fn push_with(&mut self, bytes: &[u8], fd: BorrowedFd<'_>) -> io::Result<()> {
        let mut frame = BytesMut::new();
        self.codec
            .encode(Bytes::copy_from_slice(bytes), &mut frame)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut passed = SendAncillaryBuffer::new(&mut space);
        let fds = [fd];
        passed.push(SendAncillaryMessage::ScmRights(&fds));
        let parts = [IoSlice::new(&frame)];
        let sent = net::sendmsg(&self.socket, &parts, &mut passed, SendFlags::NOSIGNAL)?;
        self.outgoing.extend_from_slice(&frame[sent..]);
        self.flush().map(drop)
    }

    /// Waits for the first message, and the descriptor that comes with it.
    ///
    /// # Errors
    /// If the other end is gone, or sends something else.
    pub(crate) fn receive_first(&mut self) -> io::Result<(Vec<u8>, OwnedFd)> {
        self.socket.set_nonblocking(false)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut passed = RecvAncillaryBuffer::new(&mut space);
        let mut buffer = vec![0; PIECE];
        let received = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            net::recvmsg(
                &self.socket,
                &mut parts,
                &mut passed,
                RecvFlags::CMSG_CLOEXEC,
            )?
        };
        self.incoming.extend_from_slice(&buffer[..received.bytes]);
        let fd = passed.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        let fd = fd.ok_or(io::ErrorKind::InvalidData)?;
        let first = loop {
            if let Some(frame) = self.codec.decode(&mut self.incoming)? {
                break frame.to_vec();
            }
            self.read()?;
        };
        self.socket.set_nonblocking(true)?;
        Ok((first, fd))
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Link, Link) {
        let (one, other) = UnixStream::pair().unwrap();
        (Link::new(one).unwrap(), Link::new(other).unwrap())
    }

    #[test]
    fn messages_come_as_they_were_sent() {
        let (mut one, mut other) = pair();
        assert!(other.receive::<u32>().unwrap().is_none());
        let big = vec![7; 3 << 20];
        one.push(&1_u32, b"one");
        one.push(&2_u32, &big);
        one.push(&3_u32, b"");
        let mut received = Vec::new();
        while received.len() < 3 {
            one.flush().unwrap();
            received.extend(other.receive::<u32>().unwrap());
        }
        assert!(one.is_flushed());
        let expected = [(1, b"one".to_vec()), (2, big), (3, Vec::new())];
        assert!(received == expected);
    }

    #[test]
    fn an_end_that_is_gone_is_an_error() {
        let (mut one, other) = pair();
        drop(other);
        assert!(one.receive::<u32>().is_err());
        one.push(&1_u32, b"one");
        assert!(one.flush().is_err());
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let (mut one, other) = pair();
        (&other.socket).write_all(&[0xff; 100]).unwrap();
        assert!(one.receive::<u32>().is_err());
        let (mut one, other) = pair();
        (&other.socket).write_all(&[0, 0, 0, 0]).unwrap();
        assert!(one.receive::<u32>().is_err(), "there is no header");
    }

    #[test]
    fn the_first_message_brings_a_descriptor() {
        let (mut one, mut other) = pair();
        let (here, there) = UnixStream::pair().unwrap();
        let long = vec![1; 200_000];
        let sender = std::thread::Builder::new();
        #[expect(clippy::disallowed_methods, reason = "both ends at once")]
        let sender = sender
            .spawn(move || {
                one.push_with(&long, there.as_fd()).unwrap();
                while !one.flush().unwrap() {
                    std::thread::yield_now();
                }
                long
            })
            .unwrap();
        let (first, fd) = other.receive_first().unwrap();
        assert!(first == sender.join().unwrap());
        (&UnixStream::from(fd)).write_all(b"x").unwrap();
        let mut byte = [0];
        (&here).read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"x");
    }
}
