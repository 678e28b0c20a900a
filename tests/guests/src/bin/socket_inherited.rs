//! Sockets that the host was given to hand over.

use std::net::SocketAddr;
use std::rc::Rc;

use curio::socket::{Address, Inherited, SocketOption, SocketOptionName, inherited};
use curio::sync::Event;
use curio::{Error, Result, Socket};
use test_guests::fails;

test_guests::cases! {
    nothing_is_there
    nothing_is_there_without_the_flag
    a_server_serves
    what_is_bound_listens
    datagrams_come_and_are_answered
    a_connection_goes_on
    only_its_own_address_is_granted
    each_is_taken_once
    names_are_asked_for_in_turn
    the_limit_of_handles_counts
}

#[track_caller]
fn is_refused<T: std::fmt::Debug>(result: Result<T>, flag: &str) {
    let error = fails(result);
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(error.to_string().contains(flag), "{error}");
}

async fn nothing_is_there() -> Result<()> {
    assert_eq!(inherited(), []);
    let error = fails(Socket::inherited("server"));
    let text = "the inherited socket \"server\" is not there; the host was given none";
    assert_eq!(error.to_string(), text);
    assert!(matches!(error, Error::InvalidArgument(_)));
    Ok(())
}

async fn nothing_is_there_without_the_flag() -> Result<()> {
    assert_eq!(inherited(), []);
    for name in ["server", ""] {
        is_refused(Socket::inherited(name), "add --inherit-sockets");
    }
    Ok(())
}

/// Echoes until a client says that it is the last.
async fn serve(listener: Socket) -> Result<()> {
    let over = Rc::new(Event::new());
    let told = over.clone();
    let server = curio::run_server(listener, async move |client: Socket, _peer| {
        let data = client.recv(100).await?;
        client.send_all(&data).await?;
        if data == b"last" {
            told.set();
        }
        Ok(())
    });
    let server = curio::spawn(server);
    over.wait().await?;
    server.cancel().await?;
    Ok(())
}

async fn a_server_serves() -> Result<()> {
    serve(Socket::inherited("server")?).await
}

async fn what_is_bound_listens() -> Result<()> {
    let socket = Socket::inherited("server")?;
    assert!(matches!(
        fails(socket.accept().await),
        Error::InvalidState(_)
    ));
    socket.listen(10)?;
    serve(socket).await
}

async fn datagrams_come_and_are_answered() -> Result<()> {
    let socket = Socket::inherited("datagrams")?;
    let (data, peer) = socket.recv_from(100).await?;
    assert_eq!(data, b"ping");
    socket.send_to(b"pong", peer).await?;
    Ok(())
}

async fn a_connection_goes_on() -> Result<()> {
    let socket = Socket::inherited("peer")?;
    assert_eq!(socket.recv(100).await?, b"ping");
    socket.send_all(b"pong").await?;
    assert!(socket.recv(100).await?.is_empty());
    Ok(())
}

/// Nothing is granted but to take what is there.
async fn only_its_own_address_is_granted() -> Result<()> {
    let listener = Socket::inherited("listener")?;
    let at = listener.local_address()?;
    is_refused(curio::tcp_server_socket(at.clone()), "--allow-listen");
    is_refused(listener.connect(at.clone()).await, "--allow-net");

    let bound = Socket::inherited("bound")?;
    is_refused(bound.connect(at.clone()).await, "--allow-net");

    let datagrams = Socket::inherited("datagrams")?;
    let peer = datagrams.peer_address()?;
    // Where it is connected to it may send, and nowhere else.
    datagrams.send(b"ping").await?;
    for to in [peer, at, Address::from(SocketAddr::from(([0; 4], 1)))] {
        is_refused(datagrams.send_to(b"out", to.clone()).await, "--allow-net");
        let message = datagrams.send_msg_to(b"out", &[], to.clone()).await;
        is_refused(message, "--allow-net");
        is_refused(datagrams.connect(to).await, "--allow-net");
    }
    let somewhere = Address::unix("/tmp/somewhere");
    is_refused(datagrams.send_to(b"out", somewhere).await, "--allow-net");

    let unix = Socket::inherited("unix")?;
    let path = unix.local_address()?;
    assert!(path.path().is_some_and(|path| path.ends_with("s")));
    is_refused(unix.send_to(b"out", path.clone()).await, "--allow-net");
    is_refused(Socket::unix_datagram()?.bind(path), "--allow-listen");
    Ok(())
}

fn list() -> Vec<(u32, Option<String>)> {
    let entry = |socket: &Inherited| (socket.position(), socket.name().map(str::to_owned));
    inherited().iter().map(entry).collect()
}

async fn each_is_taken_once() -> Result<()> {
    let all = inherited();
    let expected = [(0, Some("a")), (1, None), (2, Some("b"))];
    let expected = expected.map(|(position, name)| (position, name.map(str::to_owned)));
    assert_eq!(list(), expected);
    let second = all[1].take()?;
    assert_eq!(list(), [expected[0].clone(), expected[2].clone()]);
    let error = fails(all[1].take());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    assert_eq!(error.to_string(), "inherited socket 1 was taken before");
    // Not even when it is closed.
    drop(second);
    fails(all[1].take());
    let first = all[0].take()?;
    let error = fails(Socket::inherited("a"));
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    let error = fails(Socket::inherited("c"));
    let text = "the inherited socket \"c\" is not there; the host was given 3: \"a\", \"b\"";
    assert_eq!(error.to_string(), text);
    Socket::inherited("b")?;
    assert_eq!(list(), []);
    // It is a socket like any other.
    first.set_option(SocketOption::KeepAlive(true))?;
    let option = first.option(SocketOptionName::KeepAlive)?;
    assert_eq!(option, SocketOption::KeepAlive(true));
    Ok(())
}

async fn names_are_asked_for_in_turn() -> Result<()> {
    let (one, other) = (Socket::inherited("a")?, Socket::inherited("a")?);
    assert_ne!(one.local_address()?, other.local_address()?);
    assert_eq!(list(), []);
    fails(Socket::inherited("a"));
    Ok(())
}

async fn the_limit_of_handles_counts() -> Result<()> {
    let first = Socket::inherited("a")?;
    for _ in 0..3 {
        let error = fails(Socket::inherited("b"));
        assert!(matches!(error, Error::Limit(_)), "{error}");
        assert!(error.to_string().contains("--max-handles"), "{error}");
    }
    drop(first);
    Socket::inherited("b")?;
    Ok(())
}
