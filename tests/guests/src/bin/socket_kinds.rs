//! Sockets of every kind, among themselves.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use curio::socket::{Address, SocketOption, SocketOptionName, socketpair, socketpair_datagram};
use curio::traps::{io_waiting, read_wait, write_wait};
use curio::{Error, Result, Socket, ignore_after, sleep, spawn, timeout_after};
use test_guests::{fails, ms};

test_guests::cases! {
    datagrams_go_back_and_forth
    a_connected_socket_hears_one_peer
    what_is_peeked_at_stays
    a_cancelled_recv_from_loses_nothing
    a_socket_for_ipv6_takes_ipv4_as_well
    pairs_are_connected
    datagrams_wait_for_room
    an_interrupted_send_all_says_how_much_it_sent
    a_large_transfer_arrives_whole
    closing_reaches_who_waits
    a_closed_socket_says_so
    waiting_for_an_unconnected_stream_is_an_error
    those_that_wait_are_known
    each_kind_has_its_own_operations
}

/// A socket for datagrams at an address of its own.
fn udp() -> Result<(Socket, Address)> {
    let socket = Socket::udp_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_address()?;
    Ok((socket, address))
}

#[track_caller]
fn invalid_state(result: Result<impl Sized>) {
    assert!(matches!(result.map(drop), Err(Error::InvalidState(text)) if !text.is_empty()));
}

async fn datagrams_go_back_and_forth() -> Result<()> {
    let (one, one_at) = udp()?;
    let (other, other_at) = udp()?;
    for data in [&b"hello"[..], b"", &vec![7; 60_000]] {
        assert_eq!(one.send_to(data, &other_at).await?, data.len());
        assert_eq!(
            other.recv_from(65_536).await?,
            (data.to_vec(), one_at.clone())
        );
    }
    // They don't run into each other, and what is too long is cut.
    other.send_to(b"first", &one_at).await?;
    other.send_to(b"second", &one_at).await?;
    other.send_to(b"third", &one_at).await?;
    let mut buffer = [0; 3];
    assert_eq!(
        one.recv_from_into(&mut buffer).await?,
        (3, other_at.clone())
    );
    assert_eq!(&buffer, b"fir");
    assert_eq!(one.recv(100).await?, b"second");
    let message = one.recv_msg(4, 0).await?;
    assert_eq!((&message.data[..], message.cut), (&b"thir"[..], true));
    assert_eq!(message.from, other_at);
    let too_long = one.send_to(&vec![0; 70_000], &other_at).await;
    assert!(matches!(too_long, Err(Error::Io(_))));
    one.set_option(SocketOption::Broadcast(true))?;
    let option = one.option(SocketOptionName::Broadcast)?;
    assert_eq!(option, SocketOption::Broadcast(true));
    Ok(())
}

async fn a_connected_socket_hears_one_peer() -> Result<()> {
    let (server, server_at) = udp()?;
    let (stranger, _) = udp()?;
    let client = Socket::udp_v4()?;
    client.connect(&server_at).await?;
    assert_eq!(client.peer_address()?, server_at);
    let client_at = client.local_address()?;
    stranger.send_to(b"spam", &client_at).await?;
    client.send(b"ping").await?;
    let (data, from) = server.recv_from(100).await?;
    assert_eq!((&data[..], &from), (&b"ping"[..], &client_at));
    server.send_to(b"pong", from).await?;
    assert_eq!(client.recv(100).await?, b"pong");
    // Another peer, and then one that is not there: that is told with a later operation.
    let (nobody, nobody_at) = udp()?;
    drop(nobody);
    client.connect(&nobody_at).await?;
    client.send(b"?").await?;
    let told = timeout_after(ms(5000), client.recv(100)).await;
    assert!(matches!(told, Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused));
    Ok(())
}

