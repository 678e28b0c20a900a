//! What other crates read and write by polling: the traits of `futures`, and a protocol on them.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use async_tungstenite::tungstenite::{Error as WsError, Message};
use async_tungstenite::{accept_async, client_async};
use curio::io::{RawIo, SocketStream};
use curio::{Error, Result, Socket, ignore_after, sleep, spawn, timeout_after};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, TryStreamExt};
use test_guests::{fails, ms, socket_pair};

const MOMENT: Duration = ms(30);

test_guests::cases! {
    sockets_are_read_and_written_by_polling
    a_socket_may_be_read_and_written_at_the_same_time
    streams_are_read_and_written_by_polling
    a_cancellation_is_inside_an_error_of_the_system_s
    a_timeout_comes_out_of_an_error_of_the_system_s
    a_poll_that_was_given_up_is_in_nobody_s_way
    a_timeout_that_nobody_looked_at_does_not_come_later
    web_sockets_talk
    a_web_socket_may_time_out_and_go_on
    a_handler_of_web_sockets_can_be_cancelled
}

async fn sockets_are_read_and_written_by_polling() -> Result<()> {
    let (mut one, other) = socket_pair().await?;
    let echo = spawn(async move {
        let (mut reader, mut writer) = (&other, &other);
        let copied = futures::io::copy(&mut reader, &mut writer).await?;
        AsyncWriteExt::close(&mut writer).await?;
        Ok(copied)
    });
    one.write_all(b"hello").await?;
    let mut buffer = [0; 5];
    one.read_exact(&mut buffer).await?;
    assert_eq!(&buffer, b"hello");
    one.write_all(&vec![7; 100_000]).await?;
    one.flush().await?;
    AsyncWriteExt::close(&mut one).await?;
    let mut rest = Vec::new();
    one.read_to_end(&mut rest).await?;
    assert!(rest.len() == 100_000 && rest.iter().all(|byte| *byte == 7));
    assert_eq!(echo.join().await?, 100_005);
    Ok(())
}

async fn a_socket_may_be_read_and_written_at_the_same_time() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (one, other) = (Rc::new(one), Rc::new(other));
    let data = vec![1; 3_000_000];
    let both = [one, other].map(|socket| {
        let data = data.clone();
        spawn(async move {
            let (mut reader, mut writer) = (&*socket, &*socket);
            let mut back = vec![0; data.len()];
            let (read, written) =
                futures::join!(reader.read_exact(&mut back), writer.write_all(&data));
            read?;
            written?;
            assert!(back == data);
            Ok(())
        })
    });
    for task in both {
        task.join().await?;
    }
    Ok(())
}

async fn streams_are_read_and_written_by_polling() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut one, mut other) = (one.into_stream(), other.into_stream());
    AsyncWriteExt::write_all(&mut one, b"first\nsecond\nthe rest").await?;
    AsyncWriteExt::close(&mut one).await?;
    // One may take turns with the other.
    assert_eq!(other.read_line().await?, b"first\n");
    let mut text = String::new();
    assert_eq!(AsyncBufReadExt::read_line(&mut other, &mut text).await?, 7);
    assert_eq!(text, "second\n");
    let mut few = [0; 4];
    AsyncReadExt::read_exact(&mut other, &mut few).await?;
    assert_eq!(&few, b"the ");
    assert_eq!(other.read_all().await?, b"rest");
    assert_eq!(AsyncReadExt::read(&mut other, &mut few).await?, 0);

    let (one, other) = socket_pair().await?;
    one.send_all(b"a\nb\nc").await?;
    drop(one);
    let lines = AsyncBufReadExt::lines(other.into_stream());
    assert_eq!(lines.try_collect::<Vec<_>>().await?, ["a", "b", "c"]);
    Ok(())
}

async fn a_cancellation_is_inside_an_error_of_the_system_s() -> Result<()> {
    let (_one, mut other) = socket_pair().await?;
    let reader = spawn(async move {
        let error = other.read(&mut [0; 9]).await.expect_err("nothing comes");
        assert_eq!(error.kind(), ErrorKind::Other);
        let inside = error.get_ref().and_then(|inside| inside.downcast_ref());
        assert!(matches!(inside, Some(Error::TaskCancelled)));
        let error = Error::from(error);
        assert!(matches!(error, Error::TaskCancelled));
        Err::<(), _>(error)
    });
    sleep(MOMENT).await?;
    assert_eq!(reader.state().to_string(), "read-wait");
    assert!(reader.cancel().await?);
    Ok(())
}

async fn a_timeout_comes_out_of_an_error_of_the_system_s() -> Result<()> {
    let (one, mut other) = socket_pair().await?;
    let mut buffer = [0; 9];
    for _ in 0..3 {
        let read = timeout_after(MOMENT, async { Ok(other.read(&mut buffer).await?) });
        assert!(matches!(fails(read.await), Error::TaskTimeout(_)));
    }
    one.send_all(b"late").await?;
    assert_eq!(other.read(&mut buffer).await?, 4);
    Ok(())
}

