//! Streams on files: writes that are told of later, and polling. `/data` is an empty directory.

use std::io::{ErrorKind, SeekFrom};
use std::rc::Rc;

use curio::file::{self, File, FileStream};
use curio::io::Stream;
use curio::{Error, Result, aopen, spawn, timeout_after, yield_now};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt, TryStreamExt};
use test_guests::{cases, fails, ms};

cases! {
    a_write_is_begun_at_once
    a_write_changes_what_was_to_be_read_next
    a_failed_write_is_told_later_and_once
    what_a_short_write_leaves_is_told
    an_interrupted_write_says_what_was_begun
    files_are_read_and_written_by_polling
    a_poll_that_was_given_up_is_in_nobody_s_way
    two_tasks_can_t_use_it_at_once
}

const PATH: &str = "/data/file";

async fn opened(mode: &str, content: impl AsRef<[u8]>) -> Result<FileStream> {
    file::write(PATH, content).await?;
    aopen(PATH, mode).await
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        other => panic!("should be the system's: {other}"),
    }
}

async fn a_write_is_begun_at_once() -> Result<()> {
    let mut file = aopen(PATH, "w").await?;
    for n in 1..=100 {
        // The first does not wait for the disk; the next one waits for it.
        let written = file.write(b"more").now_or_never();
        assert_eq!(written.expect("nothing is under way")?, 4);
        file.flush().await?;
        assert_eq!(file::metadata(PATH).await?.len(), 4 * n);
    }
    file.write(b"x").await?;
    // The file's own operations come behind it.
    assert_eq!(file.get_ref().metadata().await?.len(), 401);
    // One that nobody waits for is done nevertheless.
    file.write(b"y").await?;
    drop(file);
    while file::metadata(PATH).await?.len() < 402 {
        yield_now().await?;
    }
    Ok(())
}

async fn a_write_changes_what_was_to_be_read_next() -> Result<()> {
    const BLOCK: usize = 256 * 1024;
    let mut file = opened("r+", vec![b'a'; 3 * BLOCK]).await?;
    assert_eq!(file.read(BLOCK).await?.len(), BLOCK);
    // The block that comes next is being read.
    assert_eq!(file.write(b"bc").await?, 2);
    assert_eq!(file.tell().await?, BLOCK as u64 + 2);
    assert_eq!(
        file.seek(SeekFrom::Start(BLOCK as u64)).await?,
        BLOCK as u64
    );
    assert_eq!(file.read(3).await?, b"bca");
    // So is the last one, and then the end.
    file.seek(SeekFrom::Start(BLOCK as u64)).await?;
    assert_eq!(file.read_all().await?.len(), 2 * BLOCK);
    file.seek(SeekFrom::Start(0)).await?;
    let mut all = 0;
    loop {
        match file.read(BLOCK).await?.len() {
            0 => break,
            read => all += read,
        }
    }
    assert_eq!(all, 3 * BLOCK);
    file.close().await
}

async fn a_failed_write_is_told_later_and_once() -> Result<()> {
    for how in 0..6 {
        let mut file = opened("r", "for reading only").await?;
        assert_eq!(file.write(b"x").await?, 1);
        let told = match how {
            0 => file.flush().await,
            1 => file.write(b"y").await.map(drop),
            2 => file.read(3).await.map(drop),
            3 => file.tell().await.map(drop),
            4 => file.get_ref().read(3).await.map(drop),
            _ => AsyncWriteExt::flush(&mut file).await.map_err(Error::from),
        };
        kind(&fails(told));
        file.flush().await?;
        assert_eq!(file.tell().await?, 0);
        assert_eq!(file.read(3).await?, b"for");
        file.write(b"z").await?;
        kind(&fails(file.close().await));
    }
    assert_eq!(file::read_to_string(PATH).await?, "for reading only");
    let mut large = aopen(PATH, "r").await?;
    let error = fails(large.write(&vec![b'x'; 1_000_000]).await);
    assert_eq!(error.moved(), Some(256 * 1024), "so much was begun");
    Ok(())
}

/// How long a file may be.
async fn greatest_length(file: &File) -> Result<u64> {
    let (mut possible, mut too_much) = (0, 1 << 63);
    while too_much - possible > 1 {
        let middle = possible + (too_much - possible) / 2;
        match file.truncate(middle).await {
            Ok(()) => possible = middle,
            Err(Error::Io(_)) => too_much = middle,
            Err(error) => return Err(error),
        }
    }
    file.truncate(0).await?;
    Ok(possible)
}