async fn what_is_peeked_at_stays() -> Result<()> {
    let (one, other) = socketpair()?;
    one.send_all(b"twice").await?;
    for max in [2, 100, 2] {
        assert_eq!(other.peek(max).await?, b"twice"[..max.min(5)]);
    }
    assert_eq!(other.recv(100).await?, b"twice");
    assert!(ignore_after(ms(20), other.peek(1)).await?.is_none());
    drop(one);
    assert_eq!(other.peek(1).await?, b"");
    let (socket, at) = udp()?;
    socket.send_to(b"datagram", &at).await?;
    assert_eq!(socket.peek(4).await?, b"data");
    assert_eq!(socket.recv(100).await?, b"datagram");
    Ok(())
}

async fn a_cancelled_recv_from_loses_nothing() -> Result<()> {
    let (socket, at) = udp()?;
    let socket = Rc::new(socket);
    let reading = socket.clone();
    let reader = spawn(async move { reading.recv_from(100).await.map(drop) });
    sleep(ms(20)).await?;
    assert_eq!(reader.state().to_string(), "read-wait");
    assert!(reader.cancel().await?);
    assert!(ignore_after(ms(20), socket.recv_from(100)).await?.is_none());
    socket.send_to(b"late", &at).await?;
    assert_eq!(socket.recv_from(100).await?, (b"late".to_vec(), at));
    Ok(())
}

