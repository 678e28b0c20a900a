//! The client of the echo servers: every connection sends a message, waits until it is back, and sends the
//! next. One thread, and two system calls a message, which is as little as a client can do.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// How long a message is.
pub(crate) const MESSAGE: usize = 1024;

/// How long to wait for a message to come back before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// How much of the message is back.
    received: usize,
}

impl Load {
    /// Connects.
    pub(crate) fn connect(to: SocketAddr, connections: usize) -> Self {
        let poll = Poll::new().expect("the system has an event queue left");
        let connections = (0..connections)
            .map(|index| {
                let stream = std::net::TcpStream::connect(to).expect("the server listens");
                stream.set_nodelay(true).expect("TCP has that option");
                stream.set_nonblocking(true).expect("sockets may be so");
                let mut stream = TcpStream::from_std(stream);
                poll.registry()
                    .register(&mut stream, Token(index), Interest::READABLE)
                    .expect("the stream is not registered yet");
                Connection {
                    stream,
                    received: 0,
                }
            })
            .collect();
        Self {
            poll,
            events: Events::with_capacity(1024),
            connections,
        }
    }

    /// Keeps all connections busy for a time; returns how many messages came back, and how long that took.
    pub(crate) fn run(&mut self, length: Duration) -> (u64, Duration) {
        let message = [b'x'; MESSAGE];
        let begun = Instant::now();
        for connection in &mut self.connections {
            connection.send(&message);
        }
        let (mut messages, mut under_way) = (0, self.connections.len());
        let mut took = Duration::ZERO;
        // The last ones are waited for, but don't count: not all connections are busy any more.
        while under_way > 0 {
            let polled = self.poll.poll(&mut self.events, Some(PATIENCE));
            polled.expect("waiting for events works");
            assert!(!self.events.is_empty(), "the server does not answer");
            let over = took > Duration::ZERO;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if !connection.is_message_back() {
                    continue;
                }
                if over {
                    under_way -= 1;
                } else {
                    messages += 1;
                    connection.send(&message);
                }
            }
            if !over && begun.elapsed() >= length {
                took = begun.elapsed();
            }
        }
        (messages, took)
    }
}

impl Connection {
    /// Sends a message. There is room, since the one before has come back.
    fn send(&mut self, message: &[u8]) {
        self.received = 0;
        self.stream.write_all(message).expect("there is room");
    }

    /// Reads what is there; returns whether that is the end of the message.
    fn is_message_back(&mut self) -> bool {
        let mut buffer = [0; MESSAGE];
        while self.received < MESSAGE {
            match self.stream.read(&mut buffer[self.received..]) {
                Ok(0) => panic!("the server has closed the connection"),
                Ok(bytes) => self.received += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("the server has failed: {error}"),
            }
        }
        true
    }
}
