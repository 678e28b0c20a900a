//! Streams on files: lines, and the position. `/data` is an empty directory.

use std::io::{ErrorKind, SeekFrom};

use curio::file::{self, FileStream};
use curio::{Error, Result, aopen, ignore_after, yield_now};
use futures::TryStreamExt;
use test_guests::{cases, fails, ms};

cases! {
    lines_come_one_by_one
    lines_are_whole_wherever_blocks_end
    large_reads_leave_nothing_behind
    the_position_is_behind_what_was_given
    what_is_written_comes_behind_what_was_given
    what_was_written_can_be_read_at_once
    appending_goes_to_the_end
    a_file_can_be_cut_and_grown
    interrupted_reads_lose_nothing
    a_file_and_its_stream_may_take_turns
    text_must_be_text
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

/// Lines of all lengths, of which the last has no end.
fn many_lines() -> Vec<String> {
    let mut lines: Vec<_> = (0..4000)
        .map(|n| format!("{n} {}\n", "x".repeat(n * 7 % 501)))
        .collect();
    lines.push("a".repeat(300_000) + "\n");
    lines.push("\n".to_owned());
    lines.push("the end".to_owned());
    lines
}

async fn lines_come_one_by_one() -> Result<()> {
    let mut file = opened("r", "one\ntwo\n\nfour").await?;
    assert_eq!(file.read_line().await?, b"one\n");
    let mut lines = FileStream::lines(&mut file);
    let mut rest = Vec::new();
    while let Some(line) = lines.next().await {
        rest.push(String::from_utf8(line?).map_err(Error::other)?);
    }
    assert_eq!(rest, ["two\n", "\n", "four"]);
    assert_eq!(file.read_line().await?, b"");
    // What comes later is read later.
    file::OpenOptions::new()
        .append(true)
        .open(PATH)
        .await?
        .write_all(b"th\nfive\n")
        .await?;
    assert_eq!(file.read_lines().await?, [b"th\n", &b"five\n"[..]]);
    let mut empty = opened("r", "").await?;
    assert!(FileStream::lines(&mut empty).next().await.is_none());
    let mut file = opened("r", "a\nb").await?;
    let lines: Vec<_> = FileStream::lines(&mut file).try_collect().await?;
    assert_eq!(lines, [b"a\n", &b"b"[..]]);
    Ok(())
}

async fn lines_are_whole_wherever_blocks_end() -> Result<()> {
    let expected = many_lines();
    let mut file = opened("r", expected.concat()).await?;
    let mut line = Vec::new();
    for expected in &expected {
        assert_eq!(file.read_line_into(&mut line).await?, expected.len());
        assert_eq!(line, expected.as_bytes());
    }
    assert_eq!(file.read_line_into(&mut line).await?, 0);
    file.seek(SeekFrom::Start(0)).await?;
    assert_eq!(
        file.read_lines().await?.concat(),
        expected.concat().as_bytes()
    );
    let mut file = opened("r", vec![b'x'; 3_000_000]).await?;
    let error = fails(file.read_line().await);
    assert!(
        error.to_string().contains("Stream::set_max_line"),
        "{error}"
    );
    file.set_max_line(usize::MAX);
    assert_eq!(file.read_line().await?.len(), 3_000_000);
    Ok(())
}

async fn large_reads_leave_nothing_behind() -> Result<()> {
    let bytes: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    let mut file = opened("r", &bytes).await?;
    let block = file.read(256 * 1024).await?;
    assert_eq!(block, bytes[..256 * 1024]);
    assert!(file.buffered().is_empty());
    // A small one reads a large block.
    assert_eq!(file.read(3).await?.len(), 3);
    assert_eq!(file.buffered().len(), 256 * 1024 - 3);
    assert_eq!(file.read_exactly(400_000).await?.len(), 400_000);
    let mut target = vec![0; 500_000];
    let rest = &bytes[256 * 1024 + 400_003..];
    assert_eq!(file.read_into(&mut target).await?, rest.len());
    assert_eq!(&target[..rest.len()], rest);
    let error = fails(file.read_exactly(1).await);
    assert_eq!(kind(&error), ErrorKind::UnexpectedEof);
    Ok(())
}

async fn the_position_is_behind_what_was_given() -> Result<()> {
    let mut file = opened("r", "first\nsecond\nthird\n").await?;
    assert_eq!(file.tell().await?, 0);
    assert_eq!(file.read_line().await?, b"first\n");
    assert_eq!(file.tell().await?, 6);
    assert_eq!(file.get_ref().tell().await?, 19);
    assert_eq!(file.read(3).await?, b"sec");
    assert_eq!(file.seek(SeekFrom::Current(-2)).await?, 7);
    assert!(file.buffered().is_empty());
    assert_eq!(file.read_line().await?, b"econd\n");
    assert_eq!(file.seek(SeekFrom::End(-3)).await?, 16);
    assert_eq!(file.read_all().await?, b"rd\n");
    assert_eq!(file.seek(SeekFrom::Start(13)).await?, 13);
    assert_eq!(file.read(2).await?, b"th");
    // Where it can't be, it does not go, and loses nothing.
    for wrong in [
        SeekFrom::Current(-16),
        SeekFrom::Current(i64::MIN),
        SeekFrom::End(-20),
        SeekFrom::Start(u64::MAX),
    ] {
        let error = fails(file.seek(wrong).await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    assert_eq!(file.tell().await?, 15);
    assert_eq!(file.buffered(), b"ird\n");
    assert_eq!(file.seek(SeekFrom::Current(100)).await?, 115);
    assert_eq!(file.read(1).await?, b"");
    Ok(())
}

async fn what_is_written_comes_behind_what_was_given() -> Result<()> {
    let mut file = opened("r+", "one\ntwo\nthree\n").await?;
    assert_eq!(file.read_line().await?, b"one\n");
    file.write(b"2").await?;
    assert_eq!(file.read_line().await?, b"wo\n");
    file.write(b"THR").await?;
    file.write(b"E").await?;
    assert_eq!(file.tell().await?, 12);
    assert_eq!(file.read_all().await?, b"e\n");
    file.write(b"four").await?;
    file.close().await?;
    assert_eq!(file::read_to_string(PATH).await?, "one\n2wo\nTHREe\nfour");

    // Line by line, over a file of many blocks.
    let lines = many_lines();
    let mut file = opened("r+", lines.concat()).await?;
    let mut line = Vec::new();
    while file.read_line_into(&mut line).await? > 0 {
        let length = i64::try_from(line.len()).expect("lines are shorter");
        file.seek(SeekFrom::Current(-length)).await?;
        line.make_ascii_uppercase();
        file.write(&line).await?;
    }
    file.close().await?;
    let expected = lines.concat().to_uppercase();
    assert!(file::read_to_string(PATH).await? == expected);
    Ok(())
}

async fn what_was_written_can_be_read_at_once() -> Result<()> {
    let mut file = aopen(PATH, "w+").await?;
    let data: Vec<u8> = (0..=250).cycle().take(700_000).collect();
    assert_eq!(file.write(&data).await?, 700_000);
    assert_eq!(file.tell().await?, 700_000);
    assert_eq!(file.read(1).await?, b"");
    file.seek(SeekFrom::Start(0)).await?;
    assert!(file.read_all().await? == data);
    file.seek(SeekFrom::Start(0)).await?;
    let lines = vec!["line\n"; 100_000];
    assert_eq!(file.write_lines(&lines).await?, 500_000);
    assert_eq!(file.read_exactly(200_000).await?, data[500_000..]);
    file.seek(SeekFrom::Start(499_995)).await?;
    assert_eq!(file.read_line().await?, b"line\n");
    Ok(())
}

async fn appending_goes_to_the_end() -> Result<()> {
    let mut file = opened("a+", "one\ntwo\n").await?;
    assert_eq!(file.read_line().await?, b"one\n");
    file.write(b"three\n").await?;
    assert_eq!(file.tell().await?, 14);
    assert_eq!(file.read_line().await?, b"");
    file.seek(SeekFrom::Start(4)).await?;
    assert_eq!(file.read_lines().await?, [b"two\n", &b"three\n"[..]]);
    Ok(())
}

async fn a_file_can_be_cut_and_grown() -> Result<()> {
    let mut file = opened("r+", "one\ntwo\nthree\n").await?;
    assert_eq!(file.read_line().await?, b"one\n");
    file.truncate(6).await?;
    assert_eq!(file.tell().await?, 4);
    assert_eq!(file.read_all().await?, b"tw");
    file.write(b"ice").await?;
    file.truncate(10).await?;
    assert_eq!(file.read_all().await?, b"\0");
    file.seek(SeekFrom::Start(4)).await?;
    assert_eq!(file.read_all().await?, b"twice\0");
    Ok(())
}

async fn interrupted_reads_lose_nothing() -> Result<()> {
    let lines = many_lines();
    let mut file = opened("r", lines.concat()).await?;
    let (mut read, mut timed_out) = (Vec::new(), 0);
    loop {
        if read.len() % 100 == 0 {
            // The block is read anew.
            file.seek(SeekFrom::Current(0)).await?;
        }
        match ignore_after(ms(0), file.read_line()).await? {
            None => timed_out += 1,
            Some(line) if line.is_empty() => break,
            Some(line) => read.push(line),
        }
        if timed_out % 7 == 1 {
            yield_now().await?;
        }
        if timed_out > 20 && read.len() % 100 == 0 {
            read.push(file.read_line().await?);
        }
    }
    assert!(timed_out > 0);
    assert!(read.concat() == lines.concat().as_bytes());
    Ok(())
}

async fn a_file_and_its_stream_may_take_turns() -> Result<()> {
    let mut stream = opened("r+", "one\ntwo\n").await?;
    assert_eq!(stream.read_line().await?, b"one\n");
    let mut stream = stream.into_inner().expect_err("it has read in advance");
    stream.seek(SeekFrom::Current(0)).await?;
    stream.write(b"2").await?;
    let file = stream.into_inner().expect("it has not");
    assert_eq!(file.read(9).await?, b"wo\n");
    file.write_all(b"three\n").await?;
    file.seek(SeekFrom::Start(0)).await?;
    let mut stream = file.into_stream();
    assert_eq!(stream.read_all().await?, b"one\n2wo\nthree\n");
    Ok(())
}

async fn text_must_be_text() -> Result<()> {
    let mut file = opened("rt", "grün\nund blau").await?;
    assert_eq!(file.read_line().await?, "grün\n".as_bytes());
    assert_eq!(file.read_to_string().await?, "und blau");
    assert_eq!(file.read_to_string().await?, "");
    let mut file = opened("r", [b'g', 0xfc]).await?;
    let error = fails(file.read_to_string().await);
    assert_eq!(kind(&error), ErrorKind::InvalidData);
    assert_eq!(file.read_all().await?, [b'g', 0xfc]);
    Ok(())
}
