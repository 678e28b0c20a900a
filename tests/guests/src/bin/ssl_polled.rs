//! Streams on TLS connections, and what other crates read and write on them.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::rc::Rc;

use async_tungstenite::tungstenite::Message;
use async_tungstenite::{accept_async, client_async};
use curio::io::{RawIo, Stream};
use curio::ssl::{ClientContext, Identity, ServerBuilder, ServerContext, TlsStream};
use curio::{
    Error, Result, Socket, ignore_after, open_connection, sleep, spawn, tcp_server_socket,
};
use futures::stream::FuturesUnordered;
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, TryStreamExt};
use test_guests::{fails, ms};

test_guests::cases! {
    lines_go_both_ways
    two_tasks_have_a_stream_each
    a_stream_makes_the_handshake
    what_was_written_arrives_without_more
    interrupted_reads_lose_nothing
    polling_makes_the_handshake
    both_directions_may_poll_at_once
    two_tasks_may_poll_at_once
    a_poll_that_was_given_up_is_in_nobody_s_way
    a_silent_client_that_is_polled_is_given_up
    a_failed_handshake_is_told_to_all_who_poll
    a_cancellation_comes_out_of_a_polled_handshake
    web_sockets_talk_over_tls
}

fn server_builder() -> ServerBuilder {
    ServerContext::builder(Identity::named("site"))
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
    let authority = std::fs::read("/tls/authority.pem").expect("it is granted");
    let builder = ClientContext::builder().authorities(authority);
    let context = builder.system_authorities(false).build().await?;
    let client = context.wrap_socket(client, "localhost")?;
    Ok((client, server_builder().build()?.wrap_socket(server)?))
}

/// Sends back what comes, line by line.
async fn echo(mut stream: Stream<impl RawIo>) -> Result<()> {
    let mut line = Vec::new();
    while stream.read_line_into(&mut line).await? > 0 {
        stream.write(&line).await?;
    }
    stream.end().await
}

async fn lines_go_both_ways() -> Result<()> {
    let (client, server) = pair().await?;
    let server = spawn(async move { echo(server.as_stream()).await });
    let mut client = client.into_stream();
    client.write(b"one\ntwo\nthree").await?;
    assert_eq!(client.read_line().await?, b"one\n");
    assert_eq!(client.read_exactly(2).await?, b"tw");
    client.end().await?;
    let rest: Vec<_> = Stream::lines(&mut client).try_collect().await?;
    assert_eq!(rest, [b"o\n", &b"three"[..]]);
    let error = fails(client.read_exactly(1).await);
    assert!(error.to_string().contains("ended too early"), "{error}");
    server.join().await
}

async fn two_tasks_have_a_stream_each() -> Result<()> {
    let (client, server) = pair().await?;
    let server = spawn(echo(server.into_stream()));
    let (mut reader, mut writer) = client.make_streams();
    // Who reads makes the handshake; who writes waits for it.
    let lines = spawn(async move { reader.read_lines().await });
    for n in 0..10_000 {
        writer.write(format!("line {n}\n").as_bytes()).await?;
    }
    writer.end().await?;
    drop(writer);
    let lines = lines.join().await?;
    assert_eq!(lines.len(), 10_000);
    assert_eq!(lines[9999], b"line 9999\n");
    server.join().await
}

async fn a_stream_makes_the_handshake() -> Result<()> {
    let (client, server) = pair().await?;
    let client = spawn(async move { client.into_stream().end().await });
    let mut server = server.into_stream();
    assert_eq!(server.read_all().await?, b"");
    assert!(server.get_ref().version().is_some());
    client.join().await?;

    // Whoever is sent away in the middle of it leaves it to the next one.
    let (client, server) = pair().await?;
    let mut server = server.into_stream();
    for _ in 0..3 {
        assert_eq!(ignore_after(ms(5), server.read_line()).await?, None);
    }
    let client = spawn(async move { client.send_all(b"late\n").await.map(|()| client) });
    assert_eq!(server.read_line().await?, b"late\n");
    client.join().await?.close().await
}

