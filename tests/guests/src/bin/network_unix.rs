//! Connections and servers by Unix sockets, plain, over TLS and as channels. To be run with rights to a folder, which
//! the variable `AT` names.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use curio::channel::{Channel, Listener, client};
use curio::network::{ConnectionOptions, Endpoint, ServerOptions};
use curio::socket::{Address, IpFamily};
use curio::ssl::{
    ClientContext, Identity, ServerContext, SslErrorKind, get_server_certificate,
    open_tls_connection, run_tls_server, tls_server,
};
use curio::{
    Error, Result, Socket, Task, create_connection, create_server, ignore_after, open_connection,
    open_unix_connection, spawn, unix_server, unix_server_socket, yield_now,
};
use test_guests::{fails, ms};

test_guests::cases! {
    servers_and_clients_talk
    a_server_is_a_thing_of_its_own
    a_cancelled_server_hangs_up
    a_path_is_taken_once
    a_path_without_a_server_is_an_error
    a_path_must_make_sense
    a_path_needs_a_right
    a_path_is_of_no_family
    a_full_backlog_is_waited_for
    tls_goes_over_it
    tls_wants_a_name
    a_channel_goes_over_it
    a_channel_s_key_is_checked
}

fn path(name: &str) -> PathBuf {
    let folder = std::env::var("AT").expect("the test says where");
    PathBuf::from(folder).join(name)
}

fn address(name: &str) -> Address {
    Address::unix(path(name))
}

async fn echo(client: Socket, peer: Address) -> Result<()> {
    assert_eq!(peer, Address::Unnamed);
    loop {
        let data = client.recv(1000).await?;
        if data.is_empty() {
            return Ok(());
        }
        client.send_all(&data).await?;
    }
}

/// Starts an echo server.
async fn serve(name: &str) -> Result<Task<()>> {
    let path = path(name);
    let server = spawn(async move { unix_server(path, echo).await.map(drop) });
    yield_now().await?;
    Ok(server)
}

async fn is_echoed(client: &Socket) -> Result<()> {
    client.send_all(b"x").await?;
    assert_eq!(client.recv(1).await?, b"x");
    Ok(())
}

#[track_caller]
fn is_io(error: &Error, kind: ErrorKind) {
    assert!(
        matches!(error, Error::Io(error) if error.kind() == kind),
        "{error} should be {kind:?}"
    );
}

async fn servers_and_clients_talk() -> Result<()> {
    let server = serve("s").await?;
    let text = format!("unix:{}", path("s").display());
    let clients = [
        open_unix_connection(path("s")).await?,
        open_connection(address("s")).await?,
        open_connection(text.parse::<Endpoint>()?).await?,
        create_connection(address("s")).await?,
        ConnectionOptions::new().open(address("s")).await?,
    ];
    for client in &clients {
        is_echoed(client).await?;
        assert_eq!(client.peer_address()?, address("s"));
        assert_eq!(client.local_address()?, Address::Unnamed);
    }
    assert!(server.cancel().await?);
    Ok(())
}

async fn a_server_is_a_thing_of_its_own() -> Result<()> {
    let server = std::rc::Rc::new(create_server(address("s"), echo).await?);
    let at = server.socket().expect("it listens").local_address()?;
    assert_eq!(at, address("s"));
    let runs = server.clone();
    let task = spawn(async move { runs.serve_forever().await });
    is_echoed(&open_connection(at).await?).await?;
    server.cancel().await?;
    task.join().await
}

async fn a_cancelled_server_hangs_up() -> Result<()> {
    let server = serve("s").await?;
    let client = open_unix_connection(path("s")).await?;
    is_echoed(&client).await?;
    assert!(server.cancel().await?);
    assert!(client.recv(1).await?.is_empty());
    let error = fails(open_unix_connection(path("s")).await);
    is_io(&error, ErrorKind::ConnectionRefused);
    Ok(())
}

async fn a_path_is_taken_once() -> Result<()> {
    let first = unix_server_socket(path("s"))?;
    let again = || unix_server_socket(path("s"));
    is_io(&fails(again()), ErrorKind::AddrInUse);
    // It stays when nobody listens there any more.
    drop(first);
    is_io(&fails(again()), ErrorKind::AddrInUse);
    let error = fails(unix_server(path("s"), echo).await);
    is_io(&error, ErrorKind::AddrInUse);
    // Nothing of the internet's changes that.
    let shared = ServerOptions::new().reuse_port(true).reuse_address(true);
    is_io(&fails(shared.socket(address("s"))), ErrorKind::AddrInUse);
    Ok(())
}

async fn a_path_without_a_server_is_an_error() -> Result<()> {
    let error = fails(open_unix_connection(path("nobody")).await);
    is_io(&error, ErrorKind::NotFound);
    let error = fails(create_connection(address("nobody")).await);
    is_io(&error, ErrorKind::NotFound);
    let error = fails(unix_server_socket(path("no folder/s")));
    is_io(&error, ErrorKind::NotFound);
    Ok(())
}

async fn a_path_must_make_sense() -> Result<()> {
    for (path, text) in [
        (PathBuf::from("s"), "give an absolute path"),
        (PathBuf::new(), "give an absolute path"),
        (path("../s"), "give an absolute path"),
        (path(&"x".repeat(200)), "too long"),
    ] {
        for error in [
            fails(open_unix_connection(&path).await),
            fails(unix_server_socket(&path)),
        ] {
            let path = path.display();
            assert!(error.to_string().contains(text), "{path}: {error}");
        }
    }
    Ok(())
}

