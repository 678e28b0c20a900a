//! Channels with addresses and keys.

use curio::socket::Address;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use curio::channel::{Channel, Listener, SocketConnection, client};
use curio::{Error, Result, Socket, ignore_after, sleep, spawn, timeout_after};
use test_guests::{fails, ms, socket_pair};

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

test_guests::cases! {
    the_same_key_lets_messages_through
    different_keys_fail_on_both_sides
    a_server_without_the_key_is_found_out
    an_empty_key_is_refused
    what_is_no_conversation_is_refused
    a_channel_connects_without_a_key
    a_channel_connects_with_a_key
    a_channel_is_closed_and_bound_again
    accepting_goes_on_after_a_wrong_key
    accepting_goes_on_after_strange_peers
    accepting_goes_on_after_an_unwelcome_address
    a_silent_listener_is_given_up
    an_interrupted_accept_passes_that_on
}

async fn pair() -> Result<(SocketConnection, SocketConnection)> {
    let (one, other) = socket_pair().await?;
    Ok((SocketConnection::over(one), SocketConnection::over(other)))
}

async fn the_same_key_lets_messages_through() -> Result<()> {
    for key in [&b"peekaboo"[..], b"x", &[0xff; 1000]] {
        let (mut server, mut peer) = pair().await?;
        let (at_server, at_client) = futures::join!(
            server.authenticate_server(key),
            peer.authenticate_client(key)
        );
        at_server?;
        at_client?;
        server.send("hello").await?;
        assert_eq!(peer.recv::<String>().await?, "hello");
        peer.send("bye").await?;
        assert_eq!(server.recv::<String>().await?, "bye");
    }
    Ok(())
}

async fn different_keys_fail_on_both_sides() -> Result<()> {
    for (key, other) in [
        (&b"peekaboo"[..], &b"Peekaboo"[..]),
        (b"aa", b"a"),
        (b"a", b"aa"),
    ] {
        let (mut server, mut peer) = pair().await?;
        let (at_server, at_client) = futures::join!(
            server.authenticate_server(key),
            peer.authenticate_client(other)
        );
        let (at_server, at_client) = (fails(at_server), fails(at_client));
        assert!(matches!(at_server, Error::Authentication(_)));
        assert_eq!(at_server.to_string(), "digest received was wrong");
        assert!(matches!(at_client, Error::Authentication(_)));
        assert_eq!(at_client.to_string(), "digest sent was rejected");
    }
    Ok(())
}

/// It says welcome to anybody, with a digest that it got from a client.
async fn a_server_without_the_key_is_found_out() -> Result<()> {
    for made_up in [true, false] {
        let (mut server, mut peer) = pair().await?;
        let pretends = async {
            server
                .send_bytes(&[&b"#CHALLENGE#"[..], &[7; 32]].concat())
                .await?;
            let answer = server.recv_bytes(None).await?;
            let digest = if made_up { &[0; 32] } else { &answer[32..] };
            server.send_bytes(&[b"#WELCOME#", digest].concat()).await
        };
        let (pretended, at_client) =
            futures::join!(pretends, peer.authenticate_client(b"peekaboo"));
        pretended?;
        let at_client = fails(at_client);
        assert!(matches!(at_client, Error::Authentication(_)));
        assert_eq!(at_client.to_string(), "digest received was wrong");
    }
    Ok(())
}

async fn an_empty_key_is_refused() -> Result<()> {
    let (mut server, mut peer) = pair().await?;
    for error in [
        fails(server.authenticate_server(b"").await),
        fails(peer.authenticate_client(b"").await),
        fails(Listener::bind(ANY)?.with_key("").accept().await),
    ] {
        assert!(matches!(error, Error::InvalidArgument(_)));
        assert_eq!(error.to_string(), "the key is empty");
    }
    Ok(())
}

async fn what_is_no_conversation_is_refused() -> Result<()> {
    let messages = [
        &b""[..],
        b"#CHALLENGE#",
        b"#WELCOME#",
        &[b'x'; 43],
        &[b'#'; 128],
        &[0; 129],
    ];
    for message in messages {
        let (mut one, mut other) = pair().await?;
        one.send_bytes(message).await?;
        let error = fails(other.authenticate_client(b"key").await);
        assert!(matches!(error, Error::Authentication(_)), "{error}");

        let (mut one, mut other) = pair().await?;
        one.send_bytes(message).await?;
        let error = fails(other.authenticate_server(b"key").await);
        assert!(matches!(error, Error::Authentication(_)), "{error}");
    }
    // As long as the right one, and wrong at its end.
    let (mut one, mut other) = pair().await?;
    one.send_bytes(&[&b"#CHALLENGE#"[..], &[1; 32]].concat())
        .await?;
    one.send_bytes(b"#WELCOME#").await?;
    let error = fails(other.authenticate_client(b"key").await);
    assert!(matches!(error, Error::Authentication(_)));
    // One that hangs up.
    let (one, mut other) = pair().await?;
    drop(one);
    let error = fails(other.authenticate_client(b"key").await);
    assert!(matches!(&error, Error::Io(io) if io.kind() == ErrorKind::UnexpectedEof));
    Ok(())
}

