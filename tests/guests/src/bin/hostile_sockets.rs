//! Sockets on which an operation of the system's would wait: those that linger, and those whose peer holds them up.
//! The last argument is the address of a peer, if a case needs one.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use curio::socket::{Address, SocketOption, SocketOptionName, socketpair, socketpair_datagram};
use curio::ssl::{ClientContext, Identity, ServerContext};
use curio::{Error, Result, Socket, ignore_after, sleep, spawn};
use test_guests::{ms, say, socket_pair};

test_guests::cases! {
    lingering_sockets_close_at_once
    lingering_sockets_are_open_at_the_end
    lingering_sockets_are_passed_along
    what_lingers_for_less_than_a_second_arrives
    what_lingers_for_no_time_is_reset
    a_tls_stream_lingers
    take_and_drop
    take_none
    receive_data_alone
    close_unreceived
    accept
    connect
    shared_with_itself
}

const LONG: SocketOption = SocketOption::Linger(Some(Duration::from_secs(65_535)));

/// A socket with more to send than the system takes; its peer reads nothing.
async fn full() -> Result<(Socket, Socket)> {
    let (client, server) = socket_pair().await?;
    let data = vec![0; 1 << 20];
    while ignore_after(ms(50), client.send(&data)).await?.is_some() {}
    Ok((client, server))
}

/// Asserts that other tasks go on.
async fn goes_on() -> Result<()> {
    for _ in 0..10 {
        sleep(ms(1)).await?;
    }
    Ok(())
}

async fn lingering_sockets_close_at_once() -> Result<()> {
    let (client, _server) = full().await?;
    client.set_option(LONG)?;
    assert_eq!(client.option(SocketOptionName::Linger)?, LONG);
    client.close();
    let (client, _server) = full().await?;
    client.set_option(LONG)?;
    drop(client);
    goes_on().await
}

async fn lingering_sockets_are_open_at_the_end() -> Result<()> {
    let (client, server) = full().await?;
    client.set_option(LONG)?;
    std::mem::forget((client, server));
    Ok(())
}

/// What was passed along is another process's, for all that the host knows.
async fn lingering_sockets_are_passed_along() -> Result<()> {
    for (one, other) in [socketpair()?, socketpair_datagram()?] {
        let (client, _server) = full().await?;
        client.set_option(LONG)?;
        one.send_msg(b"x", &[&client]).await?;
        drop(client);
        let message = other.recv_msg(10, 1).await?;
        message.sockets[0].set_option(LONG)?;
        // It goes the same way again, and stays there.
        one.send_msg(b"x", &[&message.sockets[0]]).await?;
        drop(message);
        drop((one, other));
        goes_on().await?;
    }
    Ok(())
}

async fn what_lingers_for_less_than_a_second_arrives() -> Result<()> {
    let (client, server) = socket_pair().await?;
    let half = SocketOption::Linger(Some(ms(500)));
    client.set_option(half)?;
    assert_eq!(client.option(SocketOptionName::Linger)?, half);
    let mut sent = 0;
    let data = vec![0; 1 << 20];
    while let Some(count) = ignore_after(ms(50), client.send(&data)).await? {
        sent += count;
    }
    drop(client);
    let mut received = 0;
    loop {
        match server.recv(65_536).await?.len() {
            0 => break,
            length => received += length,
        }
    }
    assert_eq!(received, sent);
    Ok(())
}

