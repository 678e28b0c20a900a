//! Writing to streams, and streams for two tasks.

use std::cell::Cell;
use std::task::{Context, Poll};

use curio::io::{RawIo, Stream};
use curio::traps::PollWait;
use curio::{Result, spawn};
use test_guests::socket_pair;

test_guests::cases! {
    a_write_writes_all
    lines_are_written_in_order
    lines_of_any_size_are_written
    a_pair_of_streams_is_for_two_tasks
    the_end_is_told_when_all_are_dropped
    a_transport_of_one_s_own
}

async fn a_write_writes_all() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut one, mut other) = (one.into_stream(), other.into_stream());
    assert_eq!(one.write(b"").await?, 0);
    let reader = spawn(async move { other.read_all().await });
    let data: Vec<u8> = (0..3_000_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    assert_eq!(one.write(&data).await?, data.len());
    one.flush().await?;
    one.close().await?;
    assert!(reader.join().await? == data);
    Ok(())
}

async fn lines_are_written_in_order() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut one, mut other) = (one.into_stream(), other.into_stream());
    assert_eq!(
        one.write_lines(["line1\n", "line2\n", "line3\n"]).await?,
        18
    );
    one.end().await?;
    assert_eq!(one.write_lines(Vec::<String>::new()).await?, 0);
    let lines = other.read_lines().await?;
    assert_eq!(lines, [b"line1\n", b"line2\n", b"line3\n"]);
    // The other direction is still open.
    other.write(b"goodbye").await?;
    assert_eq!(one.read(99).await?, b"goodbye");
    Ok(())
}

async fn lines_of_any_size_are_written() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut one, mut other) = (one.into_stream(), other.into_stream());
    let sizes = [
        1_usize, 65_535, 1, 65_536, 0, 65_537, 2, 200_000, 3, 65_530, 7,
    ];
    let lines = sizes.map(|size| vec![(size % 251).to_le_bytes()[0]; size]);
    let expected = lines.concat();
    let reader = spawn(async move { other.read_all().await });
    assert_eq!(one.write_lines(&lines).await?, expected.len());
    drop(one);
    assert!(reader.join().await? == expected);
    Ok(())
}

async fn a_pair_of_streams_is_for_two_tasks() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut reader, mut writer) = one.make_streams();
    let echo = spawn(async move {
        let (mut reader, mut writer) = other.make_streams();
        while let Some(line) = reader.lines().next().await {
            writer.write(&line?).await?;
        }
        writer.end().await
    });
    let answers = spawn(async move { reader.read_lines().await });
    let lines: Vec<_> = (0..20_000).map(|n| format!("line {n}\n")).collect();
    writer.write_lines(&lines).await?;
    writer.end().await?;
    assert!(
        answers
            .join()
            .await?
            .iter()
            .eq(lines.iter().map(String::as_bytes))
    );
    echo.join().await
}

async fn the_end_is_told_when_all_are_dropped() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let (mut reader, mut writer) = one.make_streams();
    other.send_all(b"x").await?;
    writer.write(b"y").await?;
    writer.close().await?;
    assert_eq!(other.recv(9).await?, b"y");
    // The other half keeps the socket.
    let more = curio::ignore_after(test_guests::ms(30), other.recv(9)).await?;
    assert!(more.is_none());
    assert_eq!(reader.read(9).await?, b"x");
    drop(reader);
    assert!(other.recv(9).await?.is_empty());
    Ok(())
}

/// Says everything in capitals, a byte at a time.
struct Loud<T> {
    inside: T,
    flushed: Cell<bool>,
}

impl<T: RawIo> RawIo for Loud<T> {
    fn try_recv(&self, _max: usize) -> Result<Option<Vec<u8>>> {
        self.inside.try_recv(1)
    }

    fn try_send(&self, data: &[u8]) -> Result<Option<usize>> {
        self.inside.try_send(&data[..1].to_ascii_uppercase())
    }

    fn try_flush(&self) -> Result<Option<()>> {
        self.flushed.set(true);
        self.inside.try_flush()
    }

    fn try_end(&self) -> Result<Option<()>> {
        self.inside.try_end()
    }

    fn poll_read_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inside.poll_read_wait(wait, cx)
    }

    fn poll_write_wait(&self, wait: &PollWait, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inside.poll_write_wait(wait, cx)
    }
}

async fn a_transport_of_one_s_own() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let mut one = Stream::new(Loud {
        inside: one,
        flushed: Cell::new(false),
    });
    let mut other = Stream::new(Loud {
        inside: other,
        flushed: Cell::new(false),
    });
    let reader = spawn(async move { other.read_lines().await });
    assert_eq!(one.write_lines(["what\n", "a day"]).await?, 10);
    assert!(!one.get_ref().flushed.get());
    one.end().await?;
    assert!(one.get_ref().flushed.get());
    assert_eq!(reader.join().await?, [&b"WHAT\n"[..], b"A DAY"]);
    Ok(())
}