/// Messages in both directions over a channel.
async fn talk(key: Option<&str>) -> Result<()> {
    let keyed = |channel: Channel| match key {
        Some(key) => channel.with_key(key),
        None => channel,
    };
    let mut channel = keyed(Channel::new(ANY));
    channel.bind()?;
    let address = channel.address().clone();
    assert_ne!(address.port(), Some(0));
    channel.bind()?;
    assert_eq!(*channel.address(), address);
    let server = spawn(async move {
        for _ in 0..2 {
            let mut connection = channel.accept().await?;
            let name: String = connection.recv().await?;
            connection.send(&format!("hello, {name}")).await?;
        }
        Ok(())
    });
    let mut connection = keyed(Channel::new(&address)).connect().await?;
    connection.send("one").await?;
    assert_eq!(connection.recv::<String>().await?, "hello, one");
    let mut connection = client(&address, key.map(str::as_bytes)).await?;
    connection.send("two").await?;
    assert_eq!(connection.recv::<String>().await?, "hello, two");
    server.join().await
}

async fn a_channel_connects_without_a_key() -> Result<()> {
    talk(None).await
}

async fn a_channel_connects_with_a_key() -> Result<()> {
    talk(Some("peekaboo")).await
}

async fn a_channel_is_closed_and_bound_again() -> Result<()> {
    let mut channel = Channel::new(ANY);
    channel.bind()?;
    let other = Channel::new(channel.address());
    other.connect().await?.close();
    channel.close();
    let error = fails(other.connect().await);
    assert!(matches!(&error, Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused));
    channel.bind()?;
    assert_eq!(channel.address(), other.address());
    other.connect().await?.close();
    Ok(())
}

fn listener() -> Result<(Listener, Address)> {
    let listener = Listener::bind(ANY)?.with_key("peekaboo");
    let address = listener.local_address()?;
    Ok((listener, address))
}

async fn accepting_goes_on_after_a_wrong_key() -> Result<()> {
    let (listener, address) = listener()?;
    let server = spawn(async move { listener.accept().await?.recv::<String>().await });
    let error = fails(client(&address, Some(b"wrong")).await);
    assert!(matches!(error, Error::Authentication(_)));
    assert!(!server.is_terminated());
    let mut connection = client(&address, Some(b"peekaboo")).await?;
    connection.send("hello").await?;
    assert_eq!(server.join().await?, "hello");
    Ok(())
}

async fn accepting_goes_on_after_strange_peers() -> Result<()> {
    let (listener, address) = listener()?;
    let server = spawn(async move { listener.accept().await?.recv::<String>().await });
    // One that hangs up, one that talks nonsense, one that announces too much, one that says nothing.
    drop(curio::open_connection(&address).await?);
    let nonsense = curio::open_connection(&address).await?;
    nonsense.send_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    let large = curio::open_connection(&address).await?;
    large.send_all(&[0x7f, 0xff, 0xff, 0xff, 1, 2, 3]).await?;
    let silent = curio::open_connection(&address).await?;
    let begun = curio::clock();
    sleep(ms(1_500)).await?;
    let mut connection = client(&address, Some(b"peekaboo")).await?;
    assert!(curio::clock() - begun >= Duration::from_secs(1));
    connection.send("hello").await?;
    assert_eq!(server.join().await?, "hello");
    // All of them have been hung up on, after the challenge.
    for socket in [nonsense, large, silent] {
        let mut stream = socket.into_stream();
        let left = stream.read_all().await;
        assert!(left.is_err() || left.is_ok_and(|left| left.len() <= 47));
    }
    Ok(())
}

async fn accepting_goes_on_after_an_unwelcome_address() -> Result<()> {
    let welcome = Socket::tcp_v4()?;
    welcome.bind(ANY)?;
    let only = welcome.local_address()?;
    let listener = Listener::bind(ANY)?.with_check(move |peer| *peer == only);
    let address = listener.local_address()?;
    let server = spawn(async move { listener.accept().await?.recv::<String>().await });
    let mut other = client(&address, None).await?;
    assert!(other.recv::<String>().await.is_err());
    welcome.connect(address).await?;
    SocketConnection::over(welcome).send("it is me").await?;
    assert_eq!(server.join().await?, "it is me");
    Ok(())
}

async fn a_silent_listener_is_given_up() -> Result<()> {
    let socket = curio::tcp_server_socket(ANY)?;
    let begun = curio::clock();
    let error = fails(client(socket.local_address()?, Some(b"key")).await);
    assert!(matches!(&error, Error::Io(io) if io.kind() == ErrorKind::TimedOut));
    assert!(error.to_string().contains("did not show in time"));
    assert!(!error.is_cancellation());
    assert!(curio::clock() - begun >= Duration::from_secs(1));
    Ok(())
}

async fn an_interrupted_accept_passes_that_on() -> Result<()> {
    let (listener, address) = listener()?;
    assert!(ignore_after(ms(30), listener.accept()).await?.is_none());
    // In the middle of a conversation, too.
    let silent = curio::open_connection(&address).await?;
    let error = fails(timeout_after(ms(30), listener.accept()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    let task = spawn(async move { listener.accept().await.map(drop) });
    let other = curio::open_connection(&address).await?;
    sleep(ms(30)).await?;
    assert!(task.cancel().await?);
    drop((silent, other));
    Ok(())
}
