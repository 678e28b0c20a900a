//! TLS between tasks of one program: a connection, from its handshake to its end.

use curio::socket::Address;
use std::net::Ipv4Addr;
use std::rc::Rc;

use curio::ssl::{
    ClientContext, Identity, ServerContext, SslErrorKind, TlsStream, TlsVersion,
    get_server_certificate, run_tls_server,
};
use curio::{Error, Result, Socket, Task, ignore_after, open_connection, spawn, tcp_server_socket};
use test_guests::{fails, ms};

test_guests::cases! {
    data_goes_both_ways
    one_task_may_read_while_another_writes
    the_first_operation_makes_the_handshake
    both_may_begin_the_handshake
    the_end_of_a_stream_is_told
    a_dropped_stream_ends
    a_closed_stream_takes_no_more
    a_second_reader_is_told_that_it_is_one
    a_cancelled_recv_loses_nothing
    a_cancelled_send_leaves_the_connection_whole
    what_was_chosen_is_known
    a_silent_client_is_given_up
    a_silent_server_is_given_up
    a_client_that_speaks_no_tls_is_told_of
    a_server_that_speaks_no_tls_is_told_of
    a_bad_client_fails_alone
    the_certificate_of_a_server
    a_thousand_connections
}

/// The authority's certificate.
fn authority() -> Vec<u8> {
    std::fs::read("/tls/authority.pem").expect("it is granted")
}

fn server_context() -> Result<ServerContext> {
    ServerContext::builder(Identity::named("site")).build()
}

async fn client_context() -> Result<ClientContext> {
    let builder = ClientContext::builder().authorities(authority());
    builder.system_authorities(false).build().await
}

/// Two connected sockets.
async fn sockets() -> Result<(Socket, Socket)> {
    let listener = tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let client = open_connection(listener.local_address()?).await?;
    Ok((client, listener.accept().await?.0))
}

/// The two ends of a connection, a client's and a server's, before their handshake.
async fn pair() -> Result<(TlsStream, TlsStream)> {
    let (client, server) = sockets().await?;
    let client = client_context().await?.wrap_socket(client, "localhost")?;
    Ok((client, server_context()?.wrap_socket(server)?))
}

/// The same, after it.
async fn open_pair() -> Result<(Rc<TlsStream>, Rc<TlsStream>)> {
    let (client, server) = pair().await?;
    let (client, server) = (Rc::new(client), Rc::new(server));
    let other = server.clone();
    let task = spawn(async move { other.do_handshake().await });
    client.do_handshake().await?;
    task.join().await?;
    Ok((client, server))
}

/// Receives to the end.
async fn read_all(stream: &TlsStream) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let data = stream.recv(100_000).await?;
        if data.is_empty() {
            return Ok(all);
        }
        all.extend(data);
    }
}

fn send(stream: &Rc<TlsStream>, data: Vec<u8>) -> Task<()> {
    let stream = stream.clone();
    spawn(async move {
        stream.send_all(&data).await?;
        stream.shutdown().await
    })
}

async fn data_goes_both_ways() -> Result<()> {
    let (client, server) = open_pair().await?;
    client.send_all(b"ping").await?;
    let mut buffer = [0; 10];
    assert_eq!(server.recv_into(&mut buffer).await?, 4);
    assert_eq!(&buffer[..4], b"ping");
    server.send_all(b"pong").await?;
    assert_eq!(client.recv(2).await?, b"po");
    assert!(client.recv(0).await?.is_empty());
    assert_eq!(client.recv(usize::MAX).await?, b"ng");
    assert_eq!(client.send(b"").await?, 0);
    assert_eq!(client.peer_address()?, server.local_address()?);
    Ok(())
}

