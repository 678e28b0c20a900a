//! Reading from streams.

use std::io::ErrorKind;

use curio::io::SocketStream;
use curio::{Error, Result, Socket, sleep, spawn};
use test_guests::{fails, ms, socket_pair};

test_guests::cases! {
    one_burst_is_three_lines
    one_burst_is_three_messages
    after_a_line_read_gives_the_rest_of_what_is_there
    reading_nothing_returns_at_once
    read_all_takes_what_comes_in_parts
    the_last_line_may_have_no_end
    an_end_in_the_middle_tells_how_much_there_is
    read_into_fills_its_target
    lines_are_counted_and_kept_apart
    a_line_may_be_read_into_a_vector
    lines_are_an_iterator_and_a_stream
    a_line_that_is_too_long_stays
    what_was_read_in_advance_is_not_lost
    long_lines_in_small_pieces
}

/// A socket that sends, and a stream that reads.
async fn pair() -> Result<(Socket, SocketStream)> {
    let (one, other) = socket_pair().await?;
    Ok((one, other.into_stream()))
}

/// A stream with this to read, and then its end.
async fn stream_of(data: &[u8]) -> Result<SocketStream> {
    let (one, stream) = pair().await?;
    one.send_all(data).await?;
    Ok(stream)
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        error => panic!("no error of the system's: {error}"),
    }
}

async fn one_burst_is_three_lines() -> Result<()> {
    let mut stream = stream_of(b"line1\nline2\r\nline3\n").await?;
    assert_eq!(stream.read_line().await?, b"line1\n");
    assert_eq!(stream.read_line().await?, b"line2\r\n");
    assert_eq!(stream.read_line().await?, b"line3\n");
    for _ in 0..3 {
        assert_eq!(stream.read_line().await?, b"");
    }
    Ok(())
}

async fn one_burst_is_three_messages() -> Result<()> {
    let mut stream = stream_of(b"Msg1-Msg2-Msg3-").await?;
    assert_eq!(stream.read_exactly(5).await?, b"Msg1-");
    assert_eq!(stream.read_exactly(0).await?, b"");
    assert_eq!(stream.read_exactly(5).await?, b"Msg2-");
    assert_eq!(stream.read_exactly(5).await?, b"Msg3-");
    assert_eq!(stream.read(5).await?, b"");
    assert_eq!(stream.read_exactly(0).await?, b"");
    Ok(())
}

async fn after_a_line_read_gives_the_rest_of_what_is_there() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"line1\nline2").await?;
    assert_eq!(stream.read_line().await?, b"line1\n");
    // Here, and nothing else comes.
    assert_eq!(stream.read(2).await?, b"li");
    assert_eq!(stream.read(1000).await?, b"ne2");
    one.send_all(b"x").await?;
    assert_eq!(stream.read(usize::MAX).await?, b"x");
    Ok(())
}

async fn reading_nothing_returns_at_once() -> Result<()> {
    let (_one, mut stream) = pair().await?;
    assert_eq!(stream.read(0).await?, b"");
    assert_eq!(stream.read_into(&mut []).await?, 0);
    Ok(())
}

async fn read_all_takes_what_comes_in_parts() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = spawn(async move {
        for part in ["one", "two", "three"] {
            one.send_all(part.as_bytes()).await?;
            sleep(ms(20)).await?;
        }
        Ok(())
    });
    assert_eq!(stream.read(1).await?, b"o");
    assert_eq!(stream.read_all().await?, b"netwothree");
    assert_eq!(stream.read_all().await?, b"");
    sender.join().await?;
    stream.close().await
}

async fn the_last_line_may_have_no_end() -> Result<()> {
    let mut stream = stream_of(b"\n\nlast").await?;
    assert_eq!(stream.read_line().await?, b"\n");
    assert_eq!(stream.read_line().await?, b"\n");
    assert_eq!(stream.read_line().await?, b"last");
    assert_eq!(stream.read_line().await?, b"");
    Ok(())
}

async fn an_end_in_the_middle_tells_how_much_there_is() -> Result<()> {
    let mut stream = stream_of(b"1234").await?;
    let error = fails(stream.read_exactly(5).await);
    assert_eq!(kind(&error), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "the stream ended too early");
    assert_eq!(error.moved(), Some(4));
    // It is still there.
    assert_eq!(stream.read_exactly(4).await?, b"1234");
    assert_eq!(fails(stream.read_exactly(1).await).moved(), Some(0));
    Ok(())
}

async fn read_into_fills_its_target() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = spawn(async move {
        for n in 0..10 {
            one.send_all(&[n; 10_000]).await?;
            sleep(ms(1)).await?;
        }
        one.send_all(b"rest").await
    });
    assert_eq!(stream.read(1).await?, [0]);
    let mut target = vec![99; 99_999];
    assert_eq!(stream.read_into(&mut target).await?, 99_999);
    let expected = (0..10).flat_map(|n| [n; 10_000]).skip(1);
    assert!(target.iter().copied().eq(expected));
    // The end comes first.
    assert_eq!(stream.read_into(&mut target).await?, 4);
    assert_eq!(&target[..5], b"rest\0");
    sender.join().await
}