async fn what_lingers_for_no_time_is_reset() -> Result<()> {
    let (client, server) = full().await?;
    client.set_option(LONG)?;
    let zero = SocketOption::Linger(Some(Duration::ZERO));
    client.set_option(zero)?;
    assert_eq!(client.option(SocketOptionName::Linger)?, zero);
    drop(client);
    loop {
        match server.recv(65_536).await {
            Ok(data) => assert!(!data.is_empty(), "it ended as if all were sent"),
            Err(Error::Io(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// The client's side of TLS closes with data that the system has not sent.
async fn a_tls_stream_lingers() -> Result<()> {
    let server = ServerContext::builder(Identity::named("site")).build()?;
    let (client_socket, server_socket) = socket_pair().await?;
    let serving = spawn(async move {
        let stream = server.wrap_socket(server_socket)?;
        stream.do_handshake().await?;
        // It reads nothing, until it is cancelled.
        sleep(Duration::from_secs(1000)).await.map(drop)
    });
    client_socket.set_option(LONG)?;
    let context = ClientContext::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .await?;
    let stream = context.wrap_socket(client_socket, "localhost")?;
    stream.do_handshake().await?;
    let data = vec![0; 1 << 20];
    while ignore_after(ms(50), stream.send_all(&data))
        .await?
        .is_some()
    {}
    drop(stream);
    goes_on().await?;
    serving.cancel().await?;
    Ok(())
}

/// A connection with the peer outside, which has passed a socket through it.
async fn peer() -> Result<Socket> {
    let path = std::env::args().nth(2).expect("a path is given");
    curio::open_connection(Address::unix(path)).await
}

/// Waits until the peer has done what it has in mind.
async fn ready(peer: &Socket) -> Result<()> {
    peer.send_all(b"g").await?;
    assert_eq!(peer.recv(1).await?, b"r");
    Ok(())
}

async fn take_and_drop() -> Result<()> {
    let peer = peer().await?;
    let message = peer.recv_msg(1, 1).await?;
    assert_eq!(message.sockets.len(), 1);
    ready(&peer).await?;
    drop(message);
    goes_on().await
}

async fn take_none() -> Result<()> {
    let peer = peer().await?;
    let message = peer.recv_msg(1, 0).await?;
    assert_eq!(message.refused, 1);
    goes_on().await
}

async fn receive_data_alone() -> Result<()> {
    let peer = peer().await?;
    assert_eq!(peer.recv(1).await?, b"x");
    goes_on().await
}

async fn close_unreceived() -> Result<()> {
    let peer = peer().await?;
    assert_eq!(peer.peek(1).await?, b"x");
    drop(peer);
    goes_on().await
}

/// Asserts that a task goes on while an operation blocks.
async fn blocks<T>(operation: impl Future<Output = Result<T>>) -> Result<()> {
    let ticks = Rc::new(Cell::new(0));
    let counted = ticks.clone();
    let ticker = spawn(async move {
        loop {
            sleep(ms(1)).await?;
            counted.set(counted.get() + 1);
        }
        #[expect(unreachable_code, reason = "it says of which type the result is")]
        Ok(())
    });
    let result = ignore_after(ms(300), operation).await?;
    assert!(result.is_none(), "it did not block");
    assert!(ticks.get() >= 3, "{} ticks", ticks.get());
    ticker.cancel().await?;
    Ok(())
}

/// Accepts by a listener of the peer's, which makes it a blocking one all the time.
async fn accept() -> Result<()> {
    let peer = peer().await?;
    let message = peer.recv_msg(1, 1).await?;
    let listener = &message.sockets[0];
    ready(&peer).await?;
    blocks(listener.accept()).await?;
    say("no connection");
    for _ in 0..3 {
        let (connection, _) = listener.accept().await?;
        assert_eq!(connection.recv(100).await?, b"hello");
        connection.send_all(b"to you, too").await?;
    }
    Ok(())
}

/// Connects a socket of the peer's, which makes it a blocking one all the time, to where nobody accepts.
async fn connect() -> Result<()> {
    let peer = peer().await?;
    let message = peer.recv_msg(1, 1).await?;
    let to = std::env::args().nth(3).expect("an address is given");
    let to: SocketAddr = to.parse().expect("the address is one");
    ready(&peer).await?;
    blocks(message.sockets[0].connect(to)).await
}

/// A socket that was passed along and came back does what others do.
async fn shared_with_itself() -> Result<()> {
    let (one, other) = socketpair()?;
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let client = Socket::tcp_v4()?;
    one.send_msg(b"x", &[&listener, &client]).await?;
    let message = other.recv_msg(1, 2).await?;
    let [_, passed] = &message.sockets[..] else {
        panic!("two were passed");
    };
    let serving = spawn(async move { Ok(listener.accept().await?.0) });
    let at = message.sockets[0].local_address()?;
    passed.connect(&at).await?;
    let server = serving.join().await?;
    passed.send_all(b"hello").await?;
    assert_eq!(server.recv(5).await?, b"hello");
    // Soon nobody listens there any more.
    drop((server, message, client));
    while curio::open_connection(at.clone()).await.is_ok() {
        sleep(ms(5)).await?;
    }
    Ok(())
}
