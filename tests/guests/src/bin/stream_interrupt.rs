//! Interrupting who reads from a stream or writes to it: nothing is lost, and what was done is told.

use std::task::Poll;
use std::time::Duration;

use curio::io::SocketStream;
use curio::{Error, Result, Socket, Task, ignore_after, sleep, spawn, timeout_after, yield_now};
use test_guests::{fails, ms, socket_pair};

const MOMENT: Duration = ms(30);

test_guests::cases! {
    a_cancelled_read_line_keeps_what_came
    timeouts_tell_what_was_read
    read_into_tells_how_much_is_filled
    a_cancellation_tells_what_was_read
    lines_survive_any_number_of_timeouts
    lines_survive_any_number_of_cancellations
    lines_survive_being_dropped
    exact_reads_survive_any_number_of_timeouts
    a_write_that_times_out_tells_how_much_the_peer_gets
    a_cancelled_write_tells_how_much_the_peer_gets
    lines_that_time_out_tell_how_much_the_peer_gets
    a_write_that_fails_tells_that_too
    a_second_reader_does_not_disturb_the_first
    a_timeout_of_an_outer_block_tells_it_too
}

async fn pair() -> Result<(Socket, SocketStream)> {
    let (one, other) = socket_pair().await?;
    Ok((one, other.into_stream()))
}

fn moved(error: &Error) -> u64 {
    error.moved().expect("it tells how much")
}

async fn a_cancelled_read_line_keeps_what_came() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"half of a li").await?;
    let reader = spawn(async move {
        let error = fails(stream.read_line().await);
        assert!(matches!(error, Error::TaskCancelled));
        Ok(stream)
    });
    sleep(MOMENT).await?;
    assert!(reader.cancel().await?);
    let mut stream = reader.join().await?;
    assert_eq!(stream.buffered(), b"half of a li");
    one.send_all(b"ne\n").await?;
    assert_eq!(stream.read_line().await?, b"half of a line\n");
    Ok(())
}

async fn timeouts_tell_what_was_read() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"a\nb\nrest").await?;
    let error = fails(timeout_after(MOMENT, stream.read_all()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(error.moved(), Some(8));
    let error = fails(timeout_after(MOMENT, stream.read_exactly(100)).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(error.moved(), Some(8));
    let error = fails(timeout_after(MOMENT, stream.read_lines()).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(error.moved(), Some(8));
    // The lines that came can be had.
    assert_eq!(stream.read_line().await?, b"a\n");
    drop(one);
    assert_eq!(stream.read_lines().await?, [&b"b\n"[..], b"rest"]);
    Ok(())
}

async fn read_into_tells_how_much_is_filled() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"12345").await?;
    let mut target = [0; 8];
    let error = fails(timeout_after(MOMENT, stream.read_into(&mut target)).await);
    assert_eq!(error.moved(), Some(5));
    one.send_all(b"6789").await?;
    assert_eq!(stream.read_into(&mut target[5..]).await?, 3);
    assert_eq!(&target, b"12345678");
    assert_eq!(stream.read(9).await?, b"9");
    Ok(())
}

async fn a_cancellation_tells_what_was_read() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"12345").await?;
    let reader = spawn(async move {
        let error = fails(stream.read_exactly(6).await);
        assert!(error.is_cancellation() && !error.is_timeout());
        assert_eq!(error.to_string(), "the task was cancelled");
        assert_eq!(error.moved(), Some(5));
        let Error::Partial(partial) = &error else {
            panic!("it can't tell how much: {error}");
        };
        assert!(matches!(partial.cause(), Error::TaskCancelled));
        Err::<(), _>(error)
    });
    sleep(MOMENT).await?;
    assert!(reader.cancel().await?);
    let error = fails(reader.join().await);
    let Error::Task(error) = error else {
        panic!("a cancelled task has no result");
    };
    assert!(error.cause().is_cancellation());
    assert_eq!(error.cause().moved(), Some(5));
    Ok(())
}

/// The lines that are sent, byte by byte.
fn lines() -> Vec<Vec<u8>> {
    let numbers = 0..60_usize;
    numbers
        .map(|n| format!("{}{n}\n", "x".repeat(n % 7)).into_bytes())
        .collect()
}

fn send_slowly(socket: Socket) -> Task<()> {
    spawn(async move {
        for byte in lines().concat() {
            socket.send_all(&[byte]).await?;
            for _ in 0..byte % 3 {
                yield_now().await?;
            }
            sleep(Duration::from_micros(u64::from(byte) % 5 * 40)).await?;
        }
        Ok(())
    })
}

async fn lines_survive_any_number_of_timeouts() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = send_slowly(one);
    let (mut read, mut timeouts) = (Vec::new(), 0);
    for n in 0_u64.. {
        let time = Duration::from_micros(n % 7 * 30);
        match ignore_after(time, stream.read_line()).await? {
            Some(line) if line.is_empty() => break,
            Some(line) => read.push(line),
            None => timeouts += 1,
        }
    }
    assert_eq!(read, lines());
    assert!(timeouts > 10, "{timeouts}");
    sender.join().await
}

