//! Servers. To be run with rights to listen, and to connect to itself.

use std::io::{Error as IoError, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use curio::network::{Endpoint, Listener, Server, ServerOptions};
use curio::queue::Queue;
use curio::socket::{Address, IpFamily};
use curio::{
    Error, Result, Socket, create_server, ignore_after, open_connection, run_server, sleep, spawn,
    tcp_server, timeout_after, yield_now,
};
use test_guests::{Notes, fails, ms, sleep_until_told};

test_guests::cases! {
    server_and_client_take_turns
    a_server_has_a_name
    options_are_used
    the_backlog_is_used
    sockets_at_one_address_share_connections
    an_address_may_be_taken_again
    the_address_must_be_of_the_family
    a_server_needs_a_right
    a_listener_that_fails_is_an_error
    a_server_that_is_dropped_cancels_its_handlers
    a_server_serves_until_it_is_closed
    a_server_is_closed_from_a_handler
    a_cancelled_server_is_closed
    a_server_that_times_out_is_closed
    a_server_serves_once
    a_failed_handler_is_told_with_the_server_s_place
}

async fn echo(client: Socket, _peer: Address) -> Result<()> {
    loop {
        let data = client.recv(1000).await?;
        if data.is_empty() {
            return Ok(());
        }
        client.send_all(&data).await?;
    }
}

/// Asserts that somebody echoes at an address.
async fn is_echoed(at: impl Into<Endpoint>) -> Result<Socket> {
    let client = open_connection(at).await?;
    client.send_all(b"x").await?;
    assert_eq!(client.recv(1).await?, b"x");
    Ok(client)
}

/// Asserts that nobody listens at an address.
async fn is_closed(address: &Address) {
    let error = fails(open_connection(address).await);
    assert!(matches!(error, Error::Io(_)), "{error}");
}

fn free_port() -> Result<u16> {
    let socket = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket.local_address()?.port().unwrap_or_default())
}

async fn server_and_client_take_turns() -> Result<()> {
    let notes = Notes::new();
    let log = notes.clone();
    let port = free_port()?;
    let server = spawn(async move {
        let handler = async move |client: Socket, _| {
            log.add("handler start");
            loop {
                let data = client.recv(1000).await?;
                if data.is_empty() {
                    break;
                }
                log.add(format!("handler got {}", String::from_utf8_lossy(&data)));
                client.send_all(&data).await?;
            }
            log.add("handler done");
            Ok(())
        };
        tcp_server((Ipv4Addr::LOCALHOST, port), handler)
            .await
            .map(drop)
    });
    yield_now().await?;
    notes.add("client start");
    let client = open_connection((Ipv4Addr::LOCALHOST, port)).await?;
    for text in ["Msg 0", "Msg 1"] {
        client.send_all(text.as_bytes()).await?;
        assert_eq!(client.recv(1000).await?, text.as_bytes());
        notes.add("client got it back");
    }
    client.close();
    notes.add("client close");
    sleep(ms(50)).await?;
    assert!(server.cancel().await?);
    notes.are([
        "client start",
        "handler start",
        "handler got Msg 0",
        "client got it back",
        "handler got Msg 1",
        "client got it back",
        "client close",
        "handler done",
    ]);
    Ok(())
}

async fn a_server_has_a_name() -> Result<()> {
    for (name, family) in [
        ("localhost", IpFamily::V4),
        ("LocalHost", IpFamily::V6),
        ("", IpFamily::V4),
        ("", IpFamily::V6),
    ] {
        let options = ServerOptions::new().family(family);
        let server = options.create((name, 0), echo).await?;
        let address = server.socket().expect("it listens").local_address()?;
        assert_eq!(
            IpFamily::of(SocketAddr::try_from(address.clone())?.ip()),
            family
        );
        assert_eq!(
            SocketAddr::try_from(address.clone())?.ip().is_loopback(),
            !name.is_empty()
        );
    }
    // Others are looked up, which needs its own right.
    let error = fails(tcp_server(("example.com", 0), echo).await);
    assert!(matches!(error, Error::Refused(text) if text.contains("--allow-net=example.com")));
    Ok(())
}