async fn a_socket_for_ipv6_takes_ipv4_as_well() -> Result<()> {
    let listener = Socket::tcp_v6()?;
    listener.set_option(SocketOption::Ipv6Only(false))?;
    listener.bind((Ipv6Addr::UNSPECIFIED, 0))?;
    listener.listen(5)?;
    let port = listener.local_address()?.port().expect("it has one");
    let four = curio::open_connection((Ipv4Addr::LOCALHOST, port)).await?;
    let (server, peer) = listener.accept().await?;
    let peer = peer.ip().expect("it is of the internet");
    assert_eq!(peer.ip().to_canonical(), Ipv4Addr::LOCALHOST);
    four.send_all(b"4").await?;
    assert_eq!(server.recv(10).await?, b"4");
    let six = curio::open_connection((Ipv6Addr::LOCALHOST, port)).await?;
    let (server, _) = listener.accept().await?;
    six.send_all(b"6").await?;
    assert_eq!(server.recv(10).await?, b"6");
    let only = Socket::tcp_v6()?;
    only.set_option(SocketOption::Ipv6Only(true))?;
    only.bind((Ipv6Addr::UNSPECIFIED, 0))?;
    only.listen(5)?;
    let port = only.local_address()?.port().expect("it has one");
    assert!(
        curio::open_connection((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
    );
    Ok(())
}

async fn pairs_are_connected() -> Result<()> {
    let (one, other) = socketpair()?;
    assert_eq!(one.local_address()?, Address::Unnamed);
    assert_eq!(one.peer_address()?, Address::Unnamed);
    one.send_all(b"there").await?;
    other.send_all(b"back").await?;
    assert_eq!(other.recv(100).await?, b"there");
    assert_eq!(one.recv(100).await?, b"back");
    drop(one);
    assert_eq!(other.recv(100).await?, b"");
    assert!(
        matches!(other.send(b"x").await, Err(Error::Io(error)) if error.kind() == ErrorKind::BrokenPipe)
    );
    let (one, other) = socketpair_datagram()?;
    one.send(b"one").await?;
    one.send(b"two").await?;
    assert_eq!(other.recv(100).await?, b"one");
    assert_eq!(
        other.recv_from(100).await?,
        (b"two".to_vec(), Address::Unnamed)
    );
    Ok(())
}

/// The system takes a few datagrams, and the others wait until the other end has received some.
async fn datagrams_wait_for_room() -> Result<()> {
    const DATAGRAMS: u32 = 1000;
    let (one, other) = socketpair_datagram()?;
    let sender = spawn(async move {
        for n in 0..DATAGRAMS {
            one.send(&n.to_le_bytes()).await?;
        }
        Ok(())
    });
    sleep(ms(30)).await?;
    assert_eq!(sender.state().to_string(), "write-wait");
    for n in 0..DATAGRAMS {
        assert_eq!(other.recv(100).await?, n.to_le_bytes());
    }
    sender.join().await
}

async fn an_interrupted_send_all_says_how_much_it_sent() -> Result<()> {
    let data = vec![1; 10_000_000];
    for timeout in [true, false] {
        let (one, other) = socketpair()?;
        let error = if timeout {
            fails(timeout_after(ms(30), one.send_all(&data)).await)
        } else {
            let data = data.clone();
            let told = Rc::new(std::cell::Cell::new(None));
            let (tell, socket) = (told.clone(), Rc::new(one));
            let sender = spawn(async move {
                tell.set(Some(fails(socket.send_all(&data).await)));
                Ok(())
            });
            sleep(ms(30)).await?;
            assert!(sender.cancel().await?);
            told.take().expect("it was cancelled")
        };
        assert!(error.is_cancellation());
        assert_eq!(error.is_timeout(), timeout);
        let moved = error.moved().expect("some was sent");
        let mut received = 0;
        loop {
            let more = match ignore_after(ms(30), other.recv(1_000_000)).await? {
                Some(more) if !more.is_empty() => more,
                _ => break,
            };
            received += more.len() as u64;
        }
        assert!(
            moved > 0 && moved == received,
            "{moved} sent, {received} received"
        );
    }
    // Nothing was sent of what was only tried.
    let (one, _other) = socketpair()?;
    let error = fails(timeout_after(ms(5), one.recv(1)).await);
    assert_eq!(error.moved(), None);
    Ok(())
}

async fn a_large_transfer_arrives_whole() -> Result<()> {
    let data: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
    let expected = data.clone();
    let (one, other) = socketpair()?;
    let sender = spawn(async move { one.send_all(&data).await });
    let mut received = vec![0; expected.len()];
    let mut at = 0;
    while at < received.len() {
        let more = other.recv_into(&mut received[at..]).await?;
        assert_ne!(more, 0);
        at += more;
    }
    assert!(received == expected);
    assert_eq!(other.recv_into(&mut [0; 10]).await?, 0);
    sender.join().await
}

async fn closing_reaches_who_waits() -> Result<()> {
    let (one, _other) = socketpair()?;
    let one = Rc::new(one);
    let socket = one.clone();
    let reader = spawn(async move { Ok(fails(socket.recv(1).await)) });
    let socket = one.clone();
    let writer = spawn(async move { Ok(fails(socket.send_all(&vec![0; 10_000_000]).await)) });
    let listener = Rc::new(curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?);
    let socket = listener.clone();
    let acceptor = spawn(async move { Ok(fails(socket.accept().await)) });
    sleep(ms(20)).await?;
    one.close();
    listener.close();
    assert!(matches!(reader.join().await?, Error::Closed));
    assert!(matches!(acceptor.join().await?, Error::Closed));
    let error = writer.join().await?;
    assert!(error.moved() > Some(0));
    assert!(matches!(&error, Error::Partial(partial) if matches!(partial.cause(), Error::Closed)));
    Ok(())
}

async fn a_closed_socket_says_so() -> Result<()> {
    let (one, other) = socketpair()?;
    one.close();
    one.close();
    assert_eq!(other.recv(1).await?, b"");
    assert!(matches!(one.recv(1).await, Err(Error::Closed)));
    assert!(matches!(one.send(b"x").await, Err(Error::Closed)));
    assert!(matches!(one.peek(1).await, Err(Error::Closed)));
    assert!(matches!(one.recv_from(1).await, Err(Error::Closed)));
    assert!(matches!(one.recv_msg(1, 1).await, Err(Error::Closed)));
    assert!(matches!(
        one.send_msg(b"x", &[&other]).await,
        Err(Error::Closed)
    ));
    assert!(matches!(
        other.send_msg(b"x", &[&one]).await,
        Err(Error::InvalidState(_))
    ));
    assert!(matches!(one.accept().await, Err(Error::Closed)));
    assert!(matches!(one.listen(1), Err(Error::Closed)));
    assert!(matches!(one.local_address(), Err(Error::Closed)));
    assert!(matches!(
        one.option(SocketOptionName::Linger),
        Err(Error::Closed)
    ));
    assert!(matches!(
        one.shutdown(std::net::Shutdown::Both),
        Err(Error::Closed)
    ));
    assert!(matches!(read_wait(&one).await, Err(Error::Closed)));
    assert!(matches!(write_wait(&one).await, Err(Error::Closed)));
    Ok(())
}

async fn waiting_for_an_unconnected_stream_is_an_error() -> Result<()> {
    for socket in [Socket::tcp_v4()?, Socket::unix_stream()?] {
        invalid_state(read_wait(&socket).await);
        invalid_state(write_wait(&socket).await);
    }
    let socket = Socket::udp_v4()?;
    write_wait(&socket).await?;
    Ok(())
}

async fn those_that_wait_are_known() -> Result<()> {
    let (one, _other) = socketpair()?;
    let one = Rc::new(one);
    let ids = || {
        let (reader, writer) = io_waiting(&one);
        (reader.map(|task| task.id()), writer.map(|task| task.id()))
    };
    assert_eq!(ids(), (None, None));
    let socket = one.clone();
    let reader = spawn(async move { socket.recv(1).await.map(drop) });
    sleep(ms(10)).await?;
    assert_eq!(ids(), (Some(reader.id()), None));
    let socket = one.clone();
    let writer = spawn(async move { socket.send_all(&vec![0; 10_000_000]).await });
    sleep(ms(10)).await?;
    assert_eq!(ids(), (Some(reader.id()), Some(writer.id())));
    reader.cancel().await?;
    writer.cancel().await?;
    assert_eq!(ids(), (None, None));
    let listener = Rc::new(curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?);
    let socket = listener.clone();
    let acceptor = spawn(async move { socket.accept().await.map(drop) });
    sleep(ms(10)).await?;
    let (reader, writer) = io_waiting(&listener);
    assert_eq!(reader.map(|task| task.id()), Some(acceptor.id()));
    assert!(writer.is_none());
    assert!(io_waiting(&Socket::tcp_v4()?).0.is_none());
    acceptor.cancel().await.map(drop)
}

async fn each_kind_has_its_own_operations() -> Result<()> {
    let (udp, at) = udp()?;
    invalid_state(udp.listen(1));
    invalid_state(udp.accept().await);
    let (stream, other) = socketpair()?;
    invalid_state(stream.send_to(b"x", &at).await);
    let wrong = [
        udp.send_to(b"x", Address::Unnamed).await.map(drop),
        udp.send_to(b"x", (Ipv6Addr::LOCALHOST, 9)).await.map(drop),
        Socket::unix_datagram()?.send_to(b"x", &at).await.map(drop),
        Socket::unix_stream()?.bind((Ipv4Addr::LOCALHOST, 0)),
        udp.send_msg(b"x", &[&other]).await.map(drop),
        stream.send_msg(b"", &[&other]).await.map(drop),
        stream.send_msg(b"x", &[&other; 254]).await.map(drop),
    ];
    for (n, result) in wrong.into_iter().enumerate() {
        let error = fails(result);
        assert!(matches!(error, Error::InvalidArgument(_)), "{n}: {error}");
    }
    let unix = "/nowhere/s";
    let refused = Socket::unix_stream()?.connect(Address::unix(unix)).await;
    assert!(
        matches!(refused, Err(Error::Refused(text)) if text.contains("--allow-net=unix:/nowhere/s"))
    );
    Ok(())
}