async fn a_poll_that_was_given_up_is_in_nobody_s_way() -> Result<()> {
    let (one, mut other) = socket_pair().await?;
    let mut buffer = [0; 9];
    for n in 0..3 {
        assert!(other.read(&mut buffer).now_or_never().is_none());
        sleep(ms(1)).await?;
        if n == 1 {
            one.send_all(&[n]).await?;
            sleep(ms(1)).await?;
        } else {
            let one = &one;
            let later = async move {
                sleep(ms(5)).await?;
                one.send_all(&[n]).await
            };
            let (received, sent) = futures::join!(other.recv(9), later);
            assert_eq!(received?, [n]);
            sent?;
            continue;
        }
        assert_eq!(other.recv(9).await?, [n]);
    }
    // Another task counts as the reader until it ends.
    let socket = Rc::new(other);
    let polled = socket.clone();
    let first = spawn(async move {
        assert!((&*polled).read(&mut [0; 9]).now_or_never().is_none());
        sleep(2 * MOMENT).await
    });
    sleep(MOMENT).await?;
    assert!(matches!(fails(socket.recv(9).await), Error::ResourceBusy));
    first.join().await?;
    one.send_all(b"x").await?;
    assert_eq!(socket.recv(9).await?, b"x");

    let mut stream = SocketStream::new(Rc::into_inner(socket).expect("the task has ended"));
    let mut lines = SocketStream::lines(&mut stream);
    assert!(lines.next().now_or_never().is_none());
    assert!(StreamExt::next(&mut lines).now_or_never().is_none());
    let waited = ignore_after(MOMENT, stream.read_line()).await?;
    assert!(waited.is_none());
    assert!(stream.get_ref().try_recv(9)?.is_none());
    Ok(())
}

async fn a_timeout_that_nobody_looked_at_does_not_come_later() -> Result<()> {
    let (one, mut other) = socket_pair().await?;
    let mut buffer = [0; 9];
    let timed_out = timeout_after(MOMENT, async {
        assert!(other.read(&mut buffer).now_or_never().is_none());
        sleep(100 * MOMENT).await
    });
    assert!(matches!(fails(timed_out.await), Error::TaskTimeout(_)));
    let sender = spawn(async move {
        sleep(MOMENT).await?;
        one.send_all(b"x").await
    });
    assert_eq!(other.read(&mut buffer).await?, 1);
    sender.join().await
}

/// A peer that answers each text until it is told to stop.
async fn answer(socket: Socket) -> Result<()> {
    let mut peer = accept_async(socket).await.map_err(Error::other)?;
    while let Some(message) = peer.next().await {
        match message.map_err(Error::other)? {
            Message::Text(text) => {
                let answer = Message::text(format!("{text}, indeed"));
                peer.send(answer).await.map_err(Error::other)?;
            }
            Message::Binary(data) => {
                let answer = Message::binary(data);
                peer.send(answer).await.map_err(Error::other)?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn web_sockets_talk() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let server = spawn(answer(other));
    let client = client_async("ws://localhost/talk", one).await;
    let (mut client, _) = client.map_err(Error::other)?;
    for text in ["fine weather", "nice hat"] {
        client
            .send(Message::text(text))
            .await
            .map_err(Error::other)?;
        let answer = client.next().await.expect("it answers");
        let answer = answer.map_err(Error::other)?;
        assert_eq!(
            answer.into_text().map_err(Error::other)?,
            format!("{text}, indeed")
        );
    }
    let data = vec![5; 2_000_000];
    client
        .send(Message::binary(data.clone()))
        .await
        .map_err(Error::other)?;
    let answer = client.next().await.expect("it answers");
    assert!(answer.map_err(Error::other)?.into_data() == data);
    client.close(None).await.map_err(Error::other)?;
    while let Some(message) = client.next().await {
        assert!(message.map_err(Error::other)?.is_close());
    }
    server.join().await
}

async fn a_web_socket_may_time_out_and_go_on() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let server = spawn(answer(other));
    let client = client_async("ws://localhost/talk", one).await;
    let (mut client, _) = client.map_err(Error::other)?;
    // Nothing is lost by looking for a while.
    futures::select! {
        _ = client.next() => panic!("nothing was said"),
        pause = Box::pin(sleep(MOMENT)).fuse() => drop(pause?),
    };
    client
        .send(Message::text("still here"))
        .await
        .map_err(Error::other)?;
    let answer = client.next().await.expect("it answers");
    let answer = answer.map_err(Error::other)?;
    assert_eq!(
        answer.into_text().map_err(Error::other)?,
        "still here, indeed"
    );
    // A timeout is an error to the crate, which ends the conversation. It comes out of it as what it is.
    let next = async { client.next().await.transpose().map_err(Error::other) };
    let timed_out = timeout_after(MOMENT, next).await;
    assert!(matches!(fails(timed_out), Error::TaskTimeout(_)));
    drop(client);
    // It hung up without a word.
    let error = fails(server.join().await);
    assert!(!error.is_cancellation());
    Ok(())
}

async fn a_handler_of_web_sockets_can_be_cancelled() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let server = spawn(answer(other));
    let client = client_async("ws://localhost/talk", one).await;
    let (mut client, _) = client.map_err(Error::other)?;
    sleep(MOMENT).await?;
    assert!(server.cancel().await?);
    let Error::Task(error) = fails(server.join().await) else {
        panic!("a cancelled task has no result");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    let end = client.next().await;
    assert!(matches!(
        end,
        Some(Err(WsError::Protocol(_) | WsError::Io(_))) | None
    ));
    Ok(())
}