async fn lines_survive_any_number_of_cancellations() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = send_slowly(one);
    let (mut read, mut cancelled) = (Vec::new(), 0);
    loop {
        let reader = spawn(async move {
            let line = stream.read_line().await;
            Ok((stream, line))
        });
        for _ in 0..cancelled % 4 {
            yield_now().await?;
        }
        reader.cancel().await?;
        let line;
        (stream, line) = reader.join().await?;
        match line {
            Ok(line) if line.is_empty() => break,
            Ok(line) => read.push(line),
            Err(error) => {
                assert!(matches!(error, Error::TaskCancelled));
                cancelled += 1;
            }
        }
    }
    assert_eq!(read, lines());
    assert!(cancelled > 10, "{cancelled}");
    sender.join().await
}

async fn lines_survive_being_dropped() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = send_slowly(one);
    let (mut read, mut dropped) = (Vec::new(), 0);
    loop {
        // Looked at once, and dropped: by the operation itself, and by what polls.
        let line = {
            let mut lines = stream.lines();
            let mut next = std::pin::pin!(lines.next());
            futures::poll!(next.as_mut())
        };
        let line = match line {
            Poll::Pending => {
                futures::poll!(futures::StreamExt::next(&mut stream.lines()))
            }
            ready @ Poll::Ready(_) => ready,
        };
        match line {
            Poll::Ready(Some(line)) => read.push(line?),
            Poll::Ready(None) => break,
            Poll::Pending => {
                dropped += 1;
                yield_now().await?;
            }
        }
    }
    assert_eq!(read, lines());
    assert!(dropped > 10, "{dropped}");
    sender.join().await
}

async fn exact_reads_survive_any_number_of_timeouts() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let sender = send_slowly(one);
    let all = lines().concat();
    let (mut read, mut tries) = (Vec::new(), 0);
    while read.len() < all.len() {
        tries += 1;
        let count = (read.len() % 5 + 1).min(all.len() - read.len());
        let time = Duration::from_micros(tries % 7 * 30);
        let before = stream.buffered().len();
        match timeout_after(time, stream.read_exactly(count)).await {
            Ok(data) => read.extend(data),
            Err(error) => {
                assert!(error.is_timeout());
                let here = stream.buffered().len();
                assert!(before <= here && here < count);
                assert_eq!(moved(&error), here as u64);
            }
        }
    }
    assert_eq!(read, all);
    assert_eq!(stream.read(1).await?, b"");
    sender.join().await
}

/// How much comes until the end.
fn count(socket: Socket) -> Task<u64> {
    spawn(async move {
        let mut received = 0;
        loop {
            let data = socket.recv(1 << 20).await?;
            if data.is_empty() {
                return Ok(received);
            }
            received += data.len() as u64;
        }
    })
}

async fn a_write_that_times_out_tells_how_much_the_peer_gets() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let data = vec![b'x'; 10_000_000];
    let error = fails(timeout_after(4 * MOMENT, stream.write(&data)).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    let written = moved(&error);
    assert!(written > 0 && written < 10_000_000, "{written}");
    stream.close().await?;
    assert_eq!(count(one).join().await?, written);
    Ok(())
}

async fn a_cancelled_write_tells_how_much_the_peer_gets() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let writer = spawn(async move { stream.write(&vec![b'x'; 10_000_000]).await });
    sleep(MOMENT).await?;
    assert!(writer.cancel().await?);
    let Error::Task(error) = fails(writer.join().await) else {
        panic!("a cancelled task has no result");
    };
    assert!(error.cause().is_cancellation());
    let written = moved(error.cause());
    assert!(written > 0);
    assert_eq!(count(one).join().await?, written);
    Ok(())
}

async fn lines_that_time_out_tell_how_much_the_peer_gets() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let lines = (1..).map(|n| vec![b'x'; n * 1_000]).take(200);
    let error = fails(timeout_after(4 * MOMENT, stream.write_lines(lines)).await);
    let written = moved(&error);
    assert!(written > 1_000, "{written}");
    stream.close().await?;
    assert_eq!(count(one).join().await?, written);
    Ok(())
}

async fn a_write_that_fails_tells_that_too() -> Result<()> {
    let (one, mut stream) = pair().await?;
    let writer = spawn(async move { stream.write(&vec![b'x'; 10_000_000]).await });
    sleep(MOMENT).await?;
    drop(one);
    let Error::Task(error) = fails(writer.join().await) else {
        panic!("a failed task has no result");
    };
    assert!(matches!(error.cause(), Error::Io(_)), "{error}");
    assert!(error.cause().moved().is_some_and(|written| written > 0));
    Ok(())
}

async fn a_second_reader_does_not_disturb_the_first() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut first, mut second) = other.make_streams();
    let reader = spawn(async move { first.read_line().await });
    sleep(MOMENT).await?;
    let error = fails(second.read_line().await);
    assert!(matches!(error, Error::ResourceBusy), "{error}");
    one.send_all(b"for the first\n").await?;
    assert_eq!(reader.join().await?, b"for the first\n");
    Ok(())
}

async fn a_timeout_of_an_outer_block_tells_it_too() -> Result<()> {
    let (one, mut stream) = pair().await?;
    one.send_all(b"123").await?;
    let outer = timeout_after(MOMENT, async {
        let inner = timeout_after(100 * MOMENT, stream.read_exactly(9)).await;
        let error = fails(inner);
        assert!(matches!(error, Error::TimeoutCancellation(_)));
        assert_eq!(error.moved(), Some(3));
        Err::<(), _>(error)
    });
    let error = fails(outer.await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(error.moved(), Some(3));
    Ok(())
}
