//! The client of the echo servers: every connection sends a message, waits until it is back, and sends the
//! next. One thread, and two system calls a message, which is as little as a client can do.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpStream, UdpSocket};
use mio::{Events, Interest, Poll, Registry, Token};

/// How long a message is.
pub(crate) const MESSAGE: usize = 1024;

/// How long to wait for a message to come back before giving up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Load<S> {
    poll: Poll,
    events: Events,
    connections: Vec<Connection<S>>,
}

#[derive(Debug)]
struct Connection<S> {
    stream: S,
    /// How much of the message is back.
    received: usize,
}

/// A socket for datagrams that is connected to the server, used like a stream.
#[derive(Debug)]
pub(crate) struct Datagrams(UdpSocket);

impl Read for Datagrams {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.recv(buffer)
    }
}

impl Write for Datagrams {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.send(data)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Connects, and says so when the server's answers come.
fn connect(to: SocketAddr, registry: &Registry, token: Token) -> TcpStream {
    let stream = std::net::TcpStream::connect(to).expect("the server listens");
    stream.set_nodelay(true).expect("TCP has that option");
    stream.set_nonblocking(true).expect("sockets may be so");
    let mut stream = TcpStream::from_std(stream);
    registry
        .register(&mut stream, token, Interest::READABLE)
        .expect("the stream is not registered yet");
    stream
}

impl Load<TcpStream> {
    /// Connects.
    pub(crate) fn connect(to: SocketAddr, connections: usize) -> Self {
        Self::open(connections, |registry, token| connect(to, registry, token))
    }
}

impl Load<Datagrams> {
    /// Makes sockets that send to the server.
    pub(crate) fn connect_udp(to: SocketAddr, connections: usize) -> Self {
        Self::open(connections, |registry, token| {
            let any = "127.0.0.1:0".parse().expect("it is an address");
            let mut socket = UdpSocket::bind(any).expect("a port is free");
            socket.connect(to).expect("it is an address");
            registry
                .register(&mut socket, token, Interest::READABLE)
                .expect("the socket is not registered yet");
            Datagrams(socket)
        })
    }
}

impl<S: Read + Write> Load<S> {
    /// Connects, and makes of each connection what data goes through.
    pub(crate) fn connect_through(
        to: SocketAddr,
        connections: usize,
        wrap: impl Fn(TcpStream) -> S,
    ) -> Self {
        Self::open(connections, |registry, token| {
            wrap(connect(to, registry, token))
        })
    }

    fn open(connections: usize, connect: impl Fn(&Registry, Token) -> S) -> Self {
        let poll = Poll::new().expect("the system has an event queue left");
        let connections = (0..connections)
            .map(|index| Connection {
                stream: connect(poll.registry(), Token(index)),
                received: 0,
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

impl<S: Read + Write> Connection<S> {
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