async fn one_task_may_read_while_another_writes() -> Result<()> {
    let (client, server) = open_pair().await?;
    let there: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let back: Vec<u8> = (0..4_000_000_u32).map(|n| (n % 241) as u8).collect();
    let tasks = [send(&client, there.clone()), send(&server, back.clone())];
    let reader = {
        let server = server.clone();
        spawn(async move { read_all(&server).await })
    };
    assert!(read_all(&client).await? == back);
    assert!(reader.join().await? == there);
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn the_first_operation_makes_the_handshake() -> Result<()> {
    let (client, server) = pair().await?;
    let task = spawn(async move {
        assert_eq!(server.recv(10).await?, b"hello");
        server.close().await
    });
    assert_eq!(client.version(), None);
    client.send_all(b"hello").await?;
    assert!(client.recv(10).await?.is_empty());
    task.join().await
}

async fn both_may_begin_the_handshake() -> Result<()> {
    let (client, server) = pair().await?;
    let (client, server) = (Rc::new(client), Rc::new(server));
    let reader = {
        let client = client.clone();
        spawn(async move { client.recv(10).await })
    };
    let writer = send(&client, b"question".to_vec());
    let answering = {
        let server = server.clone();
        spawn(async move { read_all(&server).await })
    };
    server.send_all(b"answer").await?;
    assert_eq!(reader.join().await?, b"answer");
    assert_eq!(answering.join().await?, b"question");
    writer.join().await
}

async fn the_end_of_a_stream_is_told() -> Result<()> {
    let (client, server) = open_pair().await?;
    client.send_all(b"last words").await?;
    client.shutdown().await?;
    assert_eq!(read_all(&server).await?, b"last words");
    assert!(server.recv(10).await?.is_empty(), "the end stays the end");
    // The other direction goes on.
    server.send_all(b"well, well").await?;
    server.shutdown().await?;
    assert_eq!(read_all(&client).await?, b"well, well");
    Ok(())
}

async fn a_dropped_stream_ends() -> Result<()> {
    let (client, server) = open_pair().await?;
    client.send_all(b"bye").await?;
    drop(client);
    assert_eq!(read_all(&server).await?, b"bye");
    Ok(())
}

async fn a_closed_stream_takes_no_more() -> Result<()> {
    let (client, _server) = open_pair().await?;
    client.shutdown().await?;
    client.shutdown().await?;
    match fails(client.send(b"more").await) {
        Error::Io(error) => assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe),
        error => panic!("{error}"),
    }
    Ok(())
}

async fn a_second_reader_is_told_that_it_is_one() -> Result<()> {
    let (client, server) = open_pair().await?;
    let reader = {
        let client = client.clone();
        spawn(async move { client.recv(10).await })
    };
    curio::sleep(ms(20)).await?;
    let error = fails(client.recv(10).await);
    assert!(matches!(error, Error::ResourceBusy), "{error}");
    server.send_all(b"x").await?;
    assert_eq!(reader.join().await?, b"x");
    Ok(())
}

async fn a_cancelled_recv_loses_nothing() -> Result<()> {
    let (client, server) = open_pair().await?;
    for n in 0..20_u8 {
        assert_eq!(ignore_after(ms(2), client.recv(10)).await?, None);
        server.send_all(&[n]).await?;
        assert_eq!(client.recv(10).await?, [n]);
    }
    Ok(())
}

async fn a_cancelled_send_leaves_the_connection_whole() -> Result<()> {
    let (client, server) = open_pair().await?;
    let mut sent = 0;
    // Nobody reads: at some point no more fits.
    while let Some(more) = ignore_after(ms(50), client.send(&[b'a'; 10_000])).await? {
        sent += more;
    }
    let reader = {
        let server = server.clone();
        spawn(async move { read_all(&server).await })
    };
    client.send_all(b"b").await?;
    client.shutdown().await?;
    let received = reader.join().await?;
    let (last, first) = received.split_last().expect("something was sent");
    assert_eq!(*last, b'b');
    assert!(first.iter().all(|byte| *byte == b'a'));
    // What the interrupted one took was sent, too.
    assert!((sent..=sent + 10_000).contains(&first.len()), "{sent}");
    Ok(())
}

async fn what_was_chosen_is_known() -> Result<()> {
    let (client, server) = open_pair().await?;
    for end in [&client, &server] {
        assert_eq!(end.version(), Some(TlsVersion::Tls13));
        assert_eq!(end.alpn_protocol(), None);
        let cipher = end.cipher().unwrap_or_default();
        assert!(cipher.starts_with("TLS_"), "{cipher}");
    }
    assert_eq!(client.requested_name(), None);
    assert_eq!(server.requested_name().as_deref(), Some("localhost"));
    assert!(client.peer_certificate().is_some_and(|der| der[0] == 0x30));
    assert_eq!(server.peer_certificate(), None);
    let shown = format!("{client:?}");
    assert!(shown.contains("Tls13"), "{shown}");
    Ok(())
}

async fn a_silent_client_is_given_up() -> Result<()> {
    let (_client, server) = sockets().await?;
    let builder = ServerContext::builder(Identity::named("site"));
    let context = builder.handshake_timeout(ms(30)).build()?;
    let stream = context.wrap_socket(server)?;
    match fails(stream.recv(10).await) {
        Error::Io(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
            assert_eq!(error.to_string(), "the TLS handshake took longer than 30ms");
        }
        error => panic!("{error}"),
    }
    Ok(())
}