async fn what_a_short_write_leaves_is_told() -> Result<()> {
    let mut file = aopen(PATH, "w+").await?;
    let end = greatest_length(file.get_ref()).await?;
    file.seek(SeekFrom::Start(end - 5)).await?;
    assert_eq!(file.write(b"0123456789").await?, 10);
    let error = fails(file.flush().await);
    // Where a file may have 2^63-1 bytes, the system does not even begin.
    if end < (1 << 63) - 1 {
        assert_eq!(kind(&error), ErrorKind::FileTooLarge);
        assert_eq!(file.tell().await?, end);
        file.seek(SeekFrom::End(-5)).await?;
        assert_eq!(file.read_all().await?, b"01234");
    }
    file.truncate(0).await?;
    file.close().await
}

async fn an_interrupted_write_says_what_was_begun() -> Result<()> {
    let data: Vec<u8> = (0..=250).cycle().take(20_000_000).collect();
    let mut file = aopen(PATH, "w").await?;
    let error = fails(timeout_after(ms(1), file.write(&data)).await);
    assert!(error.is_timeout(), "{error}");
    let begun = error.moved().expect("a write tells");
    file.flush().await?;
    assert_eq!(file.tell().await?, begun);
    file.write(b"the end").await?;
    file.close().await?;
    let end = usize::try_from(begun).expect("the data is shorter");
    let there = file::read(PATH).await?;
    assert!(there[..end] == data[..end] && &there[end..] == b"the end");
    Ok(())
}

async fn files_are_read_and_written_by_polling() -> Result<()> {
    let lines: Vec<_> = (0..50_000).map(|n| format!("line {n}\n")).collect();
    let input = opened("r", lines.concat()).await?;
    let mut output = aopen("/data/copy", "w+").await?;
    let copied = futures::io::copy(input, &mut output).await?;
    assert_eq!(copied, lines.concat().len() as u64);
    AsyncWriteExt::close(&mut output).await?;
    assert!(file::read_to_string("/data/copy").await? == lines.concat());
    output.seek(SeekFrom::Start(0)).await?;
    let read: Vec<_> = AsyncBufReadExt::lines(output).try_collect().await?;
    assert!(
        read.iter()
            .zip(&lines)
            .all(|(read, line)| read == line.trim_end_matches('\n'))
    );

    let mut file = opened("r+", "one\ntwo\nthree\n").await?;
    let mut line = String::new();
    AsyncBufReadExt::read_line(&mut file, &mut line).await?;
    AsyncWriteExt::write_all(&mut file, b"TWO").await?;
    AsyncReadExt::read_to_string(&mut file, &mut line).await?;
    assert_eq!(line, "one\n\nthree\n");
    assert_eq!(file::read_to_string(PATH).await?, "one\nTWO\nthree\n");
    let mut file = opened("r", "").await?;
    AsyncWriteExt::write_all(&mut file, b"x").await?;
    AsyncWriteExt::close(&mut file)
        .await
        .expect_err("it can't be written to");
    Ok(())
}

/// Polls once for bytes that may have come meanwhile, and says how many.
fn poll_once(file: &mut FileStream) -> Result<usize> {
    let polled = AsyncReadExt::read(file, &mut [0; 3]).now_or_never();
    Ok(polled.transpose()?.unwrap_or(0))
}

async fn a_poll_that_was_given_up_is_in_nobody_s_way() -> Result<()> {
    let text = "one\ntwo\n";
    for _ in 0..20 {
        let mut file = opened("r+", text).await?;
        let given = poll_once(&mut file)?;
        assert_eq!(file.read_line().await?, text.as_bytes()[given..4]);
        file.seek(SeekFrom::Start(0)).await?;
        let given = poll_once(&mut file)?;
        // It comes where reading has come to.
        AsyncWriteExt::write_all(&mut file, b"1").await?;
        file.flush().await?;
        let position = given + 1;
        let position = position + poll_once(&mut file)?;
        assert_eq!(file.tell().await?, position as u64);
        assert_eq!(file.read_all().await?, text.as_bytes()[position..]);
        poll_once(&mut file)?;
    }
    Ok(())
}

async fn two_tasks_can_t_use_it_at_once() -> Result<()> {
    let file = Rc::new(opened("r", "content").await?.into_parts().0);
    let (mut stream, ours) = (Stream::new(file.clone()), file.clone());
    let reader = spawn(async move { ours.read(10).await });
    yield_now().await?;
    assert!(matches!(fails(stream.read(1).await), Error::ResourceBusy));
    assert!(matches!(
        fails(stream.write(b"x").await),
        Error::ResourceBusy
    ));
    assert!(matches!(fails(stream.flush().await), Error::ResourceBusy));
    assert_eq!(reader.join().await?, b"content");
    assert_eq!(stream.read(1).await?, b"");
    Ok(())
}