async fn a_path_needs_a_right() -> Result<()> {
    let connected = fails(open_unix_connection("/elsewhere/s").await);
    let served = fails(unix_server("/elsewhere/s", echo).await);
    for (error, flag) in [
        (connected, "--allow-net=unix:/elsewhere/s"),
        (served, "--allow-listen=unix:/elsewhere/s"),
    ] {
        assert!(
            matches!(&error, Error::Refused(text) if text.contains(flag)),
            "{error} should name {flag}"
        );
    }
    Ok(())
}

async fn a_path_is_of_no_family() -> Result<()> {
    let _listener = unix_server_socket(path("s"))?;
    for options in [
        ConnectionOptions::new().family(IpFamily::V4),
        ConnectionOptions::new().family(IpFamily::V6),
        ConnectionOptions::new().source_address((Ipv4Addr::LOCALHOST, 0).into()),
    ] {
        let error = fails(options.open(address("s")).await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    let options = ServerOptions::new().family(IpFamily::V4);
    let error = fails(options.serve(address("t"), echo).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    Ok(())
}

async fn a_full_backlog_is_waited_for() -> Result<()> {
    let listener = ServerOptions::new().backlog(0).socket(address("s"))?;
    let mut waiting = Vec::new();
    while let Some(client) = ignore_after(ms(100), open_unix_connection(path("s"))).await? {
        waiting.push(client);
        assert!(waiting.len() < 10, "the backlog does not fill up");
    }
    let client = spawn(open_unix_connection(path("s")));
    yield_now().await?;
    for _ in 0..waiting.len() {
        listener.accept().await?;
    }
    let (server, _) = listener.accept().await?;
    let client = client.join().await?;
    client.send_all(b"x").await?;
    assert_eq!(server.recv(1).await?, b"x");
    Ok(())
}

fn server_context() -> Result<ServerContext> {
    ServerContext::builder(Identity::named("site")).build()
}

async fn client_context() -> Result<ClientContext> {
    let authority = std::fs::read("/tls/authority.pem").expect("it is granted");
    let builder = ClientContext::builder().authorities(authority);
    builder.system_authorities(false).build().await
}

/// Starts two servers over TLS that greet.
async fn greet() -> Result<[Task<()>; 2]> {
    let context = server_context()?;
    let socket = unix_server_socket(path("s"))?;
    let one = spawn({
        let context = context.clone();
        async move {
            let served = run_tls_server(socket, &context, async |client, peer| {
                assert_eq!(peer, Address::Unnamed);
                client.send_all(b"hello").await?;
                client.close().await
            });
            served.await.map(drop)
        }
    });
    let other = spawn(async move {
        let served = tls_server(address("t"), &context, async |client, _| {
            client.send_all(b"good-bye").await?;
            client.close().await
        });
        served.await.map(drop)
    });
    yield_now().await?;
    Ok([one, other])
}

async fn tls_goes_over_it() -> Result<()> {
    let servers = greet().await?;
    let context = client_context().await?;
    for (name, greeting) in [("s", &b"hello"[..]), ("t", b"good-bye")] {
        let stream = open_tls_connection(address(name), "localhost", &context).await?;
        assert_eq!(stream.recv(100).await?, greeting);
        assert!(stream.recv(100).await?.is_empty());
        assert_eq!(stream.peer_address()?, address(name));
        stream.close().await?;
    }
    let pem = get_server_certificate(address("s"), "localhost").await?;
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"), "{pem}");
    for server in servers {
        assert!(server.cancel().await?);
    }
    Ok(())
}

async fn tls_wants_a_name() -> Result<()> {
    let servers = greet().await?;
    let context = client_context().await?;
    let error = fails(open_tls_connection(address("s"), None, &context).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(error.to_string().contains("without a name"), "{error}");
    match fails(open_tls_connection(address("s"), "example.org", &context).await) {
        Error::Ssl(error) => {
            assert_eq!(error.kind(), SslErrorKind::Certificate);
            let text = error.to_string();
            assert!(
                text.contains("not valid for name \"example.org\""),
                "{text}"
            );
        }
        error => panic!("{error}"),
    }
    for server in servers {
        assert!(server.cancel().await?);
    }
    Ok(())
}

async fn a_channel_goes_over_it() -> Result<()> {
    for (name, key) in [("plain", None), ("keyed", Some("peekaboo"))] {
        let mut channel = Channel::new(address(name));
        if let Some(key) = key {
            channel = channel.with_key(key);
        }
        channel.bind()?;
        assert_eq!(channel.address(), &address(name));
        let peer = spawn(async move {
            let key = key.map(str::as_bytes);
            let mut peer = client(address(name), key).await?;
            peer.send(&(2, 3)).await?;
            peer.recv::<i32>().await
        });
        let mut connection = channel.accept().await?;
        let (x, y): (i32, i32) = connection.recv().await?;
        connection.send(&(x + y)).await?;
        assert_eq!(peer.join().await?, 5);
    }
    Ok(())
}

async fn a_channel_s_key_is_checked() -> Result<()> {
    let listener = Listener::bind(address("s"))?.with_key("peekaboo");
    assert_eq!(listener.local_address()?, address("s"));
    let server = spawn(async move {
        let mut connection = listener.accept().await?;
        connection.recv::<String>().await
    });
    let error = fails(client(address("s"), Some(b"boo")).await);
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    // The next one is waited for.
    let mut right = client(address("s"), Some(b"peekaboo")).await?;
    right.send("it is me").await?;
    assert_eq!(server.join().await?, "it is me");
    Ok(())
}