async fn a_silent_server_is_given_up() -> Result<()> {
    let (client, _server) = sockets().await?;
    let builder = ClientContext::builder().authorities(authority());
    let builder = builder.system_authorities(false).handshake_timeout(ms(30));
    let stream = builder.build().await?.wrap_socket(client, "localhost")?;
    let error = fails(stream.send(b"x").await);
    assert_eq!(error.to_string(), "the TLS handshake took longer than 30ms");
    assert!(matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut));
    Ok(())
}

#[track_caller]
fn assert_ssl(error: &Error, kind: SslErrorKind, text: &str) {
    match error {
        Error::Ssl(ssl) if ssl.kind() == kind && ssl.to_string().contains(text) => {}
        error => panic!("{error} should be {kind:?}, with {text:?}"),
    }
}

async fn a_client_that_speaks_no_tls_is_told_of() -> Result<()> {
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff, 9]] {
        let (client, server) = sockets().await?;
        client.send_all(said).await?;
        client.shutdown(std::net::Shutdown::Write)?;
        let stream = server_context()?.wrap_socket(server)?;
        let first = fails(stream.do_handshake().await);
        assert_ssl(&first, SslErrorKind::Protocol, "is no TLS");
        let again = fails(stream.recv(1).await);
        assert_eq!(first.to_string(), again.to_string());
    }
    let (client, server) = sockets().await?;
    drop(client);
    let stream = server_context()?.wrap_socket(server)?;
    let error = fails(stream.do_handshake().await);
    assert_ssl(&error, SslErrorKind::UnexpectedEof, "hung up during");
    Ok(())
}

async fn a_server_that_speaks_no_tls_is_told_of() -> Result<()> {
    let (client, server) = sockets().await?;
    server.send_all(b"220 mail.example.org\r\n").await?;
    let stream = client_context().await?.wrap_socket(client, "localhost")?;
    let error = fails(stream.do_handshake().await);
    assert_ssl(&error, SslErrorKind::Protocol, "is no TLS");
    Ok(())
}

async fn echo(client: TlsStream, _peer: Address) -> Result<()> {
    loop {
        let data = client.recv(1000).await?;
        if data.is_empty() {
            return client.close().await;
        }
        client.send_all(&data).await?;
    }
}

/// Starts an echo server, and says where.
fn start_server() -> Result<(Task<()>, Address)> {
    let socket = tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_address()?;
    let context = server_context()?;
    let server = spawn(async move {
        let result = run_tls_server(socket, &context, echo).await;
        result.map(drop)
    });
    Ok((server, address))
}

async fn a_bad_client_fails_alone() -> Result<()> {
    let (server, address) = start_server()?;
    let bad = open_connection(&address).await?;
    bad.send_all(b"garbage, and more of it").await?;
    let silent = open_connection(&address).await?;
    let context = client_context().await?;
    let client = curio::ssl::open_tls_connection(&address, "localhost", &context).await?;
    client.send_all(b"hello").await?;
    assert_eq!(client.recv(10).await?, b"hello");
    client.close().await?;
    // It was told so by an alert, in TLS's words.
    let alert = bad.recv(100).await?;
    assert_eq!(alert[..2], [21, 3], "{alert:?}");
    drop(silent);
    assert!(server.cancel().await?);
    Ok(())
}

async fn the_certificate_of_a_server() -> Result<()> {
    let (server, address) = start_server()?;
    let pem = get_server_certificate(&address, "localhost").await?;
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"), "{pem}");
    assert!(pem.ends_with("-----END CERTIFICATE-----\n"), "{pem}");
    assert_eq!(get_server_certificate(&address, None).await?, pem);
    assert!(server.cancel().await?);
    Ok(())
}

async fn a_thousand_connections() -> Result<()> {
    let (server, address) = start_server()?;
    let context = client_context().await?;
    let mut clients = Vec::new();
    for _ in 0..1000 {
        clients.push(curio::ssl::open_tls_connection(&address, "localhost", &context).await?);
    }
    for round in 0..3 {
        for (n, client) in clients.iter().enumerate() {
            client.send_all(format!("{n} {round}").as_bytes()).await?;
        }
        for (n, client) in clients.iter().enumerate() {
            let expected = format!("{n} {round}");
            assert_eq!(client.recv(100).await?, expected.as_bytes());
        }
    }
    for client in clients {
        client.close().await?;
    }
    assert!(server.cancel().await?);
    Ok(())
}