async fn lines_are_counted_and_kept_apart() -> Result<()> {
    let mut stream = stream_of(b"a\n\nbc\nd").await?;
    let lines = stream.read_lines().await?;
    assert_eq!(lines, [&b"a\n"[..], b"\n", b"bc\n", b"d"]);
    assert!(stream.read_lines().await?.is_empty());
    Ok(())
}

async fn a_line_may_be_read_into_a_vector() -> Result<()> {
    let mut stream = stream_of(b"first\nsecond\nx").await?;
    let mut line = b"what was here".to_vec();
    assert_eq!(stream.read_line_into(&mut line).await?, 6);
    assert_eq!(line, b"first\n");
    assert_eq!(stream.read_line_into(&mut line).await?, 7);
    assert_eq!(line, b"second\n");
    assert_eq!(stream.read_line_into(&mut line).await?, 1);
    assert_eq!(line, b"x");
    assert_eq!(stream.read_line_into(&mut line).await?, 0);
    assert_eq!(line, b"");
    Ok(())
}

async fn lines_are_an_iterator_and_a_stream() -> Result<()> {
    let text = b"one\ntwo\nthree";
    let mut stream = stream_of(text).await?;
    let mut lines = stream.lines();
    let mut all = Vec::new();
    while let Some(line) = lines.next().await {
        all.push(line?);
    }
    assert_eq!(all, [&b"one\n"[..], b"two\n", b"three"]);
    assert!(lines.next().await.is_none());

    let (one, mut stream) = pair().await?;
    let sender = spawn(async move {
        for byte in text {
            one.send_all(&[*byte]).await?;
            sleep(ms(1)).await?;
        }
        Ok(())
    });
    let all = futures::TryStreamExt::try_collect::<Vec<_>>(stream.lines()).await?;
    assert_eq!(all, [&b"one\n"[..], b"two\n", b"three"]);
    sender.join().await
}

async fn a_line_that_is_too_long_stays() -> Result<()> {
    let (one, mut stream) = pair().await?;
    stream.set_max_line(5);
    one.send_all(b"1234\n12345\n").await?;
    assert_eq!(stream.read_line().await?, b"1234\n");
    for _ in 0..2 {
        let error = fails(stream.read_line().await);
        assert!(matches!(error, Error::Limit(_)), "{error}");
        assert!(error.to_string().contains("Stream::set_max_line allows 5"));
    }
    let mut lines = stream.lines();
    assert!(matches!(lines.next().await, Some(Err(Error::Limit(_)))));
    stream.set_max_line(6);
    assert_eq!(stream.read_line().await?, b"12345\n");

    // One that has no end does not fill the memory.
    let (one, mut stream) = pair().await?;
    let sender = spawn(async move {
        let sent = one.send_all(&vec![b'x'; 50_000_000]).await;
        assert!(sent.is_err());
        Ok(())
    });
    assert!(matches!(fails(stream.read_line().await), Error::Limit(_)));
    assert!(stream.buffered().len() < 3 << 20);
    drop(stream);
    sender.join().await?;

    let mut stream = stream_of(b"a\nbcdefg\nh\n").await?;
    stream.set_max_line(5);
    let error = fails(stream.read_lines().await);
    assert_eq!(error.moved(), Some(11));
    stream.set_max_line(7);
    assert_eq!(stream.read_lines().await?.len(), 3);
    Ok(())
}

async fn what_was_read_in_advance_is_not_lost() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"line\nmore").await?;
    assert_eq!(stream.read_line().await?, b"line\n");
    assert_eq!(stream.buffered(), b"more");
    let Err(mut stream) = stream.into_inner() else {
        panic!("it had something in its buffer");
    };
    stream.consume(1);
    assert_eq!(stream.read(1).await?, b"o");
    let (socket, unread) = stream.into_parts();
    assert_eq!(unread, b"re");
    one.send_all(b"!").await?;
    assert_eq!(socket.recv(9).await?, b"!");
    let mut stream = socket.as_stream();
    one.send_all(b"x\n").await?;
    assert_eq!(stream.read_line().await?, b"x\n");
    assert!(stream.into_inner().is_ok());
    let socket = socket.into_stream().into_inner();
    let socket = socket.expect("nothing was read");
    assert_eq!(socket.peer_address()?, one.local_address()?);
    Ok(())
}

async fn long_lines_in_small_pieces() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let lengths = [100_000, 1, 70_000, 65_536, 65_535, 3, 131_072];
    let sender = spawn(async move {
        for len in lengths {
            let mut line = vec![b'x'; len];
            *line.last_mut().expect("none is empty") = b'\n';
            for piece in line.chunks(9_999) {
                one.send_all(piece).await?;
                curio::yield_now().await?;
            }
        }
        Ok(())
    });
    for len in lengths {
        let line = stream.read_line().await?;
        assert_eq!(line.len(), len);
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(len - 1));
    }
    assert_eq!(stream.read_line().await?, b"");
    sender.join().await
}