async fn options_are_used() -> Result<()> {
    let port = free_port()?;
    let at = (Ipv4Addr::LOCALHOST, port);
    let shared = ServerOptions::new()
        .reuse_port(true)
        .backlog(3)
        .reuse_address(false);
    let one = shared.socket(at)?;
    let other = shared.socket(at)?;
    assert_eq!(one.local_address()?, other.local_address()?);
    let error = fails(ServerOptions::new().socket(at));
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::AddrInUse));
    Ok(())
}

async fn the_backlog_is_used() -> Result<()> {
    for (backlog, at_least, at_most) in [(1, 1, 5), (20, 20, 30)] {
        let options = ServerOptions::new().backlog(backlog);
        let listener = options.socket((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_address()?;
        let mut waiting = Vec::new();
        while let Some(client) = ignore_after(ms(200), open_connection(&address)).await? {
            waiting.push(client);
            assert!(waiting.len() <= at_most, "more than {backlog} wait");
        }
        assert!(waiting.len() >= at_least, "fewer than {backlog} wait");
    }
    Ok(())
}

async fn sockets_at_one_address_share_connections() -> Result<()> {
    let shared = ServerOptions::new().reuse_port(true);
    let one = shared.socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = one.local_address()?;
    let other = shared.socket(&address)?;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(open_connection(&address).await?);
    }
    let mut accepted = Vec::new();
    for listener in [one, other] {
        let mut count = 0;
        while ignore_after(ms(50), listener.accept()).await?.is_some() {
            count += 1;
        }
        assert!(count > 0, "one gets none");
        accepted.push(count);
    }
    assert_eq!(accepted.iter().sum::<usize>(), clients.len());
    Ok(())
}

async fn an_address_may_be_taken_again() -> Result<()> {
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_address()?;
    let client = open_connection(&address).await?;
    // Who closes first has to remember the connection for a while.
    drop(listener.accept().await?);
    assert!(client.recv(1).await?.is_empty());
    drop((client, listener));
    let careful = ServerOptions::new().reuse_address(false);
    let error = fails(careful.socket(&address));
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::AddrInUse));
    ServerOptions::new().socket(&address)?;
    Ok(())
}

async fn the_address_must_be_of_the_family() -> Result<()> {
    let options = ServerOptions::new().family(IpFamily::V6);
    let error = fails(options.serve((Ipv4Addr::LOCALHOST, 0), echo).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    Ok(())
}

async fn a_server_needs_a_right() -> Result<()> {
    let error = fails(tcp_server(("203.0.113.1", 80), echo).await);
    assert!(
        matches!(error, Error::Refused(text) if text.contains("--allow-listen=203.0.113.1:80"))
    );
    let error = fails(create_server(("203.0.113.1", 80), echo).await);
    assert!(matches!(error, Error::Refused(_)), "{error}");
    Ok(())
}

/// Something else than a socket: it takes what is put into its queue, and fails in the end.
struct Fails(Queue<u32>);

impl Listener for Fails {
    type Connection = u32;
    type Address = ();

    async fn accept(&self) -> Result<(u32, ())> {
        match self.0.get().await? {
            0 => Err(IoError::other("the socket is broken").into()),
            number => Ok((number, ())),
        }
    }
}

async fn a_listener_that_fails_is_an_error() -> Result<()> {
    let notes = Notes::new();
    let log = notes.clone();
    let listener = Fails(Queue::new());
    for number in [1, 2, 0] {
        listener.0.put(number).await?;
    }
    let served = run_server(listener, async move |number, ()| {
        let error = sleep_until_told().await;
        sleep(ms(10)).await?;
        log.add(format!("{number} was told: {error}"));
        Err(error)
    });
    let error = fails(served.await);
    assert_eq!(error.to_string(), "the socket is broken");
    // They may never have begun: then there is nobody to tell.
    notes.are([
        "1 was told: the task was cancelled",
        "2 was told: the task was cancelled",
    ]);
    Ok(())
}

async fn a_server_that_is_dropped_cancels_its_handlers() -> Result<()> {
    let notes = Notes::new();
    let log = notes.clone();
    let socket = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_address()?;
    let server = run_server(socket, async move |client: Socket, peer| {
        let result = echo(client, peer).await;
        log.add(format!("{result:?}"));
        result
    });
    let mut server = Box::pin(server);
    // It runs as long as somebody polls it.
    let client = {
        let mut client = Box::pin(is_echoed(&address));
        std::future::poll_fn(|cx| {
            assert!(server.as_mut().poll(cx).is_pending());
            client.as_mut().poll(cx)
        })
        .await?
    };
    drop(server);
    assert!(client.recv(1).await?.is_empty());
    notes.are(["Err(the task was cancelled)"]);
    is_closed(&address).await;
    Ok(())
}

/// A server that runs, its task and its address.
async fn start<H>(handler: H) -> Result<(Rc<Server<H>>, curio::Task<()>, Address)>
where
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    let server = Rc::new(create_server(("localhost", 0), handler).await?);
    let address = server.socket().expect("it listens").local_address()?;
    let runs = server.clone();
    let task = spawn(async move { runs.serve_forever().await });
    Ok((server, task, address))
}