async fn what_was_written_arrives_without_more() -> Result<()> {
    let (client, server) = pair().await?;
    let server = spawn(async move {
        let mut server = server.into_stream();
        server.write(b"go\n").await?;
        // So slow that the other end comes to have its bytes kept.
        sleep(ms(50)).await?;
        let received = server.read_exactly(8_000_000).await?;
        server
            .write(format!("{} bytes\n", received.len()).as_bytes())
            .await
    });
    let mut client = client.into_stream();
    assert_eq!(client.read_line().await?, b"go\n");
    client.write(&vec![7; 8_000_000]).await?;
    assert_eq!(client.read_line().await?, b"8000000 bytes\n");
    server.join().await.map(drop)
}

async fn interrupted_reads_lose_nothing() -> Result<()> {
    let (client, server) = pair().await?;
    let writer = spawn(async move {
        for n in 0..30 {
            server.send_all(format!("line {n}").as_bytes()).await?;
            sleep(ms(2)).await?;
            server.send_all(b"\n").await?;
        }
        server.close().await
    });
    let (mut client, mut lines, mut timed_out) = (client.into_stream(), Vec::new(), 0);
    loop {
        match ignore_after(ms(1), client.read_line()).await? {
            None => timed_out += 1,
            Some(line) if line.is_empty() => break,
            Some(line) => lines.push(line),
        }
    }
    assert_eq!(lines.len(), 30);
    assert!(timed_out > 0);
    assert_eq!(lines[29], b"line 29\n");
    writer.join().await
}

async fn polling_makes_the_handshake() -> Result<()> {
    let (mut client, server) = pair().await?;
    let server = spawn(async move {
        let (mut reader, mut writer) = (&server, &server);
        let copied = futures::io::copy(&mut reader, &mut writer).await?;
        AsyncWriteExt::close(&mut writer).await?;
        Ok(copied)
    });
    client.write_all(b"hello").await?;
    client.flush().await?;
    let mut buffer = [0; 5];
    client.read_exact(&mut buffer).await?;
    assert_eq!(&buffer, b"hello");
    let mut stream = client.into_stream();
    AsyncWriteExt::write_all(&mut stream, b"one\ntwo\n").await?;
    AsyncWriteExt::close(&mut stream).await?;
    let lines: Vec<_> = AsyncBufReadExt::lines(stream).try_collect().await?;
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(server.join().await?, 13);
    Ok(())
}

async fn both_directions_may_poll_at_once() -> Result<()> {
    let (one, other) = pair().await?;
    let data = vec![1; 3_000_000];
    let both = [Rc::new(one), Rc::new(other)].map(|stream| {
        let data = data.clone();
        spawn(async move {
            let (mut reader, mut writer) = (&*stream, &*stream);
            let mut back = vec![0; data.len()];
            let writing = async {
                writer.write_all(&data).await?;
                writer.flush().await
            };
            let (read, written) = futures::join!(reader.read_exact(&mut back), writing);
            read?;
            written?;
            assert!(back == data);
            Ok(())
        })
    });
    for task in both {
        task.join().await?;
    }

    // Each is woken by itself; one has no patience.
    let (client, server) = pair().await?;
    let (client, mut buffer) = (&client, [0; 9]);
    let server = spawn(async move {
        sleep(ms(10)).await?;
        let said = server.recv(9).await?;
        server.send_all(&said).await?;
        server.close().await
    });
    let all = FuturesUnordered::new();
    all.push(async { (&*client).read(&mut buffer).await }.boxed_local());
    all.push(async { (&*client).write(b"question").await }.boxed_local());
    all.push(async { (&*client).write(&[]).now_or_never().unwrap_or(Ok(0)) }.boxed_local());
    let mut counts: Vec<_> = all.try_collect().await?;
    counts.sort_unstable();
    assert_eq!(counts, [0, 8, 8]);
    server.join().await
}

async fn two_tasks_may_poll_at_once() -> Result<()> {
    let (client, server) = pair().await?;
    let (client, server) = (Rc::new(client), spawn(echo(server.into_stream())));
    let ours = client.clone();
    let reader = spawn(async move {
        let mut line = [0; 9];
        (&*ours).read_exact(&mut line).await?;
        Ok(line)
    });
    // The one that polls last goes away.
    let ours = client.clone();
    let impatient = spawn(async move {
        assert!((&*ours).write(b"x").now_or_never().is_none());
        Ok(())
    });
    impatient.join().await?;
    (&*client).write_all(b"all well\n").await?;
    assert_eq!(&reader.join().await?, b"all well\n");
    client.shutdown().await?;
    server.join().await
}

