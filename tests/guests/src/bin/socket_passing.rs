//! Sockets that go through sockets.

use std::net::Ipv4Addr;

use curio::socket::{Address, socketpair, socketpair_datagram};
use curio::{Error, Result, Socket, sleep};
use test_guests::{fails, ms, say};

test_guests::cases! {
    a_connection_is_handed_over
    a_listener_is_handed_over
    only_so_many_are_taken
    what_is_on_the_way_counts_as_handles
    what_was_left_on_the_way_counts_until_it_has_arrived
    two_that_pass_to_each_other_may_both_go
    hand_over
    take_over
}

/// Both ends of a TCP connection.
async fn connection() -> Result<(Socket, Socket)> {
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let client = curio::open_connection(listener.local_address()?).await?;
    Ok((client, listener.accept().await?.0))
}

async fn a_connection_is_handed_over() -> Result<()> {
    for (one, other) in [socketpair()?, socketpair_datagram()?] {
        let (client, server) = connection().await?;
        let peer = server.peer_address()?;
        assert_eq!(one.send_msg(b"take it", &[&server]).await?, 7);
        server.close();
        let message = other.recv_msg(100, 5).await?;
        assert_eq!((&message.data[..], message.refused), (&b"take it"[..], 0));
        let [server] = &message.sockets[..] else {
            panic!("one was passed");
        };
        assert_eq!(server.peer_address()?, peer);
        client.send_all(b"hello").await?;
        assert_eq!(server.recv(100).await?, b"hello");
        server.send_all(b"to you, too").await?;
        assert_eq!(client.recv(100).await?, b"to you, too");
    }
    Ok(())
}

async fn a_listener_is_handed_over() -> Result<()> {
    let (one, other) = socketpair()?;
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let udp = Socket::udp_v4()?;
    let unbound = Socket::tcp_v4()?;
    one.send_msg(b"x", &[&listener, &udp, &unbound]).await?;
    let at = listener.local_address()?;
    drop(listener);
    let message = other.recv_msg(1, 3).await?;
    let [listener, _udp, unbound] = &message.sockets[..] else {
        panic!("three were passed");
    };
    assert_eq!(listener.local_address()?, at);
    unbound.connect(&at).await?;
    listener.accept().await?;
    // What is done with a passed socket is checked like anything else.
    let refused = message.sockets[1].send_to(b"x", ([192, 0, 2, 1], 9)).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    Ok(())
}

async fn only_so_many_are_taken() -> Result<()> {
    let (one, other) = socketpair()?;
    let (passed, peer) = socketpair()?;
    one.send_msg(b"x", &[&passed, &passed, &passed]).await?;
    drop(passed);
    let message = other.recv_msg(1, 1).await?;
    assert_eq!((message.sockets.len(), message.refused), (1, 2));
    drop(message);
    assert_eq!(peer.recv(1).await?, b"", "all are closed");
    // Those that nobody takes are closed, too.
    let (passed, peer) = socketpair()?;
    one.send_msg(b"x", &[&passed]).await?;
    drop(passed);
    assert_eq!(other.recv(1).await?, b"x");
    assert_eq!(peer.recv(1).await?, b"");
    Ok(())
}

/// With ten handles.
async fn what_is_on_the_way_counts_as_handles() -> Result<()> {
    let (one, other) = socketpair()?;
    let passed = Socket::udp_v4()?;
    for _ in 0..7 {
        one.send_msg(b"x", &[&passed]).await?;
    }
    let limit = |error: Error| assert!(matches!(error, Error::Limit(_)), "{error}");
    limit(fails(one.send_msg(b"x", &[&passed]).await));
    limit(fails(Socket::udp_v4()));
    let mut taken = Vec::new();
    for _ in 0..7 {
        let message = other.recv_msg(1, 1).await?;
        // The last ones have room only when all have arrived.
        taken.push(message.sockets.len());
    }
    assert!(taken.iter().all(|taken| *taken <= 1));
    let held: Result<Vec<_>> = (0..7).map(|_| Socket::udp_v4()).collect();
    held?;
    Ok(())
}

/// With ten handles.
async fn what_was_left_on_the_way_counts_until_it_has_arrived() -> Result<()> {
    let (one, other) = socketpair()?;
    let passed = Socket::udp_v4()?;
    one.send_msg(b"xyz", &[&passed; 5]).await?;
    drop(one);
    // Two are open, five on the way, and what they went through counts, too.
    let held: Result<Vec<_>> = (0..2).map(|_| Socket::udp_v4()).collect();
    let held = held?;
    assert!(matches!(Socket::udp_v4(), Err(Error::Limit(_))));
    drop(held);
    assert_eq!(other.recv(100).await?, b"xyz");
    assert_eq!(other.recv(100).await?, b"");
    let held: Result<Vec<_>> = (0..8).map(|_| Socket::udp_v4()).collect();
    held?;
    Ok(())
}

/// With ten handles.
async fn two_that_pass_to_each_other_may_both_go() -> Result<()> {
    for _ in 0..20 {
        let (one, other) = socketpair()?;
        one.send_msg(b"x", &[&one, &other]).await?;
        other.send_msg(b"x", &[&one, &other]).await?;
    }
    // The system sorts out what holds itself, and may take a moment.
    sleep(ms(50)).await?;
    let held: Result<Vec<_>> = (0..8).map(|_| Socket::udp_v4()).collect();
    held?;
    Ok(())
}

/// Serves one connection by handing it over to whoever is behind a Unix socket.
async fn hand_over() -> Result<()> {
    let path = std::env::args().nth(2).expect("a path is given");
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    say(&listener.local_address()?.to_string());
    let (client, _) = listener.accept().await?;
    let helper = curio::open_connection(Address::unix(path)).await?;
    helper.send_msg(b"yours", &[&client]).await?;
    drop(client);
    // It has gone when the helper says so.
    assert_eq!(helper.recv(10).await?, b"thanks");
    Ok(())
}

/// Serves the connections that come through a Unix socket.
async fn take_over() -> Result<()> {
    let path = std::env::args().nth(2).expect("a path is given");
    let listener = Socket::unix_stream()?;
    listener.bind(Address::unix(path))?;
    listener.listen(5)?;
    say("ready");
    let (front, _) = listener.accept().await?;
    let message = front.recv_msg(100, 4).await?;
    say(&format!(
        "{} taken, {} refused",
        message.sockets.len(),
        message.refused
    ));
    for client in &message.sockets {
        client.send_all(b"served by another").await?;
    }
    front.send_all(b"thanks").await
}