async fn a_server_serves_until_it_is_closed() -> Result<()> {
    let notes = Notes::new();
    let log = notes.clone();
    let (server, task, address) = start(async move |client: Socket, peer| {
        let result = echo(client, peer).await;
        sleep(ms(10)).await?;
        log.add(format!("{result:?}"));
        result
    })
    .await?;
    let clients = [is_echoed(&address).await?, is_echoed(&address).await?];
    server.cancel().await?;
    notes.are(["Err(the task was cancelled)"; 2]);
    task.join().await?;
    assert!(server.socket().is_none());
    is_closed(&address).await;
    for client in clients {
        assert!(client.recv(1).await?.is_empty());
    }
    // To close it again changes nothing.
    server.close();
    server.cancel().await
}

async fn a_server_is_closed_from_a_handler() -> Result<()> {
    let servers: Rc<Queue<Box<dyn Fn()>>> = Rc::new(Queue::new());
    let taken = servers.clone();
    let (server, task, address) = start(async move |client: Socket, _| {
        let close = taken.get().await?;
        close();
        client.send_all(b"closing").await
    })
    .await?;
    let closing = Rc::downgrade(&server);
    let close = move || closing.upgrade().expect("it is there").close();
    servers.put(Box::new(close)).await?;
    let client = open_connection(&address).await?;
    assert_eq!(client.recv(100).await?, b"closing");
    task.join().await?;
    is_closed(&address).await;
    Ok(())
}

async fn a_cancelled_server_is_closed() -> Result<()> {
    let (server, task, address) = start(echo).await?;
    is_echoed(&address).await?;
    assert!(task.cancel().await?);
    assert!(server.socket().is_none());
    is_closed(&address).await;
    server.cancel().await
}

async fn a_server_that_times_out_is_closed() -> Result<()> {
    let server = create_server(("localhost", 0), echo).await?;
    let address = server.socket().expect("it listens").local_address()?;
    let error = fails(timeout_after(ms(20), server.serve_forever()).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    is_closed(&address).await;
    Ok(())
}

async fn a_server_serves_once() -> Result<()> {
    let (server, task, address) = start(echo).await?;
    is_echoed(&address).await?;
    let error = fails(server.serve_forever().await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    // The other one goes on.
    is_echoed(&address).await?;
    server.cancel().await?;
    task.join().await?;
    let error = fails(server.serve_forever().await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    // One that was closed before it served does not begin.
    let server = create_server(("localhost", 0), echo).await?;
    server.cancel().await?;
    assert!(server.socket().is_none());
    fails(server.serve_forever().await);
    Ok(())
}

/// Writes the line of the program where it makes the server.
async fn a_failed_handler_is_told_with_the_server_s_place() -> Result<()> {
    let handler = async |client: Socket, _| {
        client.recv(1).await?;
        Err(Error::other("this handler had enough"))
    };
    let line = line!() + 1;
    let server = create_server(("localhost", 0), handler);
    let server = Rc::new(server.await?);
    test_guests::say(&line.to_string());
    let address = server.socket().expect("it listens").local_address()?;
    let runs = server.clone();
    let task = spawn(async move { runs.serve_forever().await });
    let client = open_connection(&address).await?;
    client.send_all(b"x").await?;
    assert!(client.recv(1).await?.is_empty());
    server.cancel().await?;
    task.join().await
}