async fn a_poll_that_was_given_up_is_in_nobody_s_way() -> Result<()> {
    for how in 0..4 {
        let (mut client, server) = pair().await?;
        let server = spawn(echo(server.into_stream()));
        let mut buffer = [0; 9];
        assert!(client.read(&mut buffer).now_or_never().is_none());
        match how {
            0 => client.send_all(b"hi\n").await?,
            1 => client.write_all(b"hi\n").await?,
            2 => drop(client.as_stream().write(b"hi\n").await?),
            _ => {
                let mut stream = client.into_stream();
                let polled = AsyncReadExt::read(&mut stream, &mut buffer).now_or_never();
                assert!(polled.is_none());
                stream.write(b"hi\n").await?;
                client = stream.into_inner().expect("nothing was read");
            }
        }
        assert!(client.read(&mut buffer).now_or_never().is_none());
        assert_eq!(client.as_stream().read_line().await?, b"hi\n");
        client.shutdown().await?;
        assert!(client.recv(9).await?.is_empty());
        server.join().await?;
    }
    Ok(())
}

async fn a_silent_client_that_is_polled_is_given_up() -> Result<()> {
    let (_client, server) = sockets().await?;
    let context = server_builder().handshake_timeout(ms(30)).build()?;
    let mut stream = context.wrap_socket(server)?;
    let error = stream.read(&mut [0; 9]).await.expect_err("nothing comes");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "the TLS handshake took longer than 30ms");
    let error = fails(stream.into_stream().write(b"x").await);
    assert_eq!(error.to_string(), "the TLS handshake took longer than 30ms");
    Ok(())
}

async fn a_failed_handshake_is_told_to_all_who_poll() -> Result<()> {
    let (client, server) = sockets().await?;
    let stream = server_builder().build()?.wrap_socket(server)?;
    let talk = async {
        sleep(ms(5)).await?;
        client.send_all(b"GET / HTTP/1.1\r\n\r\n").await
    };
    let mut buffer = [0; 9];
    let (mut reader, mut writer) = (&stream, &stream);
    let (read, written, said) = futures::join!(reader.read(&mut buffer), writer.write(b"x"), talk);
    said?;
    for error in [read.expect_err("no TLS"), written.expect_err("no TLS")] {
        assert!(matches!(Error::from(error), Error::Ssl(_)));
    }
    Ok(())
}

async fn a_cancellation_comes_out_of_a_polled_handshake() -> Result<()> {
    let (_client, server) = sockets().await?;
    let mut stream = server_builder().build()?.wrap_socket(server)?;
    let reader = spawn(async move {
        let error = stream.read(&mut [0; 9]).await.expect_err("nothing comes");
        Err::<(), _>(Error::from(error))
    });
    sleep(ms(20)).await?;
    assert!(reader.cancel().await?);
    let Error::Task(error) = fails(reader.join().await) else {
        panic!("a cancelled task has no result");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    Ok(())
}

async fn web_sockets_talk_over_tls() -> Result<()> {
    let (client, server) = pair().await?;
    let server = spawn(async move {
        let mut peer = accept_async(server).await.map_err(Error::other)?;
        while let Some(message) = peer.next().await {
            let message = message.map_err(Error::other)?;
            if message.is_text() || message.is_binary() {
                peer.send(message).await.map_err(Error::other)?;
            }
        }
        Ok(())
    });
    let client = client_async("wss://localhost/talk", client).await;
    let (mut client, _) = client.map_err(Error::other)?;
    for message in [
        Message::text("fine weather"),
        Message::binary(vec![5; 2_000_000]),
    ] {
        client.send(message.clone()).await.map_err(Error::other)?;
        let answer = client.next().await.expect("it answers");
        assert!(answer.map_err(Error::other)? == message);
    }
    client.close(None).await.map_err(Error::other)?;
    while let Some(message) = client.next().await {
        assert!(message.map_err(Error::other)?.is_close());
    }
    server.join().await
}
